package demo_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/rollcall-sync/rollcall/services/assignment/assign"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/rollcall/demo"
	"github.com/rollcall-sync/rollcall/services/rollcall/hrimport"
)

func TestTheDemoFitsTogether(t *testing.T) {
	t.Parallel()
	f, err := config.Parse(demo.ConfigFile, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := assign.CheckMappings(f); err != nil {
		t.Error(err)
	}
	if f.Orgs[demo.Org].Connect.ClientID != demo.ClientID {
		t.Error("the configuration signs in as somebody the emulated org does not know")
	}
	for _, data := range [][]byte{demo.Mapping, demo.HRMapping} {
		m, err := hrimport.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := f.Sources[m.Source()]; !ok || m.Source() != demo.Source {
			t.Errorf("a mapping publishes as %q, which the configuration does not know", m.Source())
		}
	}
}

// Embedding reaches no file outside its module, so there are two copies.
func TestTheMappingInExamplesIsTheOneBuiltIn(t *testing.T) {
	t.Parallel()
	have, err := os.ReadFile("../../../examples/hr-workers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, demo.HRMapping) {
		t.Error("hr-workers.yaml here differs from examples/hr-workers.yaml: go generate ./services/rollcall/demo")
	}
}

func TestTheExampleConfigurationCompiles(t *testing.T) {
	t.Parallel()
	f, err := config.Load("../../../examples/rollcall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := assign.CheckMappings(f); err != nil {
		t.Error(err)
	}
}
