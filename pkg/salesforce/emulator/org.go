package emulator

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// Org is one emulated org.
type Org struct {
	server *Server
	cfg    OrgConfig
	id     string
	host   string // of InstanceURL, lower case
	*store.Data
	user     userFields
	seats    *seats
	refusals map[string]Refusal
	denied   denials
	cursors  *cursorStore
	usage    apiUsage
	auth     *auth.Store
	bulk     *bulkStore
	made     time.Time // when its metadata last changed
}

func newOrg(s *Server, cfg OrgConfig, ordinal int) *Org {
	o := &Org{server: s, cfg: cfg, id: cfg.ID, Data: store.New(store.PodOf(ordinal), s.now),
		refusals: map[string]Refusal{}, denied: denials{}, cursors: newCursorStore(), made: s.now()}
	if o.id == "" {
		o.id = store.NewID("00D", o.Pod, uint64(ordinal+1))
	}
	o.id = store.LongID(store.ShortID(o.id))
	if o.cfg.Name == "" {
		o.cfg.Name = "Emulated Org"
	}
	if o.cfg.Kind == "" {
		o.cfg.Kind = MyDomain
	}
	o.cfg.InstanceURL = strings.TrimSuffix(cfg.InstanceURL, "/")
	if u, err := url.Parse(cfg.InstanceURL); err == nil {
		o.host = strings.ToLower(u.Host)
	}
	if o.cfg.DailyAPILimit == 0 {
		o.cfg.DailyAPILimit = 5_000_000
	}
	o.Lacks = func(userID string, obj *store.Object) bool { return o.denied.lacksRight(userID, obj) }
	o.Declare(standardObjects(o, cfg.CustomFields))
	o.user = userFieldsOf(o.Object("User"))
	o.seats = newSeats(o.Data, &o.user, cfg.FeatureLicenses)
	o.auth = auth.NewStore(auth.Settings{OrgID: o.id, Apps: cfg.Clients, LoginsPerHour: cfg.LoginsPerHour,
		SessionTimeout: cfg.SessionTimeout, PropagationDelay: cfg.PropagationDelay}, s.now)
	o.bulk = newBulkStore()
	return o
}

// ID is the org's 18 character id.
func (o *Org) ID() string { return o.id }

// Name is the organization's name.
func (o *Org) Name() string { return o.cfg.Name }

// licenceOf gives the licence id of a profile, or "".
func (o *Org) licenceOf(profileID string) string {
	t := o.Table("Profile")
	p := t.Live(profileID)
	if p == nil {
		return ""
	}
	id, _ := p.At(t.Object.Field("UserLicenseId").Pos).(string)
	return id
}

// isChatter says whether users with this licence may change to no other.
func (o *Org) isChatter(licenceID string) bool {
	t := o.Table("UserLicense")
	l := t.Live(licenceID)
	return l != nil && l.At(t.Object.Field("Name").Pos) == ChatterFreeLicense
}

// userByName finds a user by username in any case, active or not.
func (o *Org) userByName(username string) *store.Record {
	return o.ByName("User", "Username", username)
}

// plant writes as the emulator itself: no faults, read-only fields allowed.
func (o *Org) plant(object string, values map[string]any) (string, error) {
	t := o.Begin(nil)
	t.Plants = true
	res := t.Insert(o.Object(object), store.MapInput(values))
	if !res.OK() {
		return "", fmt.Errorf("%s %v: %w", object, values, res.Errs[0])
	}
	return res.ID, nil
}
