package emulator

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// standardObjects declares every object of an org. Those with setup set may
// not share a transaction with the others. [D apex_dml_non_mix_sobjects]
func standardObjects(custom []CustomField) []*object {
	objects := []*object{
		userObject(custom), userLoginObject(), profileObject(), userLicenseObject(), userRoleObject(),
		permissionSetObject(), permissionSetGroupObject(), permissionSetGroupComponentObject(), assignmentObject(),
		permissionSetLicenseObject(), permissionSetLicenseAssignObject(),
		groupObject(), groupMemberObject(), queueSobjectObject(), organizationObject(), permissionAccessObject(),
		newObject("Account", "Account", "001", text("Name", "Account Name", 255).must().index(), text("AccountNumber", "Account Number", 40),
			text("BillingCity", "Billing City", 40), text("Phone", "Account Phone", 40), reference("OwnerId", "Owner ID", "Owner", "User"),
			flag("IsDeleted", "Deleted", false).fixed()),
		newObject("Contact", "Contact", "003", text("LastName", "Last Name", 80).must(), text("FirstName", "First Name", 40),
			mail("Email", "Email", 80).index(), text("Title", "Title", 128), text("Phone", "Business Phone", 40),
			reference("AccountId", "Account ID", "Account", "Account").named("Contacts"), reference("OwnerId", "Owner ID", "Owner", "User")),
	}
	return objects
}

// organizationObject is one read-only row; clients read the org's name from it.
func organizationObject() *object {
	o := newObject("Organization", "Organization", "00D", text("Name", "Name", 80), text("InstanceName", "Instance Name", 5), flag("IsSandbox", "Is Sandbox", false),
		picklist("OrganizationType", "Edition"), text("NamespacePrefix", "Namespace Prefix", 15),
		&field{name: "TrialExpirationDate", label: "Trial Expiration Date", kind: kindDatetime},
		picklist("DefaultLocaleSidKey", "Locale"), picklist("LanguageLocaleKey", "Language"), picklist("TimeZoneSidKey", "Time Zone"))
	o.setup, o.noCreate, o.noUpdate, o.noDelete = true, true, true, true
	return o
}

// userLoginObject supports query, retrieve and update only. [D]
func userLoginObject() *object {
	o := newObject("UserLogin", "User Login", "0Yw",
		reference("UserId", "User ID", "User", "User").index().fixed(),
		flag("IsFrozen", "Frozen", false).share(),
		flag("IsPasswordLocked", "Password Locked", false))
	o.setup, o.noCreate, o.noDelete = true, true, true
	o.rules = loginRules
	return o
}

func loginRules(t *tx, d *draft) *wire.APIError {
	if t.actor != nil && d.text("UserId") == t.actor.id && d.changed("IsFrozen") && d.flag("IsFrozen") {
		return wire.RecordError("CANNOT_FREEZE_SELF", "You cannot freeze yourself", "IsFrozen") // code [D WSDL], text [U]
	}
	if d.changed("IsPasswordLocked") && d.flag("IsPasswordLocked") {
		return wire.RecordError("CANNOT_PASSWORD_LOCKOUT", "IsPasswordLocked may only be set to false", "IsPasswordLocked") // code [D WSDL], text [U]
	}
	return nil
}

func profileObject() *object {
	o := newObject("Profile", "Profile", "00e",
		text("Name", "Name", 255).index(),
		reference("UserLicenseId", "User License ID", "UserLicense", "UserLicense"),
		picklist("UserType", "User Type").or("Standard"),
		text("Description", "Description", 255))
	o.setup, o.noCreate, o.noUpdate, o.noDelete = true, true, true, true
	return o
}

func userLicenseObject() *object {
	o := newObject("UserLicense", "User License", "100", // prefix [U]
		text("Name", "License Name", 40).index(),
		text("MasterLabel", "Master Label", 40),
		text("LicenseDefinitionKey", "License Def. ID", 40).index(),
		picklist("Status", "Status").or("Active"),
		number("TotalLicenses", "Total Licenses"),
		computed("UsedLicenses", "Used Licenses", kindInt, func(o *Org, r *record) any { return int64(o.seats[shortID(r.id)]) }))
	o.setup, o.noCreate, o.noUpdate, o.noDelete = true, true, true, true
	return o
}

func userRoleObject() *object {
	o := newObject("UserRole", "Role", "00E",
		text("Name", "Name", 80).must().index(),
		text("DeveloperName", "Developer Name", 80).index(),
		reference("ParentRoleId", "Parent Role ID", "", "UserRole"),
		text("RollupDescription", "Description", 80),
		picklist("OpportunityAccessForAccountOwner", "Opportunity Access Level for Account Owner", "None", "Read", "Edit").or("None"),
		picklist("CaseAccessForAccountOwner", "Case Access Level for Account Owner", "None", "Read", "Edit").or("None"),
		picklist("ContactAccessForAccountOwner", "Contact Access Level for Account Owner", "None", "Read", "Edit").or("None"),
		flag("MayForecastManagerShare", "May Forecast Manager Share", false).fixed(),
		picklist("PortalType", "Portal Type").or("None"))
	o.setup = true
	return o
}

func permissionSetObject() *object {
	o := newObject("PermissionSet", "Permission Set", "0PS",
		text("Name", "Permission Set Name", 80).must().index(),
		text("Label", "Permission Set Label", 80).must(),
		text("Description", "Description", 255),
		reference("LicenseId", "License ID", "", "UserLicense", "PermissionSetLicense"),
		reference("ProfileId", "Profile ID", "Profile", "Profile").fixed().index(),
		reference("PermissionSetGroupId", "Permission Set Group ID", "PermissionSetGroup", "PermissionSetGroup").fixed(),
		flag("IsOwnedByProfile", "Is Owned By Profile", false).fixed(),
		flag("IsCustom", "Is Custom", true).fixed(),
		picklist("Type", "Type").or("Regular").fixed(),
		text("NamespacePrefix", "Namespace Prefix", 15).fixed())
	o.setup = true
	o.owned = [][2]string{{"PermissionSetAssignment", "PermissionSetId"}}
	return o
}

func permissionSetGroupObject() *object {
	o := newObject("PermissionSetGroup", "Permission Set Group", "0PG", // prefix [U]
		text("DeveloperName", "API Name", 80).must().index(),
		text("MasterLabel", "Label", 80).must(),
		text("Description", "Description", 255),
		picklist("Status", "Status", "Updated", "Outdated", "Updating", "Failed").or("Updated"))
	o.setup = true
	o.owned = [][2]string{{"PermissionSetAssignment", "PermissionSetGroupId"}, {"PermissionSetGroupComponent", "PermissionSetGroupId"}}
	o.stored = groupStored
	return o
}

// groupStored gives every permission set group its hidden permission set,
// whose Type is Group. [C baton: clients filter on it]
func groupStored(t *tx, d *draft) {
	if d.old != nil {
		return
	}
	o := t.org.object("PermissionSet")
	hidden := &draft{object: o, cells: []cell{
		{int32(o.field("Name").pos), d.text("DeveloperName")}, {int32(o.field("Label").pos), d.text("MasterLabel")},
		{int32(o.field("PermissionSetGroupId").pos), d.row.id}, {int32(o.field("Type").pos), "Group"},
		{int32(o.field("IsCustom").pos), true}}}
	t.store(hidden)
}

func permissionSetGroupComponentObject() *object {
	o := newObject("PermissionSetGroupComponent", "Permission Set Group Component", "0PV", // prefix [U]
		reference("PermissionSetGroupId", "Permission Set Group ID", "PermissionSetGroup", "PermissionSetGroup").must().once().index().named("PermissionSetGroupComponents"),
		reference("PermissionSetId", "Permission Set ID", "PermissionSet", "PermissionSet").must().once())
	o.setup, o.noUpdate = true, true
	return o
}

func permissionSetLicenseObject() *object {
	o := newObject("PermissionSetLicense", "Permission Set License", "0PL", // prefix [U]
		text("DeveloperName", "Permission Set License Name", 80).index(),
		text("MasterLabel", "Permission Set License Label", 255),
		text("PermissionSetLicenseKey", "License Key", 255),
		picklist("Status", "Status").or("Active"),
		number("TotalLicenses", "Total Licenses"),
		computed("UsedLicenses", "Used Licenses", kindInt, func(o *Org, r *record) any { return int64(o.seats[shortID(r.id)]) }))
	o.setup, o.noCreate, o.noUpdate, o.noDelete = true, true, true, true
	return o
}

func groupObject() *object {
	o := newObject("Group", "Group", "00G",
		text("Name", "Name", 40).must().index(),
		text("DeveloperName", "Developer Name", 80).index(),
		picklist("Type", "Type", "Regular", "Queue", "Role", "RoleAndSubordinates", "RoleAndSubordinatesInternal", "Manager",
			"ManagerAndSubordinatesInternal", "Organization", "PRMOrganization", "AllCustomerPortal", "Territory", "TerritoryAndSubordinates").or("Regular").once(),
		mail("Email", "Email", 255),
		reference("RelatedId", "Related ID", "Related", "User", "UserRole").fixed(),
		flag("DoesSendEmailToMembers", "Send Email to Members", false),
		flag("DoesIncludeBosses", "Include Bosses", true))
	o.setup = true
	o.owned = [][2]string{{"GroupMember", "GroupId"}, {"GroupMember", "UserOrGroupId"}, {"QueueSobject", "QueueId"}}
	return o
}

func queueSobjectObject() *object {
	o := newObject("QueueSobject", "Queue Sobject", "03g", // prefix [U]
		reference("QueueId", "Queue ID", "Queue", "Group").must().once().index().named("QueueSobjects"),
		text("SobjectType", "Sobject Type", 40).must().once())
	o.setup, o.noUpdate = true, true
	return o
}
