package events_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

const (
	personSubject = "rollcall.directory.hr.person"
	groupSubject  = "rollcall.directory.hr.group"
	custom        = "urn:rollcall:params:scim:schemas:extension:custom:1.0:User"
	// secret stands for a value that must not come back in an error.
	secret = "zq9secret"
)

// event is a whole event of which the parts given replace the usual ones.
func event(eventType, data string, more ...string) string {
	attributes := append([]string{
		`"specversion":"1.0"`, `"id":"evt-1"`, `"source":"https://hr.example.com"`, `"type":"` + eventType + `"`, `"data":` + data,
	}, more...)
	return "{" + strings.Join(attributes, ",") + "}"
}

func person(data string, more ...string) string {
	return event(events.TypePersonUpserted, data, more...)
}

type eventCase struct {
	name    string
	subject string
	body    string
	// where is what a refusal points at; a good event has reason "".
	where, reason string
	// beyondSchema marks a refusal JSON Schema has no words for.
	beyondSchema bool
}

func goodEvents() []eventCase {
	nested := strings.Repeat("a", 1000)
	return []eventCase{
		{name: "least", body: person(`{}`)},
		{name: "spaces around", body: " \n" + person(`{"userName":"a"}`) + "\n\t "},
		{name: "null attributes are absent ones", body: person(`{"userName":null,"name":null,"emails":null,"active":null,"`+custom+`":null}`,
			`"time":null`, `"subject":null`, `"sourceversion":null`, `"rollcalllane":null`, `"datacontenttype":null`, `"traceparent":null`)},
		{name: "null custom value", body: person(`{"` + custom + `":{"a":null}}`)},
		{name: "empty attributes", body: person(`{}`, `"subject":""`, `"sourceversion":""`, `"rollcalllane":""`, `"datacontenttype":""`)},
		{name: "foreign extensions", body: person(`{}`, `"comexampleshard":7`, `"flag":true`, `"note":"x"`, `"none":null`)},
		{name: "longest id", body: strings.Replace(person(`{}`), "evt-1", strings.Repeat("é", 1024), 1)},
		{name: "negative version", body: person(`{}`, `"sourceversion":"-5"`)},
		{name: "longest version", body: person(`{}`, `"sourceversion":"`+strings.Repeat("9", 64)+`"`)},
		{name: "version by time", body: person(`{}`, `"sourceversion":"2026-03-02T09:00:00.5+01:00"`)},
		{name: "time with offset", body: person(`{}`, `"time":"2026-03-02T09:00:00+05:30"`)},
		{name: "lane change", body: person(`{}`, `"rollcalllane":"change"`)},
		{name: "a batch", body: person(`{}`, `"batchid":"export-7"`, `"batchsize":1`)},
		{name: "largest batch", body: person(`{}`, `"batchid":"`+strings.Repeat("é", 128)+`"`, `"batchsize":2147483647`)},
		{name: "no batch", body: person(`{}`, `"batchid":null`, `"batchsize":null`)},
		{name: "an empty batch is none", body: person(`{}`, `"batchid":""`, `"batchsize":0`)},
		{name: "empty lists and objects", body: person(`{"emails":[],"name":{},"` + custom + `":{}}`)},
		{name: "long value", body: person(`{"title":"` + nested + `"}`)},
		{name: "group by id", subject: groupSubject, body: event(events.TypeGroupRemoved, `{"id":"7"}`)},
		{name: "group by id, external null", subject: groupSubject, body: event(events.TypeGroupUpserted, `{"externalId":null,"id":"7","members":[{}]}`)},
	}
}

func badEvents() []eventCase {
	all := append(badShapes(), badAttributes()...)
	return append(all, badData()...)
}

func badShapes() []eventCase {
	deep := strings.Repeat(`{"a":`, 16) + `1` + strings.Repeat(`}`, 16)
	return []eventCase{
		{name: "empty", body: "", reason: "is not valid JSON (byte 0)"},
		{name: "not JSON", body: secret, reason: "is not valid JSON (byte 0)"},
		{name: "cut off", body: person(`{"userName":"` + secret), where: "/data/userName", reason: "is not valid JSON"},
		{name: "an array", body: "[" + person(`{}`) + "]", reason: "must be an object, is an array"},
		{name: "a string", body: `"` + secret + `"`, reason: "must be an object, is a string"},
		{name: "null", body: "null", where: "/specversion", reason: `must be "1.0"`},
		{name: "two events", body: person(`{}`) + person(`{}`), reason: "is not valid JSON"},
		{name: "two events on two lines", body: person(`{}`) + "\n" + person(`{}`), reason: "is not valid JSON"},
		{name: "trailing text", body: person(`{}`) + " " + secret, reason: "is not valid JSON"},
		{name: "trailing comma", body: person(`{"userName":"a",}`), where: "/data", reason: "is not valid JSON"},
		{name: "not UTF-8", body: person(`{"userName":"` + "\xff" + secret + `"}`), reason: "is not UTF-8", beyondSchema: true},
		{name: "lone surrogate", body: person(`{"userName":"\ud800` + secret + `"}`), where: "/data/userName", reason: "is not valid JSON", beyondSchema: true},
		{name: "too large", body: person(`{"title":"` + strings.Repeat("x", events.MaxEventBytes) + `"}`), reason: "the limit is 1048576", beyondSchema: true},
		{name: "duplicate attribute", body: person(`{}`, `"id":"`+secret+`"`), where: "/id", reason: "stands twice", beyondSchema: true},
		{name: "duplicate key in data", body: person(`{"userName":"a","userName":"` + secret + `"}`), where: "/data/userName", reason: "stands twice", beyondSchema: true},
		{name: "duplicate key by escape", body: person(`{"title":"a","titl\u0065":"` + secret + `"}`), where: "/data/title", reason: "stands twice", beyondSchema: true},
		{name: "case-variant attribute", body: person(`{}`, `"ID":"`+secret+`"`), where: "/ID", reason: "stands twice, in different case"},
		{name: "case-variant key in data", body: person(`{"userName":"a","username":"` + secret + `"}`), where: "/data/username", reason: "stands twice, in different case"},
		{name: "case-variant key below", body: person(`{"name":{"givenName":"a","GivenName":"b"}}`), where: "/data/name/GivenName", reason: "stands twice, in different case"},
		{name: "case-variant custom key", body: person(`{"` + custom + `":{"Badge":"a","badge":"` + secret + `"}}`), where: "/data/" + custom + "/badge", reason: "stands twice, in different case", beyondSchema: true},
		{name: "case-variant by long s", body: person(`{"` + custom + `":{"status":"a","ſtatus":"b"}}`), where: "/data/" + custom + "/ſtatus", reason: "stands twice, in different case", beyondSchema: true},
		{name: "case-variant after a nested object", body: person(`{"title":"a","name":{"title":"b"},"TITLE":"c"}`), where: "/data/TITLE", reason: "stands twice, in different case"},
		{name: "too deep", body: person(`{"name":` + deep + `}`), reason: "is nested deeper than 16"},
		{name: "too deep in arrays", body: strings.Repeat("[", 100_000), reason: "is nested deeper than 16", beyondSchema: true},
	}
}

func badAttributes() []eventCase {
	p := events.TypePersonUpserted
	return []eventCase{
		{name: "no specversion", body: `{"id":"1","source":"s","type":"` + p + `","data":{}}`, where: "/specversion", reason: `must be "1.0"`},
		{name: "other specversion", body: strings.Replace(person(`{}`), "1.0", "0.3", 1), where: "/specversion", reason: `must be "1.0"`},
		{name: "no id", body: `{"specversion":"1.0","source":"s","type":"` + p + `","data":{}}`, where: "/id", reason: "is missing"},
		{name: "null id", body: strings.Replace(person(`{}`), `"evt-1"`, `null`, 1), where: "/id", reason: "is missing"},
		{name: "id a number", body: strings.Replace(person(`{}`), `"evt-1"`, `77123`, 1), where: "/id", reason: "must be a string, is a number"},
		{name: "id an object", body: strings.Replace(person(`{}`), `"evt-1"`, `{"a":1}`, 1), where: "/id", reason: "must be a string, is an object"},
		{name: "id too long", body: strings.Replace(person(`{}`), "evt-1", strings.Repeat("x", 1025), 1), where: "/id", reason: "is longer than 1024 characters"},
		{name: "id with a line break", body: strings.Replace(person(`{}`), "evt-1", `a\n`+secret, 1), where: "/id", reason: "holds a control character"},
		{name: "no source", body: `{"specversion":"1.0","id":"1","type":"` + p + `","data":{}}`, where: "/source", reason: "is missing"},
		{name: "no type", body: `{"specversion":"1.0","id":"1","source":"s","data":{}}`, where: "/type", reason: "is not a type Rollcall reads"},
		{name: "type nobody knows", body: event(secret, `{}`), where: "/type", reason: "is not a type Rollcall reads"},
		{name: "type of tomorrow", body: event("io.github.rollcall-sync.person.upserted.v2", `{}`), where: "/type", reason: "is not a type Rollcall reads"},
		{name: "group under a person's subject", body: event(events.TypeGroupRemoved, `{"id":"7"}`), where: "/type", reason: "is about a group but was published under a subject for a person", beyondSchema: true},
		{name: "person under a group's subject", subject: groupSubject, body: person(`{}`), where: "/type", reason: "is about a person but was published under a subject for a group", beyondSchema: true},
		{name: "content type", body: person(`{}`, `"datacontenttype":"text/`+secret+`"`), where: "/datacontenttype", reason: "must be application/json"},
		{name: "lane nobody may ask for", body: person(`{}`, `"rollcalllane":"leaver"`), where: "/rollcalllane", reason: `must be "change" or "backfill"`},
		{name: "version a word", body: person(`{}`, `"sourceversion":"`+secret+`"`), where: "/sourceversion", reason: "must be a whole number or an RFC 3339 time"},
		{name: "version with a plus", body: person(`{}`, `"sourceversion":"+5"`), where: "/sourceversion", reason: "must be a whole number"},
		{name: "version with a fraction", body: person(`{}`, `"sourceversion":"1.5"`), where: "/sourceversion", reason: "must be a whole number"},
		{name: "version with underscore", body: person(`{}`, `"sourceversion":"1_000"`), where: "/sourceversion", reason: "must be a whole number"},
		{name: "version too long", body: person(`{}`, `"sourceversion":"`+strings.Repeat("9", 65)+`"`), where: "/sourceversion", reason: "must be a whole number"},
		{name: "version a JSON number", body: person(`{}`, `"sourceversion":5`), where: "/sourceversion", reason: "must be a string, is a number"},
		{name: "version a date", body: person(`{}`, `"sourceversion":"2026-03-02"`), where: "/sourceversion", reason: "RFC 3339"},
		{name: "version with a comma", body: person(`{}`, `"sourceversion":"2026-03-02T09:00:00,5Z"`), where: "/sourceversion", reason: "RFC 3339"},
		{name: "version at a leap second", body: person(`{}`, `"sourceversion":"2016-12-31T23:59:60Z"`), where: "/sourceversion", reason: "RFC 3339", beyondSchema: true},
		{name: "version in small letters", body: person(`{}`, `"sourceversion":"2026-03-02t09:00:00z"`), where: "/sourceversion", reason: "RFC 3339", beyondSchema: true},
		{name: "version beyond the day", body: person(`{}`, `"sourceversion":"2026-03-02T24:00:00Z"`), where: "/sourceversion", reason: "RFC 3339"},
		{name: "time of another form", body: person(`{}`, `"time":"`+secret+`"`), where: "/time", reason: "must be an RFC 3339 time, is a string"},
		{name: "time a number", body: person(`{}`, `"time":1772442000`), where: "/time", reason: "must be an RFC 3339 time, is a number"},
		{name: "misspelt attribute", body: person(`{}`, `"Sourceversion":"5"`), where: "/Sourceversion", reason: "is not an attribute of CloudEvents 1.0"},
		{name: "misspelt required attribute", body: strings.Replace(person(`{}`), `"id"`, `"Id"`, 1), where: "/Id", reason: "is not an attribute of CloudEvents 1.0"},
		{name: "attribute with a slash", body: person(`{}`, `"a/b~":"5"`), where: "/a~1b~0", reason: "is not an attribute of CloudEvents 1.0"},
		{name: "binary data", body: person(`{}`, `"data_base64":"e30="`), where: "/data_base64", reason: "is not an attribute of CloudEvents 1.0"},
		{name: "former inner name", body: person(`{}`, `"Extensions":{}`), where: "/Extensions", reason: "is not an attribute of CloudEvents 1.0"},
		{name: "extension with structure", body: person(`{}`, `"tags":["`+secret+`"]`), where: "/tags", reason: "must be a string, a number or a bool"},
		{name: "endless name", body: person(`{}`, `"`+strings.Repeat("X", 5000)+`":"5"`), where: "/" + strings.Repeat("X", 255) + "...", reason: "is not an attribute of CloudEvents 1.0"},
		{name: "batch without a size", body: person(`{}`, `"batchid":"`+secret+`"`), where: "/batchsize", reason: "is missing: an event with a batchid says how many"},
		{name: "batch of nothing", body: person(`{}`, `"batchid":"b"`, `"batchsize":0`), where: "/batchsize", reason: "is missing"},
		{name: "batch without an id", body: person(`{}`, `"batchsize":5`), where: "/batchid", reason: "is missing: an event with a batchsize says which"},
		{name: "batch of less than nothing", body: person(`{}`, `"batchid":"b"`, `"batchsize":-1`), where: "/batchsize", reason: "must be a whole number from 1"},
		{name: "batch beyond 32 bits", body: person(`{}`, `"batchid":"b"`, `"batchsize":2147483648`), where: "/batchsize", reason: "must be a whole number from 1"},
		{name: "batch of a size in quotes", body: person(`{}`, `"batchid":"b"`, `"batchsize":"5"`), where: "/batchsize", reason: "must be a whole number in range, is a string"},
		{name: "batch of half an event", body: person(`{}`, `"batchid":"b"`, `"batchsize":0.5`), where: "/batchsize", reason: "must be a whole number"},
		{name: "batch size with a point", body: person(`{}`, `"batchid":"b"`, `"batchsize":5.0`), where: "/batchsize", reason: "must be a whole number", beyondSchema: true},
		{name: "batch id a number", body: person(`{}`, `"batchid":5`, `"batchsize":5`), where: "/batchid", reason: "must be a string, is a number"},
		{name: "batch id too long", body: person(`{}`, `"batchid":"`+strings.Repeat("x", 129)+`"`, `"batchsize":5`), where: "/batchid", reason: "is longer than 128 characters"},
		{name: "batch id with a line break", body: person(`{}`, `"batchid":"a\n`+secret+`"`, `"batchsize":5`), where: "/batchid", reason: "holds a control character"},
		{name: "trace context without end", body: person(`{}`, `"tracestate":"`+strings.Repeat("x", 2000)+`"`), where: "/tracestate", reason: "is longer than 1024 characters"},
	}
}

func badData() []eventCase {
	return []eventCase{
		{name: "no data", body: `{"specversion":"1.0","id":"1","source":"s","type":"` + events.TypePersonUpserted + `"}`, where: "/data", reason: "is missing"},
		{name: "null data", body: person(`null`), where: "/data", reason: "must be an object"},
		{name: "data a string", body: person(`"` + secret + `"`), where: "/data", reason: "must be an object"},
		{name: "data an array", body: person(`[{}]`), where: "/data", reason: "must be an object"},
		{name: "unknown attribute", body: person(`{"salary":"` + secret + `"}`), where: "/data/salary", reason: "is not an attribute Rollcall knows"},
		{name: "attribute in another case", body: person(`{"username":"` + secret + `"}`), where: "/data/username", reason: "is not an attribute Rollcall knows"},
		{name: "unknown attribute below", body: person(`{"name":{"nick":"` + secret + `"}}`), where: "/data/name/nick", reason: "is not an attribute Rollcall knows"},
		{name: "a group's attribute", body: person(`{"members":[]}`), where: "/data/members", reason: "is not an attribute Rollcall knows"},
		{name: "string for bool", body: person(`{"active":"` + secret + `"}`), where: "/data/active", reason: "must be a bool, is a string"},
		{name: "number for string", body: person(`{"title":48151623}`), where: "/data/title", reason: "must be a string, is a number"},
		{name: "bool for string", body: person(`{"title":true}`), where: "/data/title", reason: "must be a string, is a bool"},
		{name: "string for list", body: person(`{"emails":"` + secret + `"}`), where: "/data/emails", reason: "must be an array, is a string"},
		{name: "string for object", body: person(`{"name":"` + secret + `"}`), where: "/data/name", reason: "must be an object, is a string"},
		{name: "strings in a list", body: person(`{"emails":[{},"` + secret + `"]}`), where: "/data/emails/1", reason: "must be an object, is a string"},
		{name: "null in a list", body: person(`{"emails":[null]}`), where: "/data/emails/0", reason: "must not be null"},
		{name: "custom a number", body: person(`{"` + custom + `":{"badge":48151623}}`), where: "/data/" + custom + "/badge", reason: "must be a string, is a number"},
		{name: "group without identity", subject: groupSubject, body: event(events.TypeGroupUpserted, `{"displayName":"`+secret+`"}`), where: "/data/externalId", reason: "a group needs externalId or id"},
		{name: "group with empty identity", subject: groupSubject, body: event(events.TypeGroupRemoved, `{"externalId":"","id":null}`), where: "/data/externalId", reason: "a group needs externalId or id"},
		{name: "members a string", subject: groupSubject, body: event(events.TypeGroupUpserted, `{"id":"7","members":"`+secret+`"}`), where: "/data/members", reason: "must be an array, is a string"},
	}
}

func TestDecodeEventAccepts(t *testing.T) {
	t.Parallel()
	for _, c := range goodEvents() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := events.DecodeEvent(c.subjectOr(), []byte(c.body)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDecodeEventRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range badEvents() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := events.DecodeEvent(c.subjectOr(), []byte(c.body))
			var fault *events.EventError
			if !errors.As(err, &fault) {
				t.Fatalf("got %v, want an EventError", err)
			}
			if fault.Where != c.where {
				t.Errorf("points at %q, want %q", fault.Where, c.where)
			}
			if !strings.Contains(fault.Reason, c.reason) {
				t.Errorf("says %q, want %q", fault.Reason, c.reason)
			}
			for _, value := range []string{secret, "48151623", "77123", "evt-1"} {
				if strings.Contains(err.Error(), value) {
					t.Errorf("quotes a value: %v", err)
				}
			}
		})
	}
}

func (c eventCase) subjectOr() string {
	if c.subject == "" {
		return personSubject
	}
	return c.subject
}

func TestDecodeEventRefusesSubjects(t *testing.T) {
	t.Parallel()
	for _, subject := range []string{
		"", "rollcall", "rollcall.directory.hr", "rollcall.directory.hr.person.more", "other.directory.hr.person",
		"rollcall.person.hr.person", "rollcall.directory..person", "rollcall.directory.hr.", "rollcall.directory.hr.persons",
	} {
		_, err := events.DecodeEvent(subject, []byte(person(`{}`)))
		var fault *events.EventError
		if !errors.As(err, &fault) || fault.Where != "" {
			t.Errorf("subject %q: got %v, want an EventError of the whole", subject, err)
		}
	}
}

func TestDecodeEventHoldsTheLimits(t *testing.T) {
	t.Parallel()
	body := person(`{"title":""}`)
	full := strings.Replace(body, `""`, `"`+strings.Repeat("x", events.MaxEventBytes-len(body))+`"`, 1)
	if len(full) != events.MaxEventBytes {
		t.Fatalf("the test made %d bytes", len(full))
	}
	if _, err := events.DecodeEvent(personSubject, []byte(full)); err != nil {
		t.Errorf("exactly the limit is refused: %v", err)
	}
	if _, err := events.DecodeEvent(personSubject, []byte(full+" ")); err == nil {
		t.Error("one byte over the limit is accepted")
	}
}

func TestEncodeEventRefusesWhatDecodeEventWould(t *testing.T) {
	t.Parallel()
	for where, e := range map[string]*events.Event{
		"/id":              {Source: "s", Type: events.TypePersonUpserted, Person: samplePerson()},
		"/type":            {ID: "1", Source: "s", Type: secret, Person: samplePerson()},
		"/data":            {ID: "1", Source: "s", Type: events.TypePersonUpserted, Group: sampleGroup()},
		"/data/externalId": {ID: "1", Source: "s", Type: events.TypeGroupUpserted, Group: &events.Group{}},
		"/data/" + custom + "/badge": {
			ID: "1", Source: "s", Type: events.TypePersonUpserted,
			Person: &events.Person{Custom: map[string]string{"badge": "1", "Badge": "2"}},
		},
		"": {
			ID: "1", Source: "s", Type: events.TypePersonUpserted,
			Person: &events.Person{Title: strings.Repeat("x", events.MaxEventBytes)},
		},
	} {
		_, err := events.EncodeEvent(e)
		var fault *events.EventError
		if !errors.As(err, &fault) || fault.Where != where {
			t.Errorf("got %v, want an EventError at %q", err, where)
		}
	}
}

func TestEncodeEventQuotesNoValue(t *testing.T) {
	t.Parallel()
	_, err := events.EncodeEvent(&events.Event{
		ID: "1", Source: "s", Type: events.TypePersonUpserted, Person: &events.Person{Title: secret + "\xff"},
	})
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v, want an error without the value", err)
	}
}

func TestSourceOf(t *testing.T) {
	t.Parallel()
	if got := events.SourceOf(personSubject); got != "hr" {
		t.Errorf("got %q", got)
	}
	if got := events.SourceOf("rollcall.directory"); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestCompareSourceVersions(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("9", 60)
	for _, c := range []struct {
		a, b string
		want int
		err  error
	}{
		{a: "1", b: "2", want: -1},
		{a: "10", b: "9", want: 1},
		{a: "007", b: "7", want: 0},
		{a: "-1", b: "0", want: -1},
		{a: big + "1", b: big + "0", want: 1},
		{a: "2026-03-02T09:00:00Z", b: "2026-03-02T10:00:00+01:00", want: 0},
		{a: "2026-03-02T09:00:00.000000001Z", b: "2026-03-02T09:00:00Z", want: 1},
		{a: "2026-03-02T09:00:00Z", b: "2027-03-02T09:00:00Z", want: -1},
		{a: "5", b: "2026-03-02T09:00:00Z", err: events.ErrVersionKind},
		{a: "2026-03-02T09:00:00Z", b: "5", err: events.ErrVersionKind},
		{a: "", b: "5", err: events.ErrVersionKind},
	} {
		t.Run(fmt.Sprintf("%.20s_%.20s", c.a, c.b), func(t *testing.T) {
			t.Parallel()
			got, err := events.CompareSourceVersions(c.a, c.b)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("got %d, %v; want %d, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestAKindOfVersionOrdersWhatIsOfIt(t *testing.T) {
	t.Parallel()
	const early, late = "2026-03-02T09:00:00Z", "2026-03-02T10:00:00.5+01:00"
	for _, c := range []struct {
		kind events.VersionKind
		a, b string
		want int
	}{
		{events.VersionNone, "1", "2", 0},
		{events.VersionNone, "", late, 0},
		{events.VersionNumber, "9", "10", -1},
		{events.VersionNumber, "007", "7", 0},
		{events.VersionNumber, "1", late, 1},
		{events.VersionNumber, "", "-5", -1},
		{events.VersionNumber, "", early, 0},
		{events.VersionTime, early, late, -1},
		{events.VersionTime, "9000", early, -1},
		{events.VersionTime, early, "", 1},
		{events.VersionTime, "", "7", 0},
	} {
		if got, back := c.kind.Compare(c.a, c.b), c.kind.Compare(c.b, c.a); got != c.want || back != -c.want {
			t.Errorf("%s: %q to %q is %d, and back %d; want %d", c.kind, c.a, c.b, got, back, c.want)
		}
	}
	for version, want := range map[string]events.VersionKind{"": events.VersionNone, "-7": events.VersionNumber, late: events.VersionTime} {
		if got := events.KindOfVersion(version); got != want {
			t.Errorf("%q is a %s, want %s", version, got, want)
		}
	}
}
