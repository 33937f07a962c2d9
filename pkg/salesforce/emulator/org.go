package emulator

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Org is one emulated org.
type Org struct {
	server   *Server
	cfg      OrgConfig
	id       string
	pod      string
	host     string // of InstanceURL, lower case
	tables   map[string]*table
	objects  []*object
	user     userFields
	seats    map[string]int // used, by 15 character licence id
	refusals map[string]Refusal
	denied   map[string][]Denial // by 15 character user id; "" is everybody
	interned map[string]any
	cursors  *cursorStore
	usage    apiUsage
	auth     *authStore
	bulk     *bulkStore
	access   map[*field]FieldAccess
	// featureSeats are used, by the field of the feature.
	featureSeats map[*field]int
	made         time.Time // when its metadata last changed
}

// maxInterned bounds the table of shared values.
const maxInterned = 8192

func newOrg(s *Server, cfg OrgConfig, ordinal int) *Org {
	o := &Org{server: s, cfg: cfg, id: cfg.ID, pod: podOf(ordinal), tables: map[string]*table{}, seats: map[string]int{},
		refusals: map[string]Refusal{}, denied: map[string][]Denial{}, interned: map[string]any{}, cursors: newCursorStore(), made: s.now(),
		access: map[*field]FieldAccess{}, featureSeats: map[*field]int{}}
	if o.id == "" {
		o.id = newID("00D", o.pod, uint64(ordinal+1))
	}
	o.id = longID(shortID(o.id))
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
	o.objects = standardObjects(cfg.CustomFields)
	for _, obj := range o.objects {
		o.tables[strings.ToLower(obj.name)] = newTable(obj)
	}
	o.user = userFieldsOf(o.object("User"))
	o.auth = newAuthStore(o)
	o.bulk = newBulkStore()
	return o
}

// ID is the org's 18 character id.
func (o *Org) ID() string { return o.id }

// Name is the organization's name.
func (o *Org) Name() string { return o.cfg.Name }

func (o *Org) table(object string) *table {
	if t, ok := o.tables[object]; ok {
		return t
	}
	return o.tables[strings.ToLower(object)]
}

// object finds an sObject type by name in any case, or nil.
func (o *Org) object(name string) *object {
	if t := o.table(name); t != nil {
		return t.object
	}
	return nil
}

// objectOf finds the type that an id belongs to.
func (o *Org) objectOf(id string) *object {
	for _, obj := range o.objects {
		if strings.HasPrefix(id, obj.prefix) {
			return obj
		}
	}
	return nil
}

// value reads a column, stored or computed.
func (o *Org) value(r *record, f *field) any {
	if f.compute != nil {
		return f.compute(o, r)
	}
	v := r.at(f.pos)
	if v == nil && f.kind == kindBoolean {
		return false // false is not stored: a user has a dozen flags
	}
	return v
}

// intern keeps one copy of values that many rows share.
func (o *Org) intern(f *field, v any) any {
	s, ok := v.(string)
	if !ok || !f.shared {
		return v
	}
	if kept, ok := o.interned[s]; ok {
		return kept
	}
	if len(o.interned) < maxInterned {
		o.interned[s] = v
	}
	return v
}

// licenceOf gives the licence id of a profile, or "".
func (o *Org) licenceOf(profileID string) string {
	t := o.table("Profile")
	p := t.live(profileID)
	if p == nil {
		return ""
	}
	id, _ := p.at(t.object.field("UserLicenseId").pos).(string)
	return id
}

func (o *Org) isChatter(licenceID string) bool {
	t := o.table("UserLicense")
	l := t.live(licenceID)
	return l != nil && l.at(t.object.field("Name").pos) == ChatterFreeLicense
}

func (o *Org) licence(id string) (*table, *record) {
	for _, name := range [...]string{"UserLicense", "PermissionSetLicense"} {
		if r := o.table(name).live(id); r != nil {
			return o.table(name), r
		}
	}
	return nil, nil
}

func (o *Org) seatFree(licenceID string) bool {
	t, r := o.licence(licenceID)
	if r == nil {
		return true
	}
	total, _ := r.at(t.object.field("TotalLicenses").pos).(int64)
	return int64(o.seats[shortID(licenceID)]) < total
}

func (o *Org) moveSeat(from, to string) {
	if from != "" {
		o.seats[shortID(from)]--
	}
	if to != "" {
		o.seats[shortID(to)]++
	}
}

// byName finds the first row whose indexed column has the value.
func (o *Org) byName(object, column, value string) *record {
	t := o.table(object)
	rows := t.matches(t.object.field(column), value)
	if len(rows) == 0 {
		return nil
	}
	bySeq(rows)
	return rows[0]
}

func (o *Org) userByName(username string) *record { return o.byName("User", "Username", username) }

// plant writes as the emulator itself: no faults, read-only fields allowed.
func (o *Org) plant(object string, values map[string]any) (string, error) {
	t := o.begin(nil)
	t.plants = true
	res := t.insert(o.object(object), mapInput(values))
	if !res.ok() {
		return "", fmt.Errorf("%s %v: %w", object, values, res.errs[0])
	}
	return res.id, nil
}
