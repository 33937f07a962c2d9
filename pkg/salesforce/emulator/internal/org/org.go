package org

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/auth"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Org is one org: its rows, and what its rules count and remember. The state
// lock of its Set guards everything but Auth, which has a lock of its own, and
// its Place.
type Org struct {
	*store.Data
	ID     string // 18 characters
	Config Config
	Auth   *auth.Store
	Usage  Usage
	Denied Denials
	Made   time.Time // when its metadata last changed

	set      *Set
	place    atomic.Pointer[Place]
	user     userFields
	seats    *seats
	refusals map[string]Refusal // by 15 character user id
}

func newOrg(set *Set, cfg Config, ordinal int) *Org {
	o := &Org{set: set, Config: cfg, ID: cfg.ID, Data: store.New(store.PodOf(ordinal), set.Now),
		refusals: map[string]Refusal{}, Denied: Denials{}, Made: set.Now()}
	if o.ID == "" {
		o.ID = store.NewID("00D", o.Pod, uint64(ordinal+1))
	}
	o.ID = store.LongID(store.ShortID(o.ID))
	o.complete()
	o.place.Store(placeAt(o.Config.InstanceURL, nil))
	o.Lacks = func(userID string, obj *store.Object) bool { return o.Denied.LacksRight(userID, obj) }
	o.Declare(standardObjects(o, cfg.CustomFields))
	o.user = userFieldsOf(o.Object("User"))
	o.seats = newSeats(o.Data, &o.user, cfg.FeatureLicenses)
	o.Auth = auth.NewStore(auth.Settings{OrgID: o.ID, Apps: cfg.Clients, LoginsPerHour: cfg.LoginsPerHour,
		SessionTimeout: cfg.SessionTimeout, PropagationDelay: cfg.PropagationDelay}, set.Now)
	return o
}

// complete fills in what the configuration leaves out.
func (o *Org) complete() {
	if o.Config.Name == "" {
		o.Config.Name = "Emulated Org"
	}
	if o.Config.Kind == "" {
		o.Config.Kind = MyDomain
	}
	o.Config.InstanceURL = strings.TrimSuffix(o.Config.InstanceURL, "/")
	if o.Config.DailyAPILimit == 0 {
		o.Config.DailyAPILimit = 5_000_000
	}
}

// LicenceOf gives the licence id of a profile, or "".
func (o *Org) LicenceOf(profileID string) string {
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

// UserByName finds a user by username in any case, active or not.
func (o *Org) UserByName(username string) *store.Record {
	return o.ByName("User", "Username", username)
}

// Active says whether a row of User is active; no row is not.
func (o *Org) Active(user *store.Record) bool {
	return user != nil && user.At(o.user.active.Pos) == true
}

// Frozen says whether a user is kept from signing in.
func (o *Org) Frozen(userID string) bool {
	login := o.loginOf(userID)
	return login != nil && login.At(o.Object("UserLogin").Field("IsFrozen").Pos) == true
}

func (o *Org) loginOf(userID string) *store.Record { return o.ByName("UserLogin", "UserId", userID) }

// NameOf reads one column of a row; empty when there is no row.
func (o *Org) NameOf(object, id, column string) string {
	t := o.Table(object)
	r := t.Live(id)
	if r == nil {
		return ""
	}
	return wire.PlainValue(r.At(t.Object.Field(column).Pos))
}

// SeatsOf is how many seats of a licence are used.
func (o *Org) SeatsOf(licenceID string) int { return o.seats.taken(licenceID) }

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
