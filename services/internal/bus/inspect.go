package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// varz is where a server says how it is configured. Few accounts may ask.
const varz = "$SYS.REQ.SERVER.PING.VARZ"

// ErrUnseen says that this connection may not see what was asked for.
var ErrUnseen = errors.New("this connection cannot see it")

// Server is the server that a connection is at.
type Server struct {
	Name, Version string
	RTT           time.Duration
	// CertifiedUntil is when its certificate ends; zero without TLS.
	CertifiedUntil time.Time
}

// Server asks the server for a sign of life.
func (b *Bus) Server() (Server, error) {
	rtt, err := b.nc.RTT()
	if err != nil {
		return Server{}, fmt.Errorf("ask NATS for a sign of life: %w", err)
	}
	s := Server{Name: b.nc.ConnectedServerName(), Version: b.nc.ConnectedServerVersion(), RTT: rtt}
	if state, err := b.nc.TLSConnectionState(); err == nil && len(state.PeerCertificates) > 0 {
		s.CertifiedUntil = state.PeerCertificates[0].NotAfter
	}
	return s, nil
}

// Clock says how far the server's clock is ahead of ours, and how far that may
// be wrong: the server stamps what it says of a stream.
func (b *Bus) Clock(ctx context.Context) (ahead, give time.Duration, err error) {
	return b.clockBy(ctx, events.StreamRoster)
}

// clockBy asks by a stream that this connection may look up.
func (b *Bus) clockBy(ctx context.Context, stream string) (ahead, give time.Duration, err error) {
	before := time.Now()
	s, err := b.js.Stream(ctx, stream)
	if err != nil {
		return 0, 0, fmt.Errorf("look up stream %s: %w", stream, err)
	}
	took := time.Since(before)
	stamp := s.CachedInfo().TimeStamp
	if stamp.IsZero() {
		return 0, 0, ErrUnseen
	}
	return stamp.Sub(before.Add(took / 2)), took / 2, nil
}

// Storage is how much disk the account's streams use. A Limit below zero is
// none of the account's own.
type Storage struct {
	Used, Reserved uint64
	Limit          int64
}

// Storage asks for the account's use of the disk; [ErrUnseen] where this
// connection may not ask.
func (b *Bus) Storage(ctx context.Context) (Storage, error) {
	info, err := b.js.AccountInfo(ctx)
	if err != nil {
		return Storage{}, fmt.Errorf("%w: %w", ErrUnseen, err)
	}
	out := Storage{Used: info.Store, Reserved: info.ReservedStore, Limit: info.Limits.MaxStore}
	for _, tier := range info.Tiers { // an account with tiers has its limits there
		out.Used, out.Reserved, out.Limit = out.Used+tier.Store, out.Reserved+tier.ReservedStore, max(out.Limit, tier.Limits.MaxStore)
	}
	return out, nil
}

// Disk is what the server itself says of its disk.
type Disk struct {
	// SyncAlways says that every write is on the disk before it is
	// acknowledged; otherwise every SyncInterval.
	SyncAlways   bool
	SyncInterval time.Duration
	// Limit is max_file_store, Used what all accounts use of it.
	Used  uint64
	Limit int64
}

// Disk asks the server how it keeps its disk; [ErrUnseen] where this connection
// may not ask, as usual. Of a cluster, the first server that answers counts.
func (b *Bus) Disk(ctx context.Context) (Disk, error) {
	msg, err := b.nc.RequestWithContext(ctx, varz, nil)
	if err != nil {
		return Disk{}, fmt.Errorf("%w: %w", ErrUnseen, err)
	}
	var answer struct {
		Data struct {
			JetStream struct {
				Config *struct {
					MaxStore     int64         `json:"max_storage"`
					SyncInterval time.Duration `json:"sync_interval"`
					SyncAlways   bool          `json:"sync_always"`
				} `json:"config"`
				Stats struct {
					Store uint64 `json:"storage"`
				} `json:"stats"`
			} `json:"jetstream"`
		} `json:"data"`
	}
	if err := json.Unmarshal(msg.Data, &answer); err != nil || answer.Data.JetStream.Config == nil {
		return Disk{}, fmt.Errorf("%w: the answer holds no JetStream configuration", ErrUnseen)
	}
	c := answer.Data.JetStream.Config
	return Disk{SyncAlways: c.SyncAlways, SyncInterval: c.SyncInterval, Limit: c.MaxStore, Used: answer.Data.JetStream.Stats.Store}, nil
}
