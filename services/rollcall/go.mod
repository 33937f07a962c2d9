module github.com/rollcall-sync/rollcall/services/rollcall

go 1.26.0

replace (
	github.com/rollcall-sync/rollcall/pkg/events => ../../pkg/events
	github.com/rollcall-sync/rollcall/pkg/salesforce => ../../pkg/salesforce
	github.com/rollcall-sync/rollcall/services => ..
)

require (
	github.com/rollcall-sync/rollcall/pkg/events v0.0.0
	github.com/rollcall-sync/rollcall/pkg/salesforce v0.0.0
	github.com/rollcall-sync/rollcall/services v0.0.0
)
