package doctor

import (
	"context"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// Supply is what an org has of what a configuration asks for.
type Supply struct {
	Org string `json:"org"`
	// Unasked says why the org was not asked; empty where it was. Nothing else is
	// known then.
	Unasked string `json:"unasked,omitempty"`
	// Missing are names of the configuration that the org has not, or has twice.
	Missing []Finding `json:"missing,omitempty"`
	// Licences are those of the profiles that the configuration names.
	Licences []Licence `json:"licences,omitempty"`
}

// Licence is one user licence, and the profiles that need a seat of it.
type Licence struct {
	Name     string   `json:"name"`
	Profiles []string `json:"profiles"`
	Used     int64    `json:"used"`
	// Total is below 0 for a licence without an end.
	Total int64 `json:"total"`
}

// Supply asks an org whether it has what the configuration names, and how many
// seats are free. Like every look of the doctor's it uses the token that
// token-refresher keeps; where there is none, it says so.
func (d Doctor) Supply(ctx context.Context, b *bus.Bus, org string) Supply {
	d = d.withDefaults()
	x := &examination{Doctor: d, org: org, connect: d.File.Orgs[org].Connect, bus: b}
	x.tokensKey()
	held := x.check(ctx, orgToken, x.tokenRecord) == Fail
	s := Supply{Org: org}
	if why := x.blocked(ctx, held); why != "" {
		s.Unasked = x.reason(why)
		return s
	}
	x.check(ctx, orgNames, x.named)
	for _, f := range x.findings {
		if f.Check == orgNames && f.Level == Fail {
			s.Missing = append(s.Missing, f)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	var err error
	if s.Licences, err = x.licences(ctx); err != nil {
		s.Unasked = redact("reading licences: "+err.Error(), x.secrets)
	}
	return s
}

// reason is what the first check that was not well said, else why.
func (x *examination) reason(why string) string {
	i := slices.IndexFunc(x.findings, func(f Finding) bool { return f.Level == Fail || f.Level == Warn })
	if i < 0 {
		return why
	}
	return x.findings[i].Message
}

// licences are the licences of the profiles that the configuration names.
func (x *examination) licences(ctx context.Context) ([]Licence, error) {
	profiles := profilesOf(x.File.Orgs[x.org].Assign)
	if len(profiles) == 0 {
		return nil, nil
	}
	rows, err := x.client.Query(ctx, "SELECT Name, UserLicense.Name, UserLicense.TotalLicenses, UserLicense.UsedLicenses FROM Profile WHERE "+
		salesforce.In("Name", profiles))
	if err != nil {
		return nil, err
	}
	var out []Licence
	for _, r := range rows {
		name := r.String("UserLicense.Name")
		at := slices.IndexFunc(out, func(l Licence) bool { return l.Name == name })
		if at < 0 {
			at = len(out)
			out = append(out, Licence{Name: name, Used: r.Int("UserLicense.UsedLicenses"), Total: r.Int("UserLicense.TotalLicenses")})
		}
		out[at].Profiles = append(out[at].Profiles, r.String("Name"))
	}
	slices.SortFunc(out, func(a, b Licence) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
