package events

// Templates are subjects with names in place of what differs: they name spans,
// whose names must be few. (messaging.destination.template in OpenTelemetry.)
const (
	TemplateDirectory = "rollcall.directory.{source}.{kind}"
	TemplatePerson    = "rollcall.person.{key}"
	TemplateWork      = "rollcall.work.{org}.{lane}.{key}"
	TemplateOutcome   = "rollcall.outcome.{org}.{key}"
	TemplateRejection = "rollcall.rejection.{seq}"
	TemplateDead      = "rollcall.dead.{org}.{cause}.{key}"
)
