// Package demo holds what `rollcall up --demo` shows: a configuration, an HR
// export, and how the export's columns are read.
package demo

import _ "embed" // for the files below

// ConfigFile is the demo's configuration file. It is written into the data
// folder, where it may be changed; the paths in it are relative to that folder.
//
//go:embed rollcall.yaml
var ConfigFile []byte

// Export is a sample HR export.
//
//go:embed workers.csv
var Export []byte

// Mapping says how the columns of such an export are read.
//
//go:embed workers.yaml
var Mapping []byte

// HRMapping reads exports in the layout of examples/hr-workers.yaml, of which it
// is a copy.
//
//go:generate cp ../../../examples/hr-workers.yaml hr-workers.yaml
//go:embed hr-workers.yaml
var HRMapping []byte

// Names that the configuration and the emulated org have in common.
const (
	// Source publishes the export.
	Source = "hr"
	// Org is the emulated org.
	Org = "demo"
	// ClientID is the consumer key of its connected app.
	ClientID = "rollcall-demo"
	// SecretFile holds the consumer secret, in the data folder.
	SecretFile = "emulator-client-secret" //nolint:gosec // a file name
)
