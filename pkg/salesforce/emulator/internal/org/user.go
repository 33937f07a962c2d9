package org

import (
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// Values of the restricted picklists of User. [U except that they are restricted]
const (
	emailEncodings = `UTF-8 ISO-8859-1 Shift_JIS ISO-2022-JP EUC-JP ks_c_5601-1987 Big5 GB2312 Big5-HKSCS x-SJIS_0213`
	languages      = `en_US de es fr it ja sv ko zh_TW zh_CN pt_BR nl_NL da th fi ru es_MX no`
	locales        = `en_US en_GB en_CA en_AU en_IE en_NZ en_IN en_ZA en_SG fr_FR fr_FR_EURO fr_CA fr_BE fr_CH de_DE de_DE_EURO de_AT de_CH
		es_ES es_ES_EURO es_MX es_AR it_IT it_IT_EURO it_CH nl_NL nl_NL_EURO nl_BE pt_PT pt_BR sv_SE da_DK no_NO nb_NO fi_FI fi_FI_EURO pl_PL cs_CZ hu_HU ro_RO
		ru_RU tr_TR el_GR he_IL iw_IL ar_SA ar_AE ja_JP ko_KR zh_CN zh_TW zh_HK th_TH vi_VN in_ID id_ID ms_MY hi_IN uk_UA bg_BG hr_HR sk_SK sl_SI et_EE lv_LV lt_LT`
	timeZones = `GMT UTC Europe/London Europe/Dublin Europe/Lisbon Europe/Paris Europe/Berlin Europe/Madrid Europe/Rome Europe/Amsterdam Europe/Brussels
		Europe/Vienna Europe/Zurich Europe/Stockholm Europe/Copenhagen Europe/Oslo Europe/Helsinki Europe/Warsaw Europe/Prague Europe/Budapest Europe/Bucharest
		Europe/Athens Europe/Istanbul Europe/Kiev Europe/Moscow Europe/Minsk Africa/Cairo Africa/Johannesburg Africa/Nairobi Africa/Casablanca Africa/Algiers
		America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles America/Anchorage America/Toronto America/Halifax America/St_Johns
		America/Mexico_City America/Bogota America/Lima America/Caracas America/Santiago America/Sao_Paulo America/Buenos_Aires America/Puerto_Rico America/Panama
		Asia/Jerusalem Asia/Dubai Asia/Riyadh Asia/Karachi Asia/Kolkata Asia/Dhaka Asia/Bangkok Asia/Jakarta Asia/Singapore Asia/Hong_Kong Asia/Shanghai
		Asia/Taipei Asia/Manila Asia/Seoul Asia/Tokyo Asia/Kathmandu Asia/Colombo Asia/Tashkent Asia/Yekaterinburg Australia/Perth Australia/Adelaide
		Australia/Darwin Australia/Brisbane Australia/Sydney Pacific/Auckland Pacific/Honolulu Pacific/Fiji`
)

// userObject declares User. Lengths are [R] from a recorded describe, except
// Title, EmployeeNumber and FederationIdentifier [U].
func userObject(org *Org, custom []CustomField) *store.Object {
	o := store.NewObject("User", "User", "005",
		store.Text("Username", "Username", 80).Must().LookedUp(),
		store.Text("LastName", "Last Name", 80).Must(),
		store.Text("FirstName", "First Name", 40),
		store.Computed("Name", "Full Name", store.KindString, org.fullName).Long(121),
		store.Text("CompanyName", "Company Name", 80).Share(),
		store.Text("Division", "Division", 80).Share(),
		store.Text("Department", "Department", 80).Share(),
		store.Text("Title", "Title", 80).Share(),
		store.Text("Street", "Street", 255),
		store.Text("City", "City", 40).Share(),
		store.Text("State", "State/Province", 80).Share(),
		store.Text("PostalCode", "Zip/Postal Code", 20),
		store.Text("Country", "Country", 80).Share(),
		store.Mail("Email", "Email", 128).Must().Index(),
		store.Text("Phone", "Phone", 40),
		store.Text("Extension", "Extension", 40),
		store.Text("Fax", "Fax", 40),
		store.Text("MobilePhone", "Mobile", 40),
		store.Text("Alias", "Alias", 8).Must(),
		store.Text("CommunityNickname", "Nickname", 40).Index(),
		store.Flag("IsActive", "Active", false), // default on create [U]
		store.Reference("UserRoleId", "Role ID", "UserRole", "UserRole").Named("Users"),
		store.Reference("ProfileId", "Profile ID", "Profile", "Profile").Must().Named("Users"),
		store.Reference("ManagerId", "Manager ID", "Manager", "User"),
		store.Picklist("TimeZoneSidKey", "Time Zone", strings.Fields(timeZones)...).Must(),
		store.Picklist("LocaleSidKey", "Locale", strings.Fields(locales)...).Must(),
		store.Picklist("LanguageLocaleKey", "Language", strings.Fields(languages)...).Must(),
		store.Picklist("EmailEncodingKey", "Email Encoding", strings.Fields(emailEncodings)...).Must(),
		store.Picklist("DefaultCurrencyIsoCode", "Default Currency ISO Code"),
		store.Computed("UserType", "User Type", store.KindPicklist, org.userType),
		store.Text("EmployeeNumber", "Employee Number", 20),
		store.Text("FederationIdentifier", "SAML Federation ID", 512).LookedUp(),
		store.Text("AboutMe", "About Me", 1000),
		store.Flag("ReceivesInfoEmails", "Info Emails", false),
		store.Flag("ReceivesAdminInfoEmails", "Admin Info Emails", false),
		store.Flag("ForecastEnabled", "Allow Forecasting", false),
		store.Flag("UserPermissionsMarketingUser", "Marketing User", false),
		store.Flag("UserPermissionsOfflineUser", "Offline User", false),
		store.Flag("UserPermissionsKnowledgeUser", "Knowledge User", false),
		store.Flag("UserPermissionsInteractionUser", "Flow User", false),
		store.Flag("UserPermissionsSFContentUser", "Salesforce CRM Content User", false),
		store.Flag("UserPermissionsSupportUser", "Service Cloud User", false),
		store.Reference("DelegatedApproverId", "Delegated Approver ID", "", "User", "Group"),
		store.Text("Signature", "Email Signature", 1333),
		store.Text("SenderEmail", "Email Sender Address", 80),
		store.Text("SenderName", "Email Sender Name", 80),
		&store.Field{Name: "LastLoginDate", Label: "Last Login", Kind: store.KindDatetime, ReadOnly: true},
		&store.Field{Name: "LastPasswordChangeDate", Label: "Last Password Change or Reset", Kind: store.KindDatetime, ReadOnly: true},
		&store.Field{Name: "ContactId", Label: "Contact ID", Kind: store.KindReference, Length: store.LongIDLen, ReferenceTo: []string{"Contact"}, Relationship: "Contact"},
		&store.Field{Name: "AccountId", Label: "Account ID", Kind: store.KindReference, Length: store.LongIDLen, ReferenceTo: []string{"Account"}, Relationship: "Account", ReadOnly: true},
	)
	o.Setup, o.NoDelete = true, true // deletable:false [R]
	for _, c := range custom {
		o.Add(c.field())
	}
	rules := userRules{org}
	o.Rules, o.Stored, o.Neutral = rules.check, rules.stored, rules.neutral
	return o
}

// fullName is first and last name.
func (o *Org) fullName(r *store.Record) any {
	first, _ := r.At(o.user.first.Pos).(string)
	last, _ := r.At(o.user.last.Pos).(string)
	if first == "" {
		return last
	}
	return first + " " + last
}

// userType comes from the profile's licence. [C baton-salesforce]
func (o *Org) userType(r *store.Record) any {
	id, _ := r.At(o.user.profile.Pos).(string)
	p := o.Table("Profile").Live(id)
	if p == nil {
		return "Standard"
	}
	return p.At(o.Table("Profile").Object.Field("UserType").Pos)
}

// userFields are the columns of User that rules read on every write.
type userFields struct {
	username, first, last, email, alias, nickname, active, profile, federation *store.Field
	features                                                                   []*store.Field // one flag each
}

func userFieldsOf(o *store.Object) userFields {
	var features []*store.Field
	for _, f := range o.Fields {
		if strings.HasPrefix(f.Name, featurePrefix) {
			features = append(features, f)
		}
	}
	return userFields{
		features: features,
		username: o.Field("Username"), first: o.Field("FirstName"), last: o.Field("LastName"), email: o.Field("Email"),
		alias: o.Field("Alias"), nickname: o.Field("CommunityNickname"), active: o.Field("IsActive"),
		profile: o.Field("ProfileId"), federation: o.Field("FederationIdentifier"),
	}
}
