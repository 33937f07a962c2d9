package app

import (
	"os"
	"runtime/debug"
)

// versionEnv is how an image says its version: what is not in the binary does
// not change it, so that a program nobody touched is the same layer in the next
// image.
const versionEnv = "ROLLCALL_VERSION"

// Version is the version this program was built from: a tag, or the commit.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	if v := os.Getenv(versionEnv); v != "" {
		return v
	}
	return "devel"
}
