package secrets

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxBytes bounds a secret: more is a wrong file.
const maxBytes = 64 << 10

// ErrUnreadable marks a secret that cannot be had.
var ErrUnreadable = errors.New("secret")

// Source is where a secret is: in a file or in the environment. The zero value
// is a secret that is not configured.
type Source struct {
	// Name is its key in the configuration, without File or Env.
	Name string
	// File is read at every use, so that the secret can be rotated without a
	// restart. Env is the name of a variable, which stays as it was when the
	// process was started.
	File, Env string
}

// Key is the key of the configuration that is set, or both where neither is.
func (s Source) Key() string {
	switch {
	case s.File != "":
		return s.Name + "File"
	case s.Env != "":
		return s.Name + "Env"
	}
	return s.Name + "File or " + s.Name + "Env"
}

// String says where the secret is, for a person who has to look there.
func (s Source) String() string { return s.Key() + ": " + s.File + s.Env }

// Configured says whether the configuration names the secret at all.
func (s Source) Configured() bool { return s.File != "" || s.Env != "" }

// Read returns the secret, without white space around it; empty where it is
// not configured, and [ErrUnreadable] where it cannot be had.
func (s Source) Read() (string, error) {
	switch {
	case s.File != "":
		return s.fromFile()
	case s.Env != "":
		return s.fromEnv()
	}
	return "", nil
}

func (s Source) fromEnv() (string, error) {
	value, set := os.LookupEnv(s.Env)
	if !set {
		return "", fmt.Errorf("%w: %s: the environment has no %s", ErrUnreadable, s.Key(), s.Env)
	}
	return s.trimmed(value, "the variable "+s.Env)
}

func (s Source) fromFile() (string, error) {
	f, err := os.Open(s.File)
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrUnreadable, s.Key(), err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrUnreadable, s.Key(), err)
	}
	if len(data) > maxBytes {
		return "", fmt.Errorf("%w: %s: %s is larger than %d bytes", ErrUnreadable, s.Key(), s.File, maxBytes)
	}
	return s.trimmed(string(data), s.File)
}

func (s Source) trimmed(text, where string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", fmt.Errorf("%w: %s: %s is empty", ErrUnreadable, s.Key(), where)
	}
	return text, nil
}
