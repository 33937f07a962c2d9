package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/test/chaos/dump"
	"github.com/rollcall-sync/rollcall/test/chaos/plan"
)

// take reads everything that the checker looks at.
func (s *Stage) take(ctx context.Context) (*dump.Dump, error) {
	d := &dump.Dump{Seed: s.plan.Seed, Manual: s.plan.Manual, Streams: map[string][]dump.Message{}, Orgs: map[string]dump.Org{},
		Logs: map[string]string{}, Metrics: map[string]string{}, Heard: s.heard.all(), Secrets: map[string]string{clientSecret: "client secret", deploymentKey: "deployment key"}}
	keyer, err := events.NewKeyer([]byte(deploymentKey))
	if err != nil {
		return nil, err
	}
	for i, p := range s.plan.People {
		d.People = append(d.People, dump.Person{Key: keyer.Person(p.Number), Number: p.Number, Given: p.Given, Family: p.Family, Username: p.Username(),
			Trouble: i == plan.Troubled, Steady: i >= len(s.plan.People)-s.plan.Steady})
	}
	for i := range s.plan.Groups {
		d.Groups = append(d.Groups, keyer.Group(directory, groupID(i)))
	}
	for name, org := range s.sf.orgs {
		out := dump.Org{Users: org.Users(), Journal: org.Journal(journalOfAll()), Before: s.sf.before[name], Phones: s.phones[name]}
		if name == plan.Acme {
			out.Protected = []string{s.sf.protected.Number}
		}
		d.Orgs[name] = out
	}
	for name, p := range s.procs {
		d.Logs[name] = p.output()
		if text, err := metrics(ctx, d.Logs[name]); err == nil {
			d.Metrics[name] = text
		}
	}
	for _, name := range []string{events.StreamDirectory, events.StreamRoster, events.StreamDead, events.StreamOperator} {
		if err := s.stream(ctx, d, name); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// stream reads all messages of a stream, and how far its readers are.
func (s *Stage) stream(ctx context.Context, d *dump.Dump, name string) error {
	stream, err := s.js.Stream(ctx, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	last := stream.CachedInfo().State.LastSeq
	for seq := stream.CachedInfo().State.FirstSeq; seq <= last; seq++ {
		m, err := stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		seq = m.Sequence
		d.Streams[name] = append(d.Streams[name], dump.NewMessage(m.Subject, m.Sequence, m.Time, m.Data))
	}
	for c := range stream.ListConsumers(ctx).Info() {
		d.Consumers = append(d.Consumers, dump.Consumer{Stream: name, Name: c.Name, AckFloor: c.AckFloor.Stream, Pending: c.NumPending, InHand: c.NumAckPending})
	}
	return nil
}

// metrics asks a process for its page; the log says where that is.
func metrics(ctx context.Context, log string) (string, error) {
	found := regexp.MustCompile(`"listen":"(127\.0\.0\.1:\d+)"`).FindAllStringSubmatch(log, -1)
	if len(found) == 0 {
		return "", errors.New("no page of metrics")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+found[len(found)-1][1]+"/metrics", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}
