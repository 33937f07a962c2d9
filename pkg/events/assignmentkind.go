package events

import "slices"

// Keys of the two kinds that there were before the table. Of permission sets the
// doctor knows more than of others: some need a licence.
const (
	KeyPermissionSets = "permissionSets"
	KeyGroups         = "groups"
)

// AssignmentKind is one kind of thing that is given to a Salesforce user and
// taken away again by a record of its own. Everything that differs between kinds
// stands in its row of [AssignmentKinds]: configuration, assignment, pusher,
// doctor and the operator's views read it from there.
type AssignmentKind struct {
	// ID begins the names in [Link.Assigned]; it must never change.
	ID string
	// Key is the key in configuration (rules and grants) and in
	// [Desired.Assignments].
	Key string
	// One and Many are what people call it.
	One, Many string
	// Names says, for the reader of the configuration's documentation, by which
	// names Salesforce knows them.
	Names string
	// Object is the Salesforce object of which an assignment is a record, User its
	// field for the user.
	Object, User string
	// Targets are what a name may stand for, in the order in which they count less
	// and less: where two have the name, the last one is meant.
	Targets []AssignmentTarget
	// Seats are the fields of the only target that count its seats, where giving
	// one uses a seat; nil for other kinds.
	Seats *AssignmentSeats
}

// AssignmentSeats are fields of a Salesforce object of which there are so many.
type AssignmentSeats struct {
	// Label is what people call it, Total and Used count.
	Label, Total, Used string
}

// AssignmentTarget is a Salesforce object that a name may stand for.
type AssignmentTarget struct {
	// Object and Name are the object and the field with the name.
	Object, Name string
	// Field is the field of the assignment's record that refers to it.
	Field string
	// Where narrows the object down, in SOQL; empty for all records.
	Where string
	// Optional says that an edition may be without the object.
	Optional bool
}

// AssignmentKinds returns all kinds, in the order in which they are given: what
// another kind needs comes first. They are taken in the opposite order.
//
// Sources: Salesforce Object Reference, PermissionSetLicenseAssign,
// PermissionSetAssignment, GroupMember.
func AssignmentKinds() []AssignmentKind {
	return []AssignmentKind{
		{
			ID: "psl", Key: "permissionSetLicenses", One: "permission set licence", Many: "permission set licences",
			Names:  "Developer names of permission set licences",
			Object: "PermissionSetLicenseAssign", User: "AssigneeId",
			Seats:   &AssignmentSeats{Label: "MasterLabel", Total: "TotalLicenses", Used: "UsedLicenses"},
			Targets: []AssignmentTarget{{Object: "PermissionSetLicense", Name: "DeveloperName", Field: "PermissionSetLicenseId", Optional: true}},
		},
		{
			ID: "ps", Key: KeyPermissionSets, One: "permission set", Many: "permission sets",
			Names:  "API names of permission sets and of permission set groups",
			Object: "PermissionSetAssignment", User: "AssigneeId",
			Targets: []AssignmentTarget{
				{Object: "PermissionSetGroup", Name: "DeveloperName", Field: "PermissionSetGroupId", Optional: true},
				{Object: "PermissionSet", Name: "Name", Field: "PermissionSetId", Where: "IsOwnedByProfile = false AND PermissionSetGroupId = null"},
			},
		},
		{
			ID: "group", Key: KeyGroups, One: "public group or queue", Many: "groups",
			Names:  "Developer names of public groups and queues",
			Object: "GroupMember", User: "UserOrGroupId",
			Targets: []AssignmentTarget{{Object: "Group", Name: "DeveloperName", Field: "GroupId", Where: "Type IN ('Regular','Queue')"}},
		},
	}
}

// AssignmentKeys are the keys of all kinds.
func AssignmentKeys() []string {
	var out []string
	for _, k := range AssignmentKinds() {
		out = append(out, k.Key)
	}
	return out
}

// AssignmentKindOf returns the kind with this ID.
func AssignmentKindOf(id string) (AssignmentKind, bool) {
	kinds := AssignmentKinds()
	i := slices.IndexFunc(kinds, func(k AssignmentKind) bool { return k.ID == id })
	if i < 0 {
		return AssignmentKind{}, false
	}
	return kinds[i], true
}
