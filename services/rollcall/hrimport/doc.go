// Package hrimport reads an HR system's export: rows of CSV by a column
// mapping, or CloudEvents one a line, and yields the event of every row it can
// use and the reasons for every row it cannot.
//
// # CSV
//
// A mapping (see [Load]) says which columns become which attributes of SCIM's
// User. The file is read twice: first to see which rows speak of one person,
// then for its events; memory grows with the number of people, not with the
// size of their rows.
//
//   - A row with a fault (wrong number of columns, bytes that are not UTF-8, an
//     empty required value, a value without a translation) yields its line,
//     column and reason, and no event.
//   - Two people under one correlation id are a fault of every row of that id:
//     nobody can say which of them it belongs to. Who is the same person is
//     decided by the mapping's identity columns.
//   - Rows of one person that differ otherwise are decided by the sourceVersion
//     column where the mapping names one, and are faults where not.
//   - A row that repeats another one word for word is noted, and yields nothing.
//
// An event's id is a hash of the event, so the same row of the same file is the
// same event however often it is published.
package hrimport
