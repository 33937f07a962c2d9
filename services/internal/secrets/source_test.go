package secrets_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/internal/secrets"
)

const canary = "canary-of-a-secret-77d1"

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestASecretIsReadFromWhereTheConfigurationSays(t *testing.T) {
	t.Setenv("ROLLCALL_TEST_SECRET", "\t"+canary+"\n")
	for name, s := range map[string]secrets.Source{
		"file":        {Name: "clientSecret", File: file(t, canary+"\n")},
		"environment": {Name: "clientSecret", Env: "ROLLCALL_TEST_SECRET"},
	} {
		got, err := s.Read()
		if err != nil || got != canary || !s.Configured() {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := (secrets.Source{Name: "clientSecret"}).Read(); got != "" || err != nil {
		t.Errorf("not configured: %q, %v", got, err)
	}
}

func TestAFileIsReadAgainAtEveryUse(t *testing.T) {
	t.Parallel()
	s := secrets.Source{Name: "clientSecret", File: file(t, "before")}
	if _, err := s.Read(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.File, []byte("after"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Read(); got != "after" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAnUnreadableSecretNamesItsKeyAndNeverItsValue(t *testing.T) {
	t.Setenv("ROLLCALL_TEST_EMPTY", " ")
	for want, s := range map[string]secrets.Source{
		"clientSecretFile": {Name: "clientSecret", File: filepath.Join(t.TempDir(), "none")},
		"is empty":         {Name: "clientSecret", File: file(t, "\n")},
		"is larger than":   {Name: "clientSecret", File: file(t, strings.Repeat(canary, 4000))},
		"the environment has no ROLLCALL_TEST_NOT":  {Name: "privateKey", Env: "ROLLCALL_TEST_NOT"},
		"the variable ROLLCALL_TEST_EMPTY is empty": {Name: "privateKey", Env: "ROLLCALL_TEST_EMPTY"},
	} {
		_, err := s.Read()
		if !errors.Is(err, secrets.ErrUnreadable) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
