package latin

import "testing"

func TestSpelling(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"Zoë Ångström": "Zoe Angstrom", "Größe": "Grosse", "Łódź Æble": "Lodz AEble", "plain": "plain", "李": "", "O’Neil": "O'Neil"} {
		if got := ASCII(in); got != want {
			t.Errorf("ASCII(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{" Anna-Lena  O'Neil ": "anna-lena-o-neil", "ÄÖ": "ao", "--": ""} {
		if got := Slug(in); got != want {
			t.Errorf("Slug(%q) = %q, want %q", in, got, want)
		}
	}
}
