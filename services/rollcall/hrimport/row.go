package hrimport

import "github.com/rollcall-sync/rollcall/pkg/events"

// Row is what one row of an export yields: an event, or the reasons why not, or
// a note why there is nothing to publish.
type Row struct {
	// Line is where the row begins, from 1.
	Line int
	// Event is nil where the row cannot be used, or is not needed.
	Event *events.Event
	// Data is the event as it is to be published, under Subject.
	Data    []byte
	Subject string
	// Person is the correlation id of the event's person, in the one form of the
	// source; empty where there is none, or the source's configuration is not known.
	Person string
	// Named is the id under which the row itself names its person, usable or not.
	// Unfit says that it has none, or one that does not look like it.
	Named string
	Unfit bool
	// Broken says that the row's cells, or the line's JSON, cannot be told apart.
	Broken bool
	// Problems say why the row cannot be used. Reasons quote no values but those
	// a translation lacks.
	Problems []Problem
	// Note says why a row without a problem yields no event.
	Note string
}

// Problem is one reason why a row cannot be used.
type Problem struct {
	Line int
	// Column is the column's name, empty for the row as a whole.
	Column string
	Reason string
}

// Summary counts the rows of an export.
type Summary struct {
	// Rows is Events + Unusable + Repeated + Superseded.
	Rows int
	// Events is how many rows yielded an event.
	Events int
	// Unusable is how many rows had a problem.
	Unusable int
	// Repeated is how many rows repeated another one word for word.
	Repeated int
	// Superseded is how many rows had a newer version in the same file.
	Superseded int
}
