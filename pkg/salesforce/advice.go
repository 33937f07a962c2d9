package salesforce

import "strings"

// Advice says in an admin's words what to do about a refusal that concerns the
// whole org, by Salesforce's code and text as a failure record keeps them.
// Empty for everything else: a refused token request has [TokenError.Advice].
func Advice(code, message string) string {
	if strings.Contains(message, "This session is not valid for use with the REST API") { // [R jsforce http-api.ts]
		return "The session may not be used for the API: give the app the scope 'Manage user data via APIs (api)', give the integration user " +
			"\"API Enabled\", and look at the session settings and policies in Setup. A new login alone does not help."
	}
	switch code {
	case "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": // [R]
		return "The password of the integration user has expired: reset it (log in as the user, or Setup, Users, Reset Password), " +
			"and give the user the permission \"Password Never Expires\". The org is tried again by itself."
	case "API_CURRENTLY_DISABLED", "FUNCTIONALITY_NOT_ENABLED": // [S/U]; [R baton-salesforce docs]
		return "The integration user may not use the API: tick \"API Enabled\" in its profile or in a permission set it has " +
			"(licence \"Salesforce Integration\": assign the permission set licence SalesforceAPIIntegrationPsl as well)."
	case "API_DISABLED_FOR_ORG", "RESTAPINOTENABLED": // [R restforce #219]; [D]
		return "The org's edition has no API: ask Salesforce to enable it, or use another edition. Nothing in Rollcall can change this."
	case "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY": // [R]
		return "The integration user lost a permission it needs: give it \"Manage Users\" and \"Assign Permission Sets\", in its profile or in a permission set."
	case "INVALID_SESSION_ID", "LOGIN_OAUTH_INVALID_TOKEN": // [R]
		return "Salesforce does not accept the session any more: token-refresher gets a new one by itself. If it lasts, see whether somebody " +
			"ends sessions in Setup (Session Management), and whether the app's session policy locks sessions to IP addresses."
	case "URL_NOT_RESET": // [R]
		return "The call went to a login host: set connect.loginURL to the org's My Domain, https://<your domain>.my.salesforce.com."
	case "INACTIVE_USER", "INVALID_LOGIN": // [D WSDL]
		return "The integration user cannot log in: see in Setup, Users, whether it is active and not frozen, and in Login History why."
	case CodeHostRefused:
		return "Salesforce named a host that is not on the list of allowed hosts: if it is yours, add its suffix to connect.hostSuffixes."
	case CodeOrgRefused:
		return "The login belongs to another org than connect.orgID says: sign in to the right org, or correct the org id."
	case CodeRedirect, CodeNotSalesforce:
		return "Something other than Salesforce's API answered: look for a proxy or a login page on the way, and for maintenance on status.salesforce.com."
	}
	return ""
}
