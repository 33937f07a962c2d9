module github.com/rollcall-sync/rollcall/test/mutants

go 1.26.0
