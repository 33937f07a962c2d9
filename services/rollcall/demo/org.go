package demo

import "github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"

// platformSeats is less than the sample export needs, so that the demo has
// somebody who is stuck for a reason that can be removed.
const platformSeats = 30

// SalesforceOrg is the demo's emulated org.
func SalesforceOrg(clientSecret string) emulator.OrgConfig {
	org := emulator.DefaultOrg(ClientID, clientSecret)
	for i, l := range org.Licenses {
		if l.Name == emulator.PlatformLicense {
			org.Licenses[i].Seats = platformSeats
		}
	}
	return org
}
