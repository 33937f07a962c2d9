package alerts

import (
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

// scrapeEvery is how often the metrics below are scraped, and rules evaluated.
const scrapeEvery = 30 * time.Second

// moment is when an alert is looked at, and the summaries of those that fire then.
type moment struct {
	at   time.Duration
	want []string
}

// story is what metrics said over time, in the notation of promtool's tests: a
// value for each scrape, "0+1x5" for 0, 1, 2, 3, 4, 5, "_" for none.
type story struct {
	alert, name string
	series      []string
	moments     []moment
}

func stories() []story {
	return slices.Concat(storiesOfServices(), storiesOfOrgs(), storiesOfPeople(), storiesOfStreams())
}

func storiesOfServices() []story {
	return []story{
		{"RollcallServiceDown", "one of two pushers", []string{
			`up{job="salesforce-pusher",instance="a:9464"} 1x4 0x20`, `up{job="salesforce-pusher",instance="b:9464"} 1x30`,
			`up{job="somebody-else",instance="c:80"} 0x30`,
		}, []moment{{2 * time.Minute, nil}, {4 * time.Minute, nil}, {5 * time.Minute, []string{"salesforce-pusher on a:9464 does not answer"}}}},
		{"RollcallServiceGone", "two that are not there at all", []string{
			`up{job="token-refresher"} 1x40`, `up{job="salesforce-pusher"} 1x40`, `up{job="retry-scheduler"} 1x4 0x30`, `up{job="assignment"} 1x4 _x30`,
		}, []moment{{2 * time.Minute, nil}, {15 * time.Minute, []string{"no replica of assignment is up", "no replica of retry-scheduler is up"}}}},
		{"RollcallServiceGone", "one replica of two is down", []string{
			`up{job="token-refresher"} 1x40`, `up{job="salesforce-pusher"} 1x40`, `up{job="retry-scheduler"} 1x40`,
			`up{job="assignment",instance="a"} 1x40`, `up{job="assignment",instance="b"} 0x40`,
		}, []moment{{15 * time.Minute, nil}}},
	}
}

func storiesOfOrgs() []story {
	return []story{
		{"RollcallOrgHeld", "by its credentials, then mended", []string{
			`rollcall_push_held{org="sales"} 0x4 1x20 0x20`, `rollcall_push_held{org="support"} 0x50`,
			`rollcall_token_state{org="sales",state="held"} 0x4 1x20 0x20`,
		}, []moment{
			{4 * time.Minute, nil}, {10 * time.Minute, []string{"org sales is held: nothing is sent to it"}}, {15 * time.Minute, nil},
		}},
		{"RollcallAPIBudget", "above four fifths", []string{
			`rollcall_push_api_used{org="sales"} 790+10x30`, `rollcall_push_api_limit{org="sales"} 1000x30`,
			`rollcall_push_api_used{org="unknown"} 5x30`, `rollcall_push_api_limit{org="unknown"} 0x30`,
		}, []moment{{30 * time.Second, nil}, {8 * time.Minute, []string{"95% of sales's API calls of the last 24 hours are used"}}}},
		{"RollcallTokenRefused", "again and again", []string{
			`rollcall_token_requests_total{org="sales",result="invalid_grant"} 0+1x30`, `rollcall_token_requests_total{org="support",result="granted"} 0+9x30`,
		}, []moment{{time.Minute, nil}, {10 * time.Minute, []string{"Salesforce refuses sales's sign-in (invalid_grant)"}}}},
		{"RollcallDriftReported", "a freeze, then lifted by whoever set it", []string{
			`rollcall_check_reported{org="sales",kind="frozen"} 0x4 1x30 0x20`, `rollcall_check_reported{org="sales",kind="given"} 0x60`,
		}, []moment{{10 * time.Minute, nil}, {13 * time.Minute, []string{"1 users of sales were changed by hand (frozen), and are left as they are"}}, {20 * time.Minute, nil}}},
		{"RollcallCheckStopped", "a refreshed sandbox", []string{
			`rollcall_check_stopped{org="sales"} 0x4 1x30 0x20`, `rollcall_check_stopped{org="support"} 0x60`,
		}, []moment{{time.Minute, nil}, {5 * time.Minute, []string{"sales is not the org whose users are known: nobody is put right"}}, {20 * time.Minute, nil}}},
		{"RollcallTokenRefused", "once", []string{
			`rollcall_token_requests_total{org="sales",result="invalid_grant"} 0x2 1x30`,
		}, []moment{{10 * time.Minute, nil}}},
	}
}

func storiesOfPeople() []story {
	return []story{
		{"RollcallChangesHeld", "until an operator has decided", []string{
			`rollcall_held_people{org="sales",cause="source:hr",aspect="active",instance="a"} 0x4 622x20 0x20`,
			`rollcall_held_people{org="sales",cause="source:hr",aspect="active",instance="b"} 0x4 622x20 0x20`,
			`rollcall_held_people{org="sales",cause="config",aspect="active"} 0x50`,
		}, []moment{
			{time.Minute, nil}, {4 * time.Minute, []string{"622 people of sales keep what source:hr would take (active)"}}, {15 * time.Minute, nil},
		}},
		{"RollcallLeaverWaiting", "seven minutes", []string{
			`rollcall_consumer_pending{stream="ROSTER",consumer="pusher-sales-leaver"} 0x4 3x14 0x20`,
			`rollcall_consumer_pending{stream="ROSTER",consumer="pusher-sales-change"} 90x40`,
		}, []moment{
			{4 * time.Minute, nil}, {8 * time.Minute, []string{"leavers wait in pusher-sales-leaver for more than five minutes"}}, {11 * time.Minute, nil},
		}},
		{"RollcallLeaverParked", "the first of all", []string{
			`rollcall_retry_parked_total{org="sales",cause="deactivation_refused"} _x4 1x60`, `rollcall_retry_parked_total{org="sales",cause="licence"} 0+1x60`,
		}, []moment{
			{90 * time.Second, nil}, {3 * time.Minute, []string{"a leaver of sales was parked under deactivation_refused"}}, {25 * time.Minute, nil},
		}},
		{"RollcallLeaverParked", "one more", []string{
			`rollcall_retry_parked_total{org="sales",cause="deactivate_disabled"} 4x60 5x60`,
		}, []moment{{29 * time.Minute, nil}, {32 * time.Minute, []string{"a leaver of sales was parked under deactivate_disabled"}}, {55 * time.Minute, nil}}},
		{"RollcallParkedGrowing", "more parked than come free", []string{
			`rollcall_retry_parked_total{org="sales",cause="licence"} 0+1x120`, `rollcall_retry_closed_total{org="sales",cause="licence"} 0+0.1x120`,
			`rollcall_retry_parked_total{org="support",cause="licence"} 0+1x120`, `rollcall_retry_closed_total{org="support",cause="licence"} 0+1x120`,
		}, []moment{{5 * time.Minute, nil}, {40 * time.Minute, []string{"more people of sales are parked than come free"}}}},
		{"RollcallParkedGrowing", "nobody ever came free", []string{
			`rollcall_retry_parked_total{org="sales",cause="licence"} 0+1x120`,
		}, []moment{{40 * time.Minute, []string{"more people of sales are parked than come free"}}}},
		{"RollcallDeadLettersOld", "eight days", []string{
			`rollcall_parked_oldest_seconds 691200+30x150`,
		}, []moment{{10 * time.Minute, nil}, {70 * time.Minute, []string{"somebody has been parked for more than a week"}}}},
		{"RollcallDeadLettersOld", "six days", []string{
			`rollcall_parked_oldest_seconds 518400+30x150`,
		}, []moment{{70 * time.Minute, nil}}},
		{"RollcallPausedLong", "forgotten, and resumed", []string{
			`rollcall_paused_oldest_seconds{instance="a"} 12600+30x80 0x100`, `rollcall_paused_oldest_seconds{instance="b"} 12600+30x80 0x100`,
		}, []moment{{20 * time.Minute, nil}, {38 * time.Minute, []string{"something has been paused for more than four hours"}}, {60 * time.Minute, nil}}},
	}
}

func storiesOfStreams() []story {
	return []story{
		{"RollcallEventsRejected", "the first of all", []string{
			`rollcall_assignment_events_total{source="hr",result="rejected"} _x4 2x60`, `rollcall_assignment_events_total{source="hr",result="accepted"} 0+9x60`,
		}, []moment{{90 * time.Second, nil}, {3 * time.Minute, []string{"events of hr cannot be understood"}}, {25 * time.Minute, nil}}},
		{"RollcallConsumerLag", "twenty minutes, and a first load", []string{
			`rollcall_consumer_pending{stream="ROSTER",consumer="pusher-sales-change"} 0x4 500x80`,
			`rollcall_consumer_pending{stream="ROSTER",consumer="pusher-sales-backfill"} 9000x80`,
		}, []moment{{10 * time.Minute, nil}, {25 * time.Minute, []string{"pusher-sales-change has had more than 100 waiting for 15 minutes"}}}},
		{"RollcallRedeliveries", "for a while", []string{
			`rollcall_consumer_redelivered{stream="DIRECTORY",consumer="assignment"} 0x4 200x80`,
		}, []moment{{10 * time.Minute, nil}, {25 * time.Minute, []string{"assignment is handed the same messages again and again"}}}},
	}
}

// TestAlertsFire has Prometheus' own engine evaluate every rule over what the
// metrics said: it fires when it should, and not before, after, or for others.
func TestAlertsFire(t *testing.T) {
	t.Parallel()
	byName := map[string]rulefmt.Rule{}
	groups, errs := rulefmt.ParseFile("../../deploy/compose/prometheus/alerts.yml", false, model.UTF8Validation,
		parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			byName[r.Alert] = r
		}
	}
	told := map[string]bool{}
	for _, s := range stories() {
		told[s.alert] = true
		t.Run(s.alert+"/"+s.name, func(t *testing.T) {
			t.Parallel()
			s.check(t, byName[s.alert])
		})
	}
	for name := range byName {
		if !told[name] {
			t.Errorf("nobody saw %s fire", name)
		}
	}
}

func (s story) check(t *testing.T, rule rulefmt.Rule) {
	t.Helper()
	p := parser.NewParser(parser.Options{})
	expr, err := p.ParseExpr(rule.Expr)
	if err != nil {
		t.Fatal(err)
	}
	store := promqltest.LoadedStorage(t, "load "+scrapeEvery.String()+"\n  "+strings.Join(s.series, "\n  ")+"\n")
	query := rules.EngineQueryFunc(promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery), store)
	alert := rules.NewAlertingRule(rule.Alert, expr, time.Duration(rule.For), time.Duration(rule.KeepFiringFor),
		labels.FromMap(rule.Labels), labels.FromMap(rule.Annotations), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
	now := time.Duration(0)
	for _, m := range s.moments {
		for ; now <= m.at; now += scrapeEvery {
			if _, err := alert.Eval(t.Context(), 0, time.Unix(0, 0).Add(now), query, &url.URL{}, 0); err != nil {
				t.Fatal(err)
			}
		}
		if got := firing(alert); !slices.Equal(got, m.want) {
			t.Errorf("after %s: %q fire, want %q", m.at, got, m.want)
		}
	}
}

func firing(alert *rules.AlertingRule) []string {
	var out []string
	for _, a := range alert.ActiveAlerts() {
		if a.State == rules.StateFiring {
			out = append(out, a.Annotations.Get("summary"))
		}
	}
	slices.Sort(out)
	return out
}
