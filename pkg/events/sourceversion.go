package events

import (
	"errors"
	"math/big"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// VersionKind is what the events of a source carry as sourceversion.
type VersionKind string

// The kinds.
const (
	VersionNone   VersionKind = "none"   // no sourceversion at all
	VersionNumber VersionKind = "number" // a whole number
	VersionTime   VersionKind = "time"   // an RFC 3339 time
)

// VersionKinds returns every kind.
func VersionKinds() []VersionKind { return []VersionKind{VersionNone, VersionNumber, VersionTime} }

// KindOfVersion returns the kind of a valid source version; that of an empty
// one is none.
func KindOfVersion(v string) VersionKind {
	if v == "" {
		return VersionNone
	}
	if _, ok := versionNumber(v); ok {
		return VersionNumber
	}
	return VersionTime
}

// Compare returns -1, 0 or 1 as a is older than, the same as or newer than b.
// A version that is not of the kind was stored under another configuration: it
// is older than any that is, and the same as any other that is not.
func (k VersionKind) Compare(a, b string) int {
	switch {
	case a == b:
		return 0
	case k == VersionNumber:
		na, okA := versionNumber(a)
		nb, okB := versionNumber(b)
		if okA && okB {
			return na.Cmp(nb)
		}
		return rank(okA) - rank(okB)
	case k == VersionTime:
		ta, errA := versionTime(a)
		tb, errB := versionTime(b)
		if errA == nil && errB == nil {
			return ta.Compare(tb)
		}
		return rank(errA == nil) - rank(errB == nil)
	}
	return 0
}

func rank(ofTheKind bool) int {
	if ofTheKind {
		return 1
	}
	return 0
}

// maxVersionDigits bounds the work of comparing two source versions.
const maxVersionDigits = 64

// ErrVersionKind is returned where two source versions cannot be compared: one
// is a number, the other a time.
var ErrVersionKind = errors.New("sourceversion changed between a number and a time")

// CompareSourceVersions returns -1, 0 or 1 as a is older than, the same as or
// newer than b. Both must be valid.
func CompareSourceVersions(a, b string) (int, error) {
	na, okA := versionNumber(a)
	nb, okB := versionNumber(b)
	if okA && okB {
		return na.Cmp(nb), nil
	}
	ta, errA := versionTime(a)
	tb, errB := versionTime(b)
	if errA != nil || errB != nil {
		return 0, ErrVersionKind
	}
	return ta.Compare(tb), nil
}

func validVersion(v string) bool {
	if _, ok := versionNumber(v); ok {
		return true
	}
	_, err := versionTime(v)
	return err == nil
}

// versionNumber reads digits with at most a minus sign before them; big.Int
// alone would let signs and underscores of Go's own syntax pass.
func versionNumber(v string) (*big.Int, bool) {
	digits := strings.TrimPrefix(v, "-")
	if digits == "" || len(digits) > maxVersionDigits || strings.Trim(digits, "0123456789") != "" {
		return nil, false
	}
	return new(big.Int).SetString(v, 10)
}

// versionTime reads a time as the attribute time is read: time.Parse alone
// takes more for RFC 3339 than it is.
func versionTime(v string) (time.Time, error) {
	quoted, err := jsontext.AppendQuote(nil, v)
	if err != nil {
		return time.Time{}, err
	}
	var t time.Time
	err = json.Unmarshal(quoted, &t)
	return t, err
}
