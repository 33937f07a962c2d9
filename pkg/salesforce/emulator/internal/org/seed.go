package org

import (
	"errors"
	"maps"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// seeder fills a new org from its configuration.
type seeder struct{ *Org }

func (o seeder) run() error {
	for _, step := range [...]func() error{
		o.fieldAccess, o.seats.known, o.organization, o.licences, o.profiles, o.roles, o.permissionSets, o.groups, o.flow, o.users,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (o seeder) fieldAccess() error {
	for field, access := range o.Config.FieldAccess {
		if err := o.LimitField(field, access); err != nil {
			return err
		}
	}
	return nil
}

func (o seeder) organization() error {
	t := o.Table("Organization")
	r := &store.Record{ID: o.ID, Created: wire.InstantOf(o.Made), Modified: wire.InstantOf(o.Made)}
	for name, v := range map[string]string{"Name": o.Config.Name, "InstanceName": "EMU1", "OrganizationType": "Developer Edition",
		"DefaultLocaleSidKey": "en_US", "LanguageLocaleKey": "en_US", "TimeZoneSidKey": "GMT"} {
		r.Cells = append(r.Cells, t.Object.Field(name).Cell(v))
	}
	t.Add(r)
	return nil
}

func (o seeder) licences() error {
	for _, l := range o.Config.Licenses {
		key := l.DefinitionKey
		if key == "" {
			key = l.Name
		}
		if _, err := o.plant("UserLicense", map[string]any{"Name": l.Name, "MasterLabel": l.Name, "LicenseDefinitionKey": key, "TotalLicenses": l.Seats}); err != nil {
			return err
		}
	}
	for _, l := range o.Config.PermissionSetLicenses {
		if _, err := o.plant("PermissionSetLicense", map[string]any{"MasterLabel": l.Name, "DeveloperName": l.DefinitionKey,
			"PermissionSetLicenseKey": l.DefinitionKey, "TotalLicenses": l.Seats}); err != nil {
			return err
		}
	}
	return nil
}

// profiles also makes the hidden permission set that every profile owns. [D]
func (o seeder) profiles() error {
	for _, p := range o.Config.Profiles {
		kind := p.UserType
		if kind == "" {
			kind = "Standard"
		}
		permitted := p.Permissions
		if p.Name == AdminProfile {
			permitted = permissions()
		}
		licence := o.ByName("UserLicense", "Name", p.License).ID
		id, err := o.plant("Profile", withPermissions(map[string]any{"Name": p.Name, "UserLicenseId": licence, "UserType": kind}, permitted))
		if err != nil {
			return err
		}
		if _, err := o.plant("PermissionSet", withPermissions(map[string]any{"Name": "X" + store.ShortID(id), "Label": store.ShortID(id), "ProfileId": id,
			"IsOwnedByProfile": true, "IsCustom": false, "Type": "Profile", "LicenseId": licence}, permitted)); err != nil {
			return err
		}
	}
	return nil
}

func (o seeder) roles() error {
	for _, r := range o.Config.Roles {
		values := map[string]any{"Name": r.Name, "DeveloperName": developerName(r.Name)}
		if parent := o.ByName("UserRole", "Name", r.Parent); parent != nil {
			values["ParentRoleId"] = parent.ID
		}
		if _, err := o.plant("UserRole", values); err != nil {
			return err
		}
	}
	return nil
}

// developerName makes an API name out of a label.
func developerName(label string) string {
	return strings.Join(strings.FieldsFunc(label, func(c rune) bool { return !strings.ContainsRune(store.IDAlphabet, c) }), "_")
}

func (o seeder) permissionSets() error {
	for _, p := range o.Config.PermissionSets {
		values := map[string]any{"Name": p.Name, "Label": p.Label}
		if p.Label == "" {
			values["Label"] = strings.ReplaceAll(p.Name, "_", " ")
		}
		if l := o.ByName("UserLicense", "Name", p.License); l != nil {
			values["LicenseId"] = l.ID
		}
		if _, err := o.plant("PermissionSet", withPermissions(values, p.Permissions)); err != nil {
			return err
		}
	}
	var errs []error
	for _, g := range o.Config.PermissionSetGroups {
		errs = append(errs, o.permissionSetGroup(g))
	}
	return errors.Join(errs...)
}

func (o seeder) permissionSetGroup(g PermissionSetGroup) error {
	label := g.Label
	if label == "" {
		label = strings.ReplaceAll(g.DeveloperName, "_", " ")
	}
	id, err := o.plant("PermissionSetGroup", map[string]any{"DeveloperName": g.DeveloperName, "MasterLabel": label})
	if err != nil {
		return err
	}
	for _, name := range g.PermissionSets {
		set := o.ByName("PermissionSet", "Name", name)
		if set == nil {
			return errors.New("permission set group " + g.DeveloperName + ": no permission set " + name)
		}
		if _, err := o.plant("PermissionSetGroupComponent", map[string]any{"PermissionSetGroupId": id, "PermissionSetId": set.ID}); err != nil {
			return err
		}
	}
	return nil
}

func (o seeder) groups() error {
	for _, g := range o.Config.Groups {
		values := map[string]any{"Name": g.Name, "DeveloperName": g.DeveloperName, "Type": g.Type}
		if g.DeveloperName == "" {
			values["DeveloperName"] = developerName(g.Name)
		}
		if g.Type == "" {
			values["Type"] = "Regular"
		}
		id, err := o.plant("Group", values)
		if err != nil {
			return err
		}
		if g.Type == "Queue" {
			if _, err := o.plant("QueueSobject", map[string]any{"QueueId": id, "SobjectType": "Case"}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o seeder) flow() error { return o.checkFlow(o.Config.OnDeactivation) }

func (o seeder) users() error {
	for _, u := range o.Config.Users {
		values, err := o.completeUser(u)
		if err != nil {
			return err
		}
		if _, err := o.plant("User", values); err != nil {
			return err
		}
	}
	return nil
}

// completeUser completes a user: names of profile and role become ids, and every
// required field gets a value.
func (o *Org) completeUser(u map[string]any) (map[string]any, error) {
	username, _ := u["Username"].(string)
	local, _, _ := strings.Cut(username, "@")
	values := map[string]any{
		"LastName": local, "Email": username, "Alias": local[:min(8, len(local))], "IsActive": true,
		"TimeZoneSidKey": "Europe/Paris", "LocaleSidKey": "en_US", "LanguageLocaleKey": "en_US", "EmailEncodingKey": "UTF-8",
		"Profile": StandardUserProfile,
	}
	if u["ProfileId"] != nil {
		delete(values, "Profile")
	}
	maps.Copy(values, u)
	for name, object := range map[string]string{"Profile": "Profile", "UserRole": "UserRole"} {
		wanted, ok := values[name].(string)
		if !ok {
			continue
		}
		delete(values, name)
		row := o.ByName(object, "Name", wanted)
		if row == nil {
			return nil, errors.New("user " + username + ": no " + object + " named " + wanted)
		}
		values[name+"Id"] = row.ID
	}
	return values, nil
}
