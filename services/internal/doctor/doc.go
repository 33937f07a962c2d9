// Package doctor looks at an installation and says what is well, what is not,
// what that means and what to do: NATS, the configuration, and every org.
//
// It only looks. It asks nobody for a token (it uses the one token-refresher
// keeps), writes nothing anywhere, and shows no secret. Where it cannot see
// something it says so, and where else to look.
package doctor

//go:generate go run ./doctordoc -o ../../../docs/doctor.md
