package latin

import "testing"

func TestSpelling(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"Zoë Ångström": "Zoe Angstrom", "Größe": "Grosse", "Łódź Æble": "Lodz AEble", "plain": "plain", "李": "", "O’Neil": "O'Neil"} {
		if got := ASCII(in); got != want {
			t.Errorf("ASCII(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{" Anna-Lena  O'Neil ": "anna-lena-o-neil", "ÄÖ": "ao", "--": "",
		"王": "wang", "Иванова": "ivanova", "الرشيد": "lrshyd", "Παππά": "pappa", "김": "gim", "たなか": "tanaka",
		"शर्मा": "shrmaa", "כהן": "khhn", "สมชาย": "smchaay", "Սարգսյան": "sargsyan", "გელაშვილი": "gelashvili", "Müller 王": "muller"} {
		if got := Slug(in); got != want {
			t.Errorf("Slug(%q) = %q, want %q", in, got, want)
		}
	}
}
