package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// delim separates the parts of a key inside koanf. Keys of this file hold dots
// ("enterprise.department"), so it is a character no key can hold.
const delim = "\x1f"

// Load reads and validates the configuration file at path. Every fault is in
// the error, one a line, each with its key path and where possible its line.
func Load(path string) (File, error) {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return File{}, fmt.Errorf("configuration file %s does not exist", path)
	case err != nil:
		return File{}, fmt.Errorf("configuration file: %w", err)
	}
	f, err := Parse(data, filepath.Dir(path))
	if err != nil {
		return File{}, fmt.Errorf("configuration file %s:\n%w", path, err)
	}
	return f, nil
}

// Parse reads and validates the text of a configuration file. Relative paths
// in it are relative to folder.
//
// Faults in the file's shape (a key nobody knows, a wrong type) do not hide
// faults in its values: all are in the error, the shape's first.
func Parse(data []byte, folder string) (File, error) {
	shape := check(data)
	k := koanf.New(delim)
	said, err := yaml.Parser().Unmarshal(data)
	if err == nil {
		err = k.Load(confmap.Provider(withoutNulls(said), ""), nil)
	}
	if err != nil {
		return File{}, cmp.Or(shape, fmt.Errorf("read YAML: %w", err))
	}
	f, err := decode(k.MapKeys("orgs"), k, os.LookupEnv)
	if err != nil && shape == nil {
		return File{}, err
	}
	f.resolve(folder)
	return f, errors.Join(shape, f.Validate())
}

// Default is the configuration of a file that says nothing. It has no orgs.
func Default() File {
	f, err := decode(nil, koanf.New(delim), func(string) (string, bool) { return "", false })
	if err != nil {
		panic("the defaults do not fit the struct: " + err.Error()) // a test would have seen it
	}
	return f
}

// DefaultOrg is the configuration of an org of which the file says nothing.
func DefaultOrg() Org {
	f, err := decode([]string{"org"}, koanf.New(delim), func(string) (string, bool) { return "", false })
	if err != nil {
		panic("the defaults do not fit the struct: " + err.Error()) // a test would have seen it
	}
	return f.Orgs["org"]
}

// decode lays the file over the defaults and the environment over both.
func decode(orgs []string, file *koanf.Koanf, lookup func(string) (string, bool)) (File, error) {
	all := koanf.New(delim)
	layers := []map[string]any{defaults(orgs), file.All(), overrides(lookup)}
	for _, layer := range layers {
		if err := all.Load(confmap.Provider(layer, delim), nil); err != nil {
			return File{}, fmt.Errorf("lay configuration together: %w", err)
		}
	}
	var f File
	err := all.UnmarshalWithConf("", &f, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result:      &f,
		TagName:     "koanf",
		ErrorUnused: true,
		DecodeHook:  mapstructure.StringToTimeDurationHookFunc(),
	}})
	if err != nil {
		// What did fit is handed on: its values may have faults of their own.
		return f, fmt.Errorf("read configuration: %w", err)
	}
	return f, nil
}

// withoutNulls drops keys without a value, so that they get their default like
// keys that are not there.
func withoutNulls(m map[string]any) map[string]any {
	for key, v := range m {
		switch v := v.(type) {
		case nil:
			delete(m, key)
		case map[string]any:
			withoutNulls(v)
		}
	}
	return m
}

// overrides are the keys an environment may set: where things are, nothing
// about people.
func overrides(lookup func(string) (string, bool)) map[string]any {
	out := map[string]any{}
	for name, key := range map[string]string{
		"ROLLCALL_NATS_URL":     "nats" + delim + "url",
		"ROLLCALL_SERVE_LISTEN": "serve" + delim + "listen",
	} {
		if v, ok := lookup(name); ok {
			out[key] = v
		}
	}
	if v, ok := lookup("ROLLCALL_NATS_REPLICAS"); ok {
		key := "nats" + delim + "replicas"
		out[key] = v
		if n, err := strconv.Atoi(v); err == nil {
			out[key] = n // what is no number is refused with its key
		}
	}
	return out
}

// resolve makes relative file references relative to the file's own folder, so
// that it does not matter where a program is started.
func (f *File) resolve(folder string) {
	for _, p := range f.paths() {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(folder, *p)
		}
	}
	for name, org := range f.Orgs {
		for _, p := range []*string{&org.Connect.ClientSecretFile, &org.Connect.RefreshTokenFile, &org.Connect.PrivateKeyFile, &org.Connect.CAFile} {
			if *p != "" && !filepath.IsAbs(*p) {
				*p = filepath.Join(folder, *p)
			}
		}
		f.Orgs[name] = org
	}
}

func (f *File) paths() []*string {
	return []*string{
		&f.Deployment.KeyFile, &f.Tokens.KeyFile,
		&f.NATS.NkeySeedFile, &f.NATS.CAFile, &f.NATS.CertFile, &f.NATS.KeyFile,
	}
}
