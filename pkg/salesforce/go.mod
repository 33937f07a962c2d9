module github.com/rollcall-sync/rollcall/pkg/salesforce

go 1.26.0
