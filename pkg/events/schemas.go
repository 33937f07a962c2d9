package events

import (
	"embed"
	"io/fs"
)

//go:embed schemas/*.json
var schemaFiles embed.FS

// Schemas returns the JSON Schemas (2020-12) of everything that may be
// published to DIRECTORY: "person.upserted.v1.json" and its like, the envelope
// "cloudevent.v1.json", and the data, "person.v1.json" and "group.v1.json".
// They say all that DecodeEvent asks but what JSON Schema has no words for: the
// size, the depth, and that no key stands twice.
func Schemas() fs.FS {
	sub, err := fs.Sub(schemaFiles, "schemas")
	if err != nil {
		// The directory is part of the program.
		panic(err)
	}
	return sub
}
