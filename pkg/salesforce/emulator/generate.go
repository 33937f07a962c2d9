package emulator

//go:generate go run ./internal/faultdoc -o ../../../docs/emulator-faults.md
