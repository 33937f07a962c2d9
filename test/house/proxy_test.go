package house

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// newProxy writes a module proxy of files (go help goproxy) with the modules of
// the working tree at one version, as they would be if it were tagged, and
// returns its folder.
func newProxy(t *testing.T, modules []string, version string) string {
	t.Helper()
	proxy := t.TempDir()
	for _, dir := range modules {
		path, err := module.EscapePath(house + dir)
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(proxy, filepath.FromSlash(path), "@v")
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string][]byte{
			"list":            []byte(version + "\n"),
			version + ".info": fmt.Appendf(nil, `{"Version":%q,"Time":"2026-01-01T00:00:00Z"}`, version),
			version + ".mod":  read(t, dir+"/go.mod"),
			version + ".zip":  pack(t, dir, version),
		} {
			if err := os.WriteFile(filepath.Join(at, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return proxy
}

// pack is a module's archive: what git would have of its folder, and the
// licence, which the go command takes from the root where a module has none.
func pack(t *testing.T, dir, version string) []byte {
	t.Helper()
	files := []zip.File{file{module: dir, path: "LICENSE", at: inTree("LICENSE")}}
	for _, path := range listed(t, dir) {
		files = append(files, file{module: dir, path: path, at: inTree(dir + "/" + path)})
	}
	var archive bytes.Buffer
	if err := zip.Create(&archive, module.Version{Path: house + dir, Version: version}, files); err != nil {
		t.Fatalf("%s cannot be a module that people download: %v", dir, err)
	}
	return archive.Bytes()
}

// file is a [zip.File] of the working tree.
type file struct{ module, path, at string }

func (f file) Path() string                 { return f.path }
func (f file) Lstat() (os.FileInfo, error)  { return os.Lstat(f.at) }
func (f file) Open() (io.ReadCloser, error) { return os.Open(f.at) }
