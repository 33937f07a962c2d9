package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// binVar names the folder of the binaries for as long as the tests run.
const binVar = "ROLLCALL_TEST_BIN"

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "rollcall-bin-")
	if err == nil {
		err = os.Setenv(binVar, dir)
	}
	if err != nil {
		panic(fmt.Sprintf("make a folder for the binaries: %v", err))
	}
	defer func() { _ = os.RemoveAll(dir) }()
	m.Run()
}

// binaries builds, once, every program that this machine runs.
var binaries = sync.OnceValues(func() (string, error) {
	dir := os.Getenv(binVar)
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	for name, pkg := range programs() {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return dir, nil
})
