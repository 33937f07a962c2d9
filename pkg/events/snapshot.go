package events

import "time"

// Snapshot is an export that is published as the whole of its source: whoever
// the source has and the export lacks, has left. It stands in the audit log
// before any of it is published, and the newest one is what the next export is
// compared with.
type Snapshot struct {
	// Source is the name of the source in the configuration.
	Source string `json:"source"`
	// ExportedAt is when the export was made: of whom something came later, it
	// says nothing.
	ExportedAt time.Time `json:"exportedAt,omitzero"`
	// Digest is a hash of the file. EndsInNewline says whether its last line
	// ended: where the next one's does not, it was cut off.
	Digest        string `json:"digest"`
	EndsInNewline bool   `json:"endsInNewline,omitzero"`
	// Rows and People are what the file has, Known how many people the source had
	// by then. Absent of them are not in the file and to be removed, of whom
	// Leaving were active.
	Rows    int `json:"rows"`
	People  int `json:"people"`
	Known   int `json:"known"`
	Absent  int `json:"absent"`
	Leaving int `json:"leaving"`
	// Accepted are the faults that the admin let pass.
	Accepted []string `json:"accepted,omitempty"`
}
