package store

import "strings"

// IDAlphabet are the digits of ids, LongIDLen is the length of ids in answers.
const (
	IDAlphabet    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	idSuffixChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	shortIDLen    = 15
	LongIDLen     = 18
)

// NewID builds an 18 character id: key prefix, pod (two characters that differ
// per org), a zero and a base-62 counter, then the case checksum.
func NewID(prefix, pod string, n uint64) string {
	var b [shortIDLen]byte
	copy(b[:3], prefix)
	copy(b[3:5], pod)
	for i := shortIDLen - 1; i >= 5; i-- {
		b[i] = IDAlphabet[n%62]
		n /= 62
	}
	return LongID(string(b[:]))
}

// LongID appends the three checksum characters that make a 15 character id
// safe for case-insensitive systems. [D]
func LongID(short string) string {
	var suffix [3]byte
	for group := range 3 {
		bits := 0
		for i := range 5 {
			if c := short[group*5+i]; c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		suffix[group] = idSuffixChars[bits]
	}
	return short + string(suffix[:])
}

// ShortID gives the 15 character form that lookups use.
func ShortID(id string) string {
	if len(id) > shortIDLen {
		return id[:shortIDLen]
	}
	return id
}

// IsID says whether the text has the shape of an id: 15 or 18 letters and
// digits. It does not say that a record exists.
func IsID(s string) bool {
	if len(s) != shortIDLen && len(s) != LongIDLen {
		return false
	}
	for i := range len(s) {
		if strings.IndexByte(IDAlphabet, s[i]) < 0 {
			return false
		}
	}
	return true
}

// PodOf derives the two characters that make one org's ids differ from
// another's.
func PodOf(ordinal int) string {
	return string([]byte{IDAlphabet[10+ordinal/62%52], IDAlphabet[ordinal%62]})
}
