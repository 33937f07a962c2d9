package seal_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

const canary = "canary-7f3a-token"

func create(t *testing.T) (*seal.Sealer, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens.keyset.json")
	s, err := seal.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return s, path
}

func TestSealOpensAgainAfterRestart(t *testing.T) {
	t.Parallel()
	s, path := create(t)
	want := events.Token{AccessToken: canary, InstanceURL: "https://example.my.salesforce.com"}
	sealed, err := s.Seal("emea", want)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(sealed), canary) {
		t.Fatal("the sealed value holds the token in the clear")
	}
	again, err := seal.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := again.Open("emea", sealed)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("opened %+v, sealed %+v", got, want)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	s, _ := create(t)
	other, _ := create(t)
	sealed, err := s.Seal("emea", events.Token{AccessToken: canary})
	if err != nil {
		t.Fatal(err)
	}
	refresh, err := s.SealRefresh("emea", canary)
	if err != nil {
		t.Fatal(err)
	}
	changed := append([]byte(nil), sealed...)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() error{
		"another org":                        func() error { _, err := s.Open("apac", sealed); return err },
		"another key":                        func() error { _, err := other.Open("emea", sealed); return err },
		"a changed byte":                     func() error { _, err := s.Open("emea", changed); return err },
		"nothing":                            func() error { _, err := s.Open("emea", nil); return err },
		"a refresh token as an access token": func() error { _, err := s.Open("emea", refresh); return err },
		"an access token as a refresh token": func() error { _, err := s.OpenRefresh("emea", sealed); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := open()
			if !errors.Is(err, seal.ErrNotOurs) {
				t.Fatalf("got %v, want ErrNotOurs", err)
			}
			if strings.Contains(err.Error(), canary) {
				t.Fatal("the error quotes the token")
			}
		})
	}
}

func TestRefreshTokenRoundTrip(t *testing.T) {
	t.Parallel()
	s, _ := create(t)
	sealed, err := s.SealRefresh("emea", canary)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.OpenRefresh("emea", sealed)
	if err != nil || got != canary {
		t.Fatalf("opened %q, %v", got, err)
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	_, path := create(t)

	t.Run("is for its owner only", func(t *testing.T) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Fatalf("mode %04o", info.Mode().Perm())
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(entries) != 1 {
			t.Fatalf("directory holds %v, %v", entries, err)
		}
	})
	t.Run("is never replaced", func(t *testing.T) {
		if _, err := seal.Create(path); !errors.Is(err, fs.ErrExist) {
			t.Fatalf("got %v, want fs.ErrExist", err)
		}
	})
	t.Run("that others may read is told, as a mounted secret is read so", func(t *testing.T) {
		for mode, open := range map[fs.FileMode]bool{0o600: false, 0o444: true, 0o640: true} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			s, err := seal.Load(path)
			if err != nil || s.OpenToOthers() != open {
				t.Fatalf("mode %04o: %v", mode, err)
			}
		}
	})
	t.Run("that others may write is refused", func(t *testing.T) {
		if err := os.Chmod(path, 0o620); err != nil {
			t.Fatal(err)
		}
		_, err := seal.Load(path)
		if err == nil || !strings.Contains(err.Error(), "0620") {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("that is missing is named", func(t *testing.T) {
		_, err := seal.Load(path + ".none")
		if !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("that is no keyset is refused without quoting it", func(t *testing.T) {
		bad := filepath.Join(t.TempDir(), "bad.json")
		if err := os.WriteFile(bad, []byte(`{"primaryKeyId":"`+canary+`"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := seal.Load(bad)
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestMarkTellsChangesAndNothingElse(t *testing.T) {
	t.Parallel()
	s, path := create(t)
	other, _ := create(t)
	again, err := seal.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if s.Mark("a", "b") != again.Mark("a", "b") {
		t.Fatal("the mark did not survive a restart")
	}
	for name, mark := range map[string]string{
		"another value":   s.Mark("a", "c"),
		"another cut":     s.Mark("ab", ""),
		"another key":     other.Mark("a", "b"),
		"fewer and empty": s.Mark("a"),
	} {
		if mark == s.Mark("a", "b") {
			t.Errorf("%s has the same mark", name)
		}
	}
}
