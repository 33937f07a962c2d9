package emulator

import "strings"

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
func userObject(custom []CustomField) *object {
	o := newObject("User", "User", "005",
		text("Username", "Username", 80).must().lookedUp(),
		text("LastName", "Last Name", 80).must(),
		text("FirstName", "First Name", 40),
		computed("Name", "Full Name", kindString, userName).long(121),
		text("CompanyName", "Company Name", 80).share(),
		text("Division", "Division", 80).share(),
		text("Department", "Department", 80).share(),
		text("Title", "Title", 80).share(),
		text("Street", "Street", 255),
		text("City", "City", 40).share(),
		text("State", "State/Province", 80).share(),
		text("PostalCode", "Zip/Postal Code", 20),
		text("Country", "Country", 80).share(),
		mail("Email", "Email", 128).must().index(),
		text("Phone", "Phone", 40),
		text("Extension", "Extension", 40),
		text("Fax", "Fax", 40),
		text("MobilePhone", "Mobile", 40),
		text("Alias", "Alias", 8).must(),
		text("CommunityNickname", "Nickname", 40).index(),
		flag("IsActive", "Active", false), // default on create [U]
		reference("UserRoleId", "Role ID", "UserRole", "UserRole").named("Users"),
		reference("ProfileId", "Profile ID", "Profile", "Profile").must().named("Users"),
		reference("ManagerId", "Manager ID", "Manager", "User"),
		picklist("TimeZoneSidKey", "Time Zone", strings.Fields(timeZones)...).must(),
		picklist("LocaleSidKey", "Locale", strings.Fields(locales)...).must(),
		picklist("LanguageLocaleKey", "Language", strings.Fields(languages)...).must(),
		picklist("EmailEncodingKey", "Email Encoding", strings.Fields(emailEncodings)...).must(),
		picklist("DefaultCurrencyIsoCode", "Default Currency ISO Code"),
		computed("UserType", "User Type", kindPicklist, userType),
		text("EmployeeNumber", "Employee Number", 20),
		text("FederationIdentifier", "SAML Federation ID", 512).lookedUp(),
		text("AboutMe", "About Me", 1000),
		flag("ReceivesInfoEmails", "Info Emails", false),
		flag("ReceivesAdminInfoEmails", "Admin Info Emails", false),
		flag("ForecastEnabled", "Allow Forecasting", false),
		flag("UserPermissionsMarketingUser", "Marketing User", false),
		flag("UserPermissionsOfflineUser", "Offline User", false),
		flag("UserPermissionsKnowledgeUser", "Knowledge User", false),
		flag("UserPermissionsInteractionUser", "Flow User", false),
		flag("UserPermissionsSFContentUser", "Salesforce CRM Content User", false),
		flag("UserPermissionsSupportUser", "Service Cloud User", false),
		reference("DelegatedApproverId", "Delegated Approver ID", "", "User", "Group"),
		text("Signature", "Email Signature", 1333),
		text("SenderEmail", "Email Sender Address", 80),
		text("SenderName", "Email Sender Name", 80),
		&field{name: "LastLoginDate", label: "Last Login", kind: kindDatetime, readOnly: true},
		&field{name: "LastPasswordChangeDate", label: "Last Password Change or Reset", kind: kindDatetime, readOnly: true},
		&field{name: "ContactId", label: "Contact ID", kind: kindReference, length: longIDLen, referenceTo: []string{"Contact"}, relationship: "Contact"},
		&field{name: "AccountId", label: "Account ID", kind: kindReference, length: longIDLen, referenceTo: []string{"Account"}, relationship: "Account", readOnly: true},
	)
	o.setup, o.noDelete = true, true // deletable:false [R]
	o.addCustom(custom)
	o.rules, o.stored = userRules, userStored
	return o
}

func userName(o *Org, r *record) any {
	first, _ := r.at(o.user.first.pos).(string)
	last, _ := r.at(o.user.last.pos).(string)
	if first == "" {
		return last
	}
	return first + " " + last
}

// userType comes from the profile's licence. [C baton-salesforce]
func userType(o *Org, r *record) any {
	id, _ := r.at(o.user.profile.pos).(string)
	p := o.table("Profile").live(id)
	if p == nil {
		return "Standard"
	}
	return p.at(o.table("Profile").object.field("UserType").pos)
}

// userFields are the columns of User that rules read on every write.
type userFields struct {
	username, first, last, email, alias, nickname, active, profile, federation *field
	features                                                                   []*field // one flag each
}

func userFieldsOf(o *object) userFields {
	var features []*field
	for _, f := range o.fields {
		if strings.HasPrefix(f.name, featurePrefix) {
			features = append(features, f)
		}
	}
	return userFields{
		features: features,
		username: o.field("Username"), first: o.field("FirstName"), last: o.field("LastName"), email: o.field("Email"),
		alias: o.field("Alias"), nickname: o.field("CommunityNickname"), active: o.field("IsActive"),
		profile: o.field("ProfileId"), federation: o.field("FederationIdentifier"),
	}
}
