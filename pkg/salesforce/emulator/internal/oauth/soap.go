package oauth

import (
	"net/http"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
)

// soapFault has the form of a fault of the partner API; clients read
// exceptionCode and exceptionMessage out of it. [C simple-salesforce, jsforce]
const soapFault = `<?xml version="1.0" encoding="UTF-8"?>` +
	`<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` +
	`<soapenv:Body><soapenv:Fault><faultcode>sf:INVALID_OPERATION</faultcode><faultstring>INVALID_OPERATION: ` + soapRefusal + `</faultstring>` +
	`<detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>INVALID_OPERATION</sf:exceptionCode>` +
	`<sf:exceptionMessage>` + soapRefusal + `</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>`

// soapRefusal is what orgs say in which login() is off, as it is in new ones.
// [R OpenFn adaptors #1715]
const soapRefusal = `SOAP API login() is disabled by default in this org. Contact the org administrator to enable SOAP API login().`

// soap answers every SOAP call: clients with a username and a password begin
// with login(), and read XML even when they are refused.
func soap(c *call.Call) {
	c.Kind("text/xml;charset=UTF-8")
	c.Set(http.StatusInternalServerError, []byte(soapFault))
}
