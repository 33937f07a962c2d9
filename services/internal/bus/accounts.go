package bus

import (
	"fmt"
	"strings"
)

// DefaultNkeysFile is where the public keys are, as seen from /etc/nats: NATS
// takes included files relative to the file that includes them.
const DefaultNkeysFile = "../../run/secrets/nats-nkeys"

// AccountsConf is NATS's configuration of one account with these roles as its
// only users. Public keys are variables, from a file that is included.
func AccountsConf(roles []Role, nkeys string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "include %q\n\n", nkeys)
	b.WriteString("system_account: SYS\naccounts {\n  # No user. One question is answered: how the server is configured, for `rollcall doctor`.\n")
	fmt.Fprintf(&b, "  SYS { exports: [ { service: %q, accounts: [ROLLCALL] } ] }\n", varz)
	b.WriteString("  ROLLCALL {\n    jetstream: enabled\n")
	fmt.Fprintf(&b, "    imports: [ { service: { account: SYS, subject: %q } } ]\n    users: [\n", varz)
	for _, r := range roles {
		fmt.Fprintf(&b, "      # %s\n      { nkey: $%s, permissions: {\n", r.Who, r.Variable())
		list(&b, "publish", r.Publish())
		list(&b, "subscribe", r.Subscribe())
		b.WriteString("      } }\n")
	}
	b.WriteString("    ]\n  }\n}\n")
	return b.String()
}

func list(b *strings.Builder, what string, subjects []string) {
	fmt.Fprintf(b, "        %s: { allow: [\n", what)
	for _, s := range subjects {
		fmt.Fprintf(b, "          %q\n", s)
	}
	b.WriteString("        ] }\n")
}
