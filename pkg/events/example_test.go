package events_test

import (
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// An upstream system writes an event and publishes it under its own subject;
// with DecodeEvent it can see beforehand what Rollcall will make of it.
func Example() {
	body, err := events.EncodeEvent(&events.Event{
		ID:            "hr-000017",
		Source:        "https://hr.example.com",
		Type:          events.TypePersonUpserted,
		SourceVersion: "42",
		Person: &events.Person{
			UserName:   "sample.person@example.com",
			Name:       &events.Name{GivenName: "Sample", FamilyName: "Person"},
			Enterprise: &events.Enterprise{EmployeeNumber: "1001"},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	subject := events.DirectorySubject("hr", events.KindPerson)
	read, err := events.DecodeEvent(subject, body)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(subject, read.Person.Name.GivenName)

	_, err = events.DecodeEvent(subject, []byte(`{"specversion":"1.0","id":"1","source":"hr",
		"type":"io.github.rollcall-sync.person.upserted.v1","data":{"username":"sample.person@example.com"}}`))
	fmt.Println(err)
	// Output:
	// rollcall.directory.hr.person Sample
	// event at /data/username: is not an attribute Rollcall knows (custom ones go under urn:rollcall:params:scim:schemas:extension:custom:1.0:User)
}
