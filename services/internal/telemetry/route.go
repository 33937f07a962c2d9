package telemetry

import "strings"

// Route returns the template of a Salesforce path: everything that names a
// record, a value or a version replaced, so that it is safe in a span's name and
// bounded as a metric label. A path nobody knows is "other".
func Route(path string) string {
	p := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(p) >= 2 && p[0] == "services" && p[1] == "oauth2":
		return oauthRoute(p)
	case len(p) == 2 && p[0] == "services" && p[1] == "data":
		return "/services/data"
	case len(p) >= 3 && p[0] == "services" && p[1] == "data":
		return "/services/data/{version}" + dataRoute(p[3:])
	}
	return "other"
}

func oauthRoute(p []string) string {
	if len(p) == 3 && (p[2] == "token" || p[2] == "revoke" || p[2] == "userinfo" || p[2] == "introspect") {
		return "/services/oauth2/" + p[2]
	}
	return "/services/oauth2/other"
}

// dataRoute is the template below /services/data/{version}.
func dataRoute(p []string) string {
	switch {
	case len(p) == 0:
		return ""
	case p[0] == "query" && len(p) == 1, p[0] == "limits", p[0] == "composite" && len(p) == 1:
		return "/" + p[0]
	case p[0] == "query":
		return "/query/{locator}"
	case p[0] == "sobjects":
		return "/sobjects" + objectRoute(p[1:])
	case p[0] == "composite" && p[1] == "sobjects":
		return "/composite/sobjects" + objectRoute(p[2:])
	case p[0] == "composite" && (p[1] == "batch" || p[1] == "tree" || p[1] == "graph"):
		return "/composite/" + p[1]
	}
	return "/other"
}

// objectRoute keeps the object's type, which is metadata, and hides the rest.
func objectRoute(p []string) string {
	switch len(p) {
	case 0:
		return ""
	case 1:
		return "/" + objectType(p[0])
	case 2:
		if p[1] == "describe" {
			return "/" + objectType(p[0]) + "/describe"
		}
		return "/" + objectType(p[0]) + "/{id}"
	}
	return "/" + objectType(p[0]) + "/{field}/{value}"
}

// objectType lets the standard objects Rollcall uses through: a label must not
// grow with what somebody puts in a URL.
func objectType(name string) string {
	switch name {
	case "User", "UserLogin", "Profile", "UserRole", "PermissionSet", "PermissionSetAssignment", "Group", "GroupMember", "Organization", "UserLicense":
		return name
	}
	return "{object}"
}
