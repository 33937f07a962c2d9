package emulator

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/journal"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// APIError is one element of Salesforce's error array.
type APIError = wire.APIError

// FieldAccess is what field-level security leaves of a field to those who call
// the API.
type FieldAccess = store.FieldAccess

const (
	// FieldHidden fields are not there: INVALID_FIELD, and no describe shows
	// them. [R]
	FieldHidden = store.FieldHidden
	// FieldReadOnly fields are read, and writing them is
	// INVALID_FIELD_FOR_INSERT_UPDATE. [R amp-labs]
	FieldReadOnly = store.FieldReadOnly
	// FieldEditable is the default.
	FieldEditable = store.FieldEditable
)

// JournalEntry is one request as the emulator saw it.
type JournalEntry = journal.Entry

// JournalFilter picks journal entries; zero fields pick everything.
type JournalFilter = journal.Filter

// What an entry of the journal is of a call that is applied late.
const (
	LateWaiting = journal.Waiting // got no answer, is not applied yet
	LateApplied = journal.Applied // was applied, nobody was told
)

// Counters are never lost, however short the journal is.
type Counters = journal.Counters

// ConnectedApp is a connected app, or external client app, of an org.
type ConnectedApp = auth.ConnectedApp

// Names of flows.
const (
	FlowClientCredentials = auth.FlowClientCredentials
	FlowRefreshToken      = auth.FlowRefreshToken
	FlowAuthorizationCode = auth.FlowAuthorizationCode
	FlowJWT               = auth.FlowJWT
)
