package org

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// standardObjects declares every object of an org. Those with setup set may
// not share a transaction with the others. [D apex_dml_non_mix_sobjects]
func standardObjects(org *Org, custom []CustomField) []*store.Object {
	objects := []*store.Object{
		userObject(org, custom), userLoginObject(), profileObject(), userLicenseObject(org), userRoleObject(),
		permissionSetObject(), permissionSetGroupObject(), permissionSetGroupComponentObject(), assignmentObject(org),
		permissionSetLicenseObject(org), permissionSetLicenseAssignObject(org),
		groupObject(), groupMemberObject(org), queueSobjectObject(), organizationObject(), permissionAccessObject(org),
		store.NewObject("Account", "Account", "001", store.Text("Name", "Account Name", 255).Must().Index(), store.Text("AccountNumber", "Account Number", 40),
			store.Text("BillingCity", "Billing City", 40), store.Text("Phone", "Account Phone", 40), store.Reference("OwnerId", "Owner ID", "Owner", "User"),
			store.Flag("IsDeleted", "Deleted", false).Fixed()),
		store.NewObject("Contact", "Contact", "003", store.Text("LastName", "Last Name", 80).Must(), store.Text("FirstName", "First Name", 40),
			store.Mail("Email", "Email", 80).Index(), store.Text("Title", "Title", 128), store.Text("Phone", "Business Phone", 40),
			store.Reference("AccountId", "Account ID", "Account", "Account").Named("Contacts"), store.Reference("OwnerId", "Owner ID", "Owner", "User")),
	}
	return objects
}

// organizationObject is one read-only row; clients read the org's name from it.
func organizationObject() *store.Object {
	o := store.NewObject("Organization", "Organization", "00D", store.Text("Name", "Name", 80), store.Text("InstanceName", "Instance Name", 5), store.Flag("IsSandbox", "Is Sandbox", false),
		store.Picklist("OrganizationType", "Edition"), store.Text("NamespacePrefix", "Namespace Prefix", 15),
		&store.Field{Name: "TrialExpirationDate", Label: "Trial Expiration Date", Kind: store.KindDatetime},
		store.Picklist("DefaultLocaleSidKey", "Locale"), store.Picklist("LanguageLocaleKey", "Language"), store.Picklist("TimeZoneSidKey", "Time Zone"))
	o.Setup, o.NoCreate, o.NoUpdate, o.NoDelete = true, true, true, true
	return o
}

// userLoginObject supports query, retrieve and update only. [D]
func userLoginObject() *store.Object {
	o := store.NewObject("UserLogin", "User Login", "0Yw",
		store.Reference("UserId", "User ID", "User", "User").Index().Fixed(),
		store.Flag("IsFrozen", "Frozen", false).Share(),
		store.Flag("IsPasswordLocked", "Password Locked", false))
	o.Setup, o.NoCreate, o.NoDelete = true, true, true
	o.Rules = loginRules
	return o
}

func loginRules(t *store.Tx, d *store.Draft) *wire.APIError {
	if t.Actor != nil && d.Text("UserId") == t.Actor.ID && d.Changed("IsFrozen") && d.Flag("IsFrozen") {
		return wire.RecordError("CANNOT_FREEZE_SELF", "You cannot freeze yourself", "IsFrozen") // code [D WSDL], text [U]
	}
	if d.Changed("IsPasswordLocked") && d.Flag("IsPasswordLocked") {
		return wire.RecordError("CANNOT_PASSWORD_LOCKOUT", "IsPasswordLocked may only be set to false", "IsPasswordLocked") // code [D WSDL], text [U]
	}
	return nil
}

func profileObject() *store.Object {
	o := store.NewObject("Profile", "Profile", "00e",
		store.Text("Name", "Name", 255).Index(),
		store.Reference("UserLicenseId", "User License ID", "UserLicense", "UserLicense"),
		store.Picklist("UserType", "User Type").Or("Standard"),
		store.Text("Description", "Description", 255))
	o.Add(permissionFields()...)
	o.Setup, o.NoCreate, o.NoUpdate, o.NoDelete = true, true, true, true
	return o
}

func userLicenseObject(org *Org) *store.Object {
	o := store.NewObject("UserLicense", "User License", "100", // prefix [U]
		store.Text("Name", "License Name", 40).Index(),
		store.Text("MasterLabel", "Master Label", 40),
		store.Text("LicenseDefinitionKey", "License Def. ID", 40).Index(),
		store.Picklist("Status", "Status").Or("Active"),
		store.Number("TotalLicenses", "Total Licenses"),
		store.Computed("UsedLicenses", "Used Licenses", store.KindInt, func(r *store.Record) any { return int64(org.seats.taken(r.ID)) }))
	o.Setup, o.NoCreate, o.NoUpdate, o.NoDelete = true, true, true, true
	return o
}

func userRoleObject() *store.Object {
	o := store.NewObject("UserRole", "Role", "00E",
		store.Text("Name", "Name", 80).Must().Index(),
		store.Text("DeveloperName", "Developer Name", 80).Index(),
		store.Reference("ParentRoleId", "Parent Role ID", "", "UserRole"),
		store.Text("RollupDescription", "Description", 80),
		store.Picklist("OpportunityAccessForAccountOwner", "Opportunity Access Level for Account Owner", "None", "Read", "Edit").Or("None"),
		store.Picklist("CaseAccessForAccountOwner", "Case Access Level for Account Owner", "None", "Read", "Edit").Or("None"),
		store.Picklist("ContactAccessForAccountOwner", "Contact Access Level for Account Owner", "None", "Read", "Edit").Or("None"),
		store.Flag("MayForecastManagerShare", "May Forecast Manager Share", false).Fixed(),
		store.Picklist("PortalType", "Portal Type").Or("None"))
	o.Setup = true
	return o
}

func permissionSetObject() *store.Object {
	o := store.NewObject("PermissionSet", "Permission Set", "0PS",
		store.Text("Name", "Permission Set Name", 80).Must().Index(),
		store.Text("Label", "Permission Set Label", 80).Must(),
		store.Text("Description", "Description", 255),
		store.Reference("LicenseId", "License ID", "", "UserLicense", "PermissionSetLicense"),
		store.Reference("ProfileId", "Profile ID", "Profile", "Profile").Fixed().Index(),
		store.Reference("PermissionSetGroupId", "Permission Set Group ID", "PermissionSetGroup", "PermissionSetGroup").Fixed(),
		store.Flag("IsOwnedByProfile", "Is Owned By Profile", false).Fixed(),
		store.Flag("IsCustom", "Is Custom", true).Fixed(),
		store.Picklist("Type", "Type").Or("Regular").Fixed(),
		store.Text("NamespacePrefix", "Namespace Prefix", 15).Fixed())
	o.Add(permissionFields()...)
	o.Setup = true
	o.Owned = [][2]string{{"PermissionSetAssignment", "PermissionSetId"}}
	return o
}

func permissionSetGroupObject() *store.Object {
	o := store.NewObject("PermissionSetGroup", "Permission Set Group", "0PG", // prefix [U]
		store.Text("DeveloperName", "API Name", 80).Must().Index(),
		store.Text("MasterLabel", "Label", 80).Must(),
		store.Text("Description", "Description", 255),
		store.Picklist("Status", "Status", "Updated", "Outdated", "Updating", "Failed").Or("Updated"))
	o.Setup = true
	o.Owned = [][2]string{{"PermissionSetAssignment", "PermissionSetGroupId"}, {"PermissionSetGroupComponent", "PermissionSetGroupId"}}
	o.Stored = groupStored
	return o
}

// groupStored gives every permission set group its hidden permission set,
// whose Type is Group. [C baton: clients filter on it]
func groupStored(t *store.Tx, d *store.Draft) {
	if d.Old != nil {
		return
	}
	o := t.Data.Object("PermissionSet")
	hidden := &store.Draft{Object: o, Cells: []store.Cell{
		o.Field("Name").Cell(d.Text("DeveloperName")), o.Field("Label").Cell(d.Text("MasterLabel")),
		o.Field("PermissionSetGroupId").Cell(d.Row.ID), o.Field("Type").Cell("Group"),
		o.Field("IsCustom").Cell(true)}}
	t.Store(hidden)
}

func permissionSetGroupComponentObject() *store.Object {
	o := store.NewObject("PermissionSetGroupComponent", "Permission Set Group Component", "0PV", // prefix [U]
		store.Reference("PermissionSetGroupId", "Permission Set Group ID", "PermissionSetGroup", "PermissionSetGroup").Must().Once().Index().Named("PermissionSetGroupComponents"),
		store.Reference("PermissionSetId", "Permission Set ID", "PermissionSet", "PermissionSet").Must().Once())
	o.Setup, o.NoUpdate = true, true
	o.Stored = componentStored
	return o
}

func permissionSetLicenseObject(org *Org) *store.Object {
	o := store.NewObject("PermissionSetLicense", "Permission Set License", "0PL", // prefix [U]
		store.Text("DeveloperName", "Permission Set License Name", 80).Index(),
		store.Text("MasterLabel", "Permission Set License Label", 255),
		store.Text("PermissionSetLicenseKey", "License Key", 255),
		store.Picklist("Status", "Status").Or("Active"),
		store.Number("TotalLicenses", "Total Licenses"),
		store.Computed("UsedLicenses", "Used Licenses", store.KindInt, func(r *store.Record) any { return int64(org.seats.taken(r.ID)) }))
	o.Setup, o.NoCreate, o.NoUpdate, o.NoDelete = true, true, true, true
	return o
}

func groupObject() *store.Object {
	o := store.NewObject("Group", "Group", "00G",
		store.Text("Name", "Name", 40).Must().Index(),
		store.Text("DeveloperName", "Developer Name", 80).Index(),
		store.Picklist("Type", "Type", "Regular", "Queue", "Role", "RoleAndSubordinates", "RoleAndSubordinatesInternal", "Manager",
			"ManagerAndSubordinatesInternal", "Organization", "PRMOrganization", "AllCustomerPortal", "Territory", "TerritoryAndSubordinates").Or("Regular").Once(),
		store.Mail("Email", "Email", 255),
		store.Reference("RelatedId", "Related ID", "Related", "User", "UserRole").Fixed(),
		store.Flag("DoesSendEmailToMembers", "Send Email to Members", false),
		store.Flag("DoesIncludeBosses", "Include Bosses", true))
	o.Setup = true
	o.Owned = [][2]string{{"GroupMember", "GroupId"}, {"GroupMember", "UserOrGroupId"}, {"QueueSobject", "QueueId"}}
	return o
}

func queueSobjectObject() *store.Object {
	o := store.NewObject("QueueSobject", "Queue Sobject", "03g", // prefix [U]
		store.Reference("QueueId", "Queue ID", "Queue", "Group").Must().Once().Index().Named("QueueSobjects"),
		store.Text("SobjectType", "Sobject Type", 40).Must().Once())
	o.Setup, o.NoUpdate = true, true
	return o
}
