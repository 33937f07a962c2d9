package emulator

import "github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"

// APIError is one element of Salesforce's error array.
type APIError = wire.APIError
