// Package faults plans misbehaviour: which call or record it strikes, how often,
// and what the answer is then. It knows a call as a Subject only.
package faults
