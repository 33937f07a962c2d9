package stage

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/test/chaos/plan"
)

const clientSecret = "a-secret-of-the-run"

// plantedPhone is a field of planted users that Rollcall does not manage.
const plantedPhone = "0123"

// strangers are users of acme that nobody's record fits.
const strangers = 3

// salesforce is the emulator with both orgs. It is part of this process: whatever
// is killed, Salesforce forgets nobody.
type salesforce struct {
	server *emulator.Server
	web    *http.Server
	url    string
	orgs   map[string]*emulator.Org
	// before are users that are not Rollcall's, protected whose record fits one all
	// the same, by their username.
	before    map[string][]emulator.User
	protected plan.Person
}

// openSalesforce serves both orgs, with what is planted in them.
func openSalesforce(ctx context.Context, p plan.Plan) (*salesforce, error) {
	s := &salesforce{server: emulator.New(), orgs: map[string]*emulator.Org{}, before: map[string][]emulator.User{}, protected: p.People[plan.Protected]}
	for _, name := range []string{plan.Acme, plan.Bravo} {
		s.orgs[name] = s.server.AddOrg(orgConfig(name))
	}
	if err := s.plant(p); err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the org: %w", err)
	}
	s.url = "http://" + l.Addr().String()
	s.web = &http.Server{Handler: s.server, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.web.Serve(l) }() // ends with Close, and says so
	return s, nil
}

// orgConfig is an org with an integration user of its own: usernames are unique
// over all orgs.
func orgConfig(name string) emulator.OrgConfig {
	cfg := emulator.DefaultOrg("chaos-"+name, clientSecret)
	user := name + "." + emulator.IntegrationUsername
	cfg.Name, cfg.Clients[0].RunAsUsername, cfg.Users[0]["Username"] = name, user, user
	return cfg
}

// username is what a person's user is called in an org.
func username(p plan.Person, org string) string { return strings.ToLower(p.Username()) + "." + org }

// plant makes users that are there before Rollcall: strangers, one who is protected
// though a record fits, and one whom Rollcall is to adopt.
func (s *salesforce) plant(p plan.Plan) error {
	acme := s.orgs[plan.Acme]
	var names []string
	for i := range strangers {
		names = append(names, fmt.Sprintf("stranger%d@elsewhere.example", i))
	}
	names = append(names, username(s.protected, plan.Acme), username(p.People[plan.Adopted], plan.Acme))
	for _, name := range names {
		_, err := acme.Create("User", map[string]any{"Username": name, "LastName": "Stranger", "Title": "Stranger", "Alias": "stranger",
			"Email": "stranger@elsewhere.example", "Profile": emulator.StandardUserProfile, "IsActive": true, "Phone": plantedPhone})
		if err == nil {
			err = acme.Give(name, emulator.Access{PermissionSets: []string{"HR_Data"}})
		}
		if err != nil {
			return fmt.Errorf("plant a user: %w", err)
		}
	}
	for _, name := range names[:len(names)-1] {
		u, _ := acme.UserByUsername(name)
		s.before[plan.Acme] = append(s.before[plan.Acme], u)
	}
	return nil
}

// hostile begins the misbehaviour that no step plans.
func (s *salesforce) hostile(seed uint64) error {
	return s.server.Misbehave(emulator.Hostility{Seed: seed, Rate: 0.06, LateRate: 0.05, LateWithinMillis: int(plan.LateWithin.Milliseconds())})
}

// seats of the licence that all profiles of the run need.
const seats = 100_000

// heal ends everything that any step may have begun.
func (s *salesforce) heal() error {
	s.server.ClearFaults()
	if err := s.server.Misbehave(emulator.Hostility{}); err != nil {
		return err
	}
	for _, org := range s.orgs {
		for _, err := range []error{org.Allow(""), org.SetSeats(emulator.SalesforceLicense, seats), org.PlantFlow(emulator.Flow{})} {
			if err != nil {
				return fmt.Errorf("heal %s: %w", org.Name(), err)
			}
		}
	}
	return nil
}
