module github.com/rollcall-sync/rollcall/test/integration

go 1.26.0

replace (
	github.com/rollcall-sync/rollcall/pkg/events => ../../pkg/events
	github.com/rollcall-sync/rollcall/pkg/salesforce => ../../pkg/salesforce
	github.com/rollcall-sync/rollcall/services => ../../services
	github.com/rollcall-sync/rollcall/services/rollcall => ../../services/rollcall
)
