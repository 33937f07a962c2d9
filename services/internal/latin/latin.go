// Package latin writes names in letters that usernames and addresses can hold.
package latin

import (
	"strings"
	"unicode"

	"github.com/mozillazg/go-unidecode"
	"golang.org/x/text/unicode/norm"
)

// ASCII writes a text in ASCII: accents are taken off, letters that are no
// accented ASCII letters are spelt as usual, and what has no spelling is left
// out.
func ASCII(s string) string {
	if isASCII(s) {
		return s
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		switch {
		case r < unicode.MaxASCII:
			b.WriteRune(r)
		default:
			b.WriteString(spelling(r))
		}
	}
	return b.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// spelling covers the Latin letters that Unicode does not take apart.
func spelling(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'ẞ':
		return "SS"
	case 'æ':
		return "ae"
	case 'Æ':
		return "AE"
	case 'œ':
		return "oe"
	case 'Œ':
		return "OE"
	case 'ø':
		return "o"
	case 'Ø':
		return "O"
	case 'đ', 'ð':
		return "d"
	case 'Đ', 'Ð':
		return "D"
	case 'ł':
		return "l"
	case 'Ł':
		return "L"
	case 'þ':
		return "th"
	case 'Þ':
		return "TH"
	case 'ı':
		return "i"
	case '’', '‘':
		return "'"
	case '‐', '‑', '–', '—':
		return "-"
	}
	return ""
}

// Slug writes a text in lower-case ASCII letters and digits, with one hyphen
// for whatever stands between them. A text without a Latin letter or a digit is
// transliterated, so that a name in any script comes to something; one that has
// some keeps what it always came to.
func Slug(s string) string {
	if slug := hyphenated(ASCII(s)); slug != "" {
		return slug
	}
	return hyphenated(unidecode.Unidecode(s))
}

func hyphenated(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
			continue
		}
		gap = true
	}
	return b.String()
}
