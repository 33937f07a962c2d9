package events_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// TestKeyVector pins the derivation: another one would make everybody a
// stranger. Computed independently with openssl:
//
//	printf 'person\0001001' | openssl dgst -sha256 -binary -mac HMAC -macopt hexkey:000102…1f | head -c 20 | base32 | tr A-Z a-z
func TestKeyVector(t *testing.T) {
	t.Parallel()
	secret := make([]byte, events.MinDeploymentKeyBytes)
	for i := range secret {
		secret[i] = byte(i)
	}
	keyer, err := events.NewKeyer(secret)
	if err != nil {
		t.Fatal(err)
	}
	clear(secret) // The keyer holds its own copy.
	if got := keyer.Person("1001"); got != "vdky7suc5auz7gbwsjoxvn4c7a6swdmg" {
		t.Errorf("person: got %s", got)
	}
	if got := keyer.Group("hr", "7"); got != "aax3k73iyjga5b437cdhszmq5ztwux3g" {
		t.Errorf("group: got %s", got)
	}
}

func TestKeysDiffer(t *testing.T) {
	t.Parallel()
	keyer := newKeyer(t, 1)
	other := newKeyer(t, 2)
	all := map[events.Key]string{}
	for name, key := range map[string]events.Key{
		"person": keyer.Person("7"), "other person": keyer.Person("8"), "other deployment": other.Person("7"),
		"group": keyer.Group("hr", "7"), "group of another source": keyer.Group("directory", "7"), "shifted": keyer.Group("h", "r7"),
		"person named as a group is": keyer.Person("hr\x007"),
	} {
		if before, twice := all[key]; twice {
			t.Errorf("%s and %s have one key", name, before)
		}
		all[key] = name
		if len(key) != 32 || strings.Trim(string(key), "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Errorf("%s: key %q is not 32 characters of base32", name, key)
		}
	}
}

func newKeyer(t *testing.T, fill byte) *events.Keyer {
	t.Helper()
	keyer, err := events.NewKeyer(bytes.Repeat([]byte{fill}, events.MinDeploymentKeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return keyer
}

func TestNewKeyerRefusesAShortKey(t *testing.T) {
	t.Parallel()
	if _, err := events.NewKeyer(make([]byte, events.MinDeploymentKeyBytes-1)); err == nil {
		t.Error("31 bytes are accepted")
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"a", "production", "eu-west-2", strings.Repeat("x", 32)} {
		if err := events.CheckName(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "_", "Production", "1st", "-a", "a.b", "a b", "a*", "a>", "é", strings.Repeat("x", 33)} {
		if events.CheckName(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
