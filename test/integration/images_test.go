//go:build containers

package integration

import (
	"archive/tar"
	"bytes"
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// nobody is who every container runs as: no user of the host.
const nobody = 65532

// image is what is asked of one of the images.
type image struct {
	reference string
	programs  []string // all that may be in it, the first of them is run
	data      bool     // it has /data, for a volume
	ours      bool     // it calls out, so it needs roots and time zones
}

func images() []image {
	tag := ":" + cmp.Or(os.Getenv("ROLLCALL_TAG"), "dev")
	all := []image{
		{"rollcall/rollcall" + tag, []string{"rollcall"}, true, true},
		{"rollcall/emulator" + tag, []string{"rollcall"}, true, true},
	}
	for _, name := range services() {
		all = append(all, image{"rollcall/" + name + tag, []string{name}, false, true})
	}
	// Public images may stand in for these; what is in them is not ours to say.
	for _, of := range []image{
		{"nats-server", []string{"nats-server", "healthcheck"}, true, false},
		{"jaeger", []string{"jaeger", "healthcheck"}, false, false},
	} {
		ours := "rollcall/" + of.reference + tag
		variable := strings.ToUpper(strings.TrimSuffix(of.reference, "-server")) + "_IMAGE"
		if cmp.Or(os.Getenv(variable), ours) == ours {
			of.reference = ours
			all = append(all, of)
		}
	}
	return all
}

func TestImagesHoldTheirProgramAndNothingElse(t *testing.T) {
	oneNode(t)
	for _, i := range images() {
		t.Run(i.reference, func(t *testing.T) {
			files := i.export(t)
			want := slices.Clone(i.programs)
			if i.data {
				want = append(want, "data/")
			}
			var got []string
			for name, f := range files {
				got = append(got, name)
				if name == "data/" && (f.uid != nobody || f.gid != nobody) {
					t.Errorf("/data belongs to %d:%d, and nobody could write there", f.uid, f.gid)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("in the image are %q, want %q", got, want)
			}
			for _, name := range i.programs {
				i.wantSelfContained(t, name, files[name].content)
			}
		})
	}
}

// wantSelfContained says whether a program needs nothing of a system.
func (i image) wantSelfContained(t *testing.T, name string, content []byte) {
	t.Helper()
	program, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Errorf("%s is linked dynamically", name)
	}
	if !i.ours {
		return
	}
	info, err := buildinfo.Read(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if !strings.Contains(info.String(), "golang.org/x/crypto/x509roots/fallback") {
		t.Errorf("%s has no certificate roots", name)
	}
	if !bytes.Contains(content, []byte("Pacific/Kiritimati")) {
		t.Errorf("%s has no time zones", name)
	}
}

func TestImagesRunAsNobodyAndSayHowTheyAre(t *testing.T) {
	oneNode(t)
	for _, i := range images() {
		t.Run(i.reference, func(t *testing.T) {
			var said []struct {
				Config struct {
					User        string
					Entrypoint  []string
					Healthcheck struct{ Test []string }
					Labels      map[string]string
				}
			}
			if err := json.Unmarshal(docker(t, "image", "inspect", i.reference), &said); err != nil {
				t.Fatal(err)
			}
			c := said[0].Config
			if c.User != "65532:65532" {
				t.Errorf("runs as %q", c.User)
			}
			if len(c.Entrypoint) == 0 || c.Entrypoint[0] != "/"+i.programs[0] {
				t.Errorf("runs %q", c.Entrypoint)
			}
			asks := "/" + i.programs[len(i.programs)-1]
			if h := c.Healthcheck.Test; len(h) < 2 || h[0] != "CMD" || h[1] != asks {
				t.Errorf("its health check is %q, want one by %s, without a shell", h, asks)
			}
			for _, label := range []string{"title", "version", "revision", "source", "licenses"} {
				if c.Labels["org.opencontainers.image."+label] == "" {
					t.Errorf("no label %s", label)
				}
			}
		})
	}
}

func TestImagesOfServicesSayWhyTheyAreNotWell(t *testing.T) {
	oneNode(t)
	for _, name := range services() {
		ref := "rollcall/" + name + ":" + cmp.Or(os.Getenv("ROLLCALL_TAG"), "dev")
		out, err := exec.Command("docker", "run", "--rm", "--read-only", "--cap-drop", "ALL", "--network", "none", ref, "-health").CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "/etc/rollcall/rollcall.yaml does not exist") {
			t.Errorf("%s without a configuration: %v\n%s", name, err, out)
		}
	}
}

// exported is a file of an image.
type exported struct {
	uid, gid int
	content  []byte
}

// export reads all files of an image, without those that every container is
// given by the engine.
func (i image) export(t *testing.T) map[string]exported {
	t.Helper()
	id := strings.TrimSpace(string(docker(t, "create", "--network", "none", i.reference)))
	t.Cleanup(func() { docker(t, "rm", id) })
	files := map[string]exported{}
	archive := tar.NewReader(bytes.NewReader(docker(t, "export", id)))
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		top, _, _ := strings.Cut(h.Name, "/")
		if slices.Contains([]string{".dockerenv", "dev", "proc", "sys"}, top) || givenEtc(h.Name) {
			continue
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = exported{h.Uid, h.Gid, content}
	}
}

func givenEtc(name string) bool {
	return slices.Contains([]string{"etc/", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"}, name)
}

func docker(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := exec.Command("docker", args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.Join(err, errors.New(string(exit.Stderr)))
		}
		t.Fatalf("docker %s: %v", strings.Join(args, " "), err)
	}
	return out
}
