// Package config is Rollcall's one configuration file: a documented struct, read
// strictly. Every service reads the same file and uses its own part of it.
//
// Unknown keys and bad values stop the start, all listed at once. Secrets are
// never values of this file: it names the files that hold them, relative to the
// folder the configuration file is in, or variables of the environment.
package config

//go:generate go run ./gendoc -in config.go -out ../../../docs/configuration.md
