package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/log"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
	"github.com/bakewatch/bakewatch/watcher"
)

func newKey(t *testing.T) signing.Key {
	t.Helper()
	key, err := signing.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// announcer is the table of a daemon's file that lets the key announce two services.
func announcer(key signing.Key) string {
	return "[trust.announcer.ci]\nnkeys = ['" + key.Public() + "']\nservices = ['checkout', 'shop-*']\nenvironments = ['production']\n"
}

// strict are the settings of a daemon that believes signed messages only.
func strict(t *testing.T, folder string, announcers string) Config {
	t.Helper()
	file := filepath.Join(folder, "bakewatch.toml")
	text := "plans = ['plans/*.toml']\ncluster = 'main'\n[nats]\nstore = 'nats'\nlisten = '127.0.0.1:0'\n[prometheus.main]\nurl = 'http://127.0.0.1:9'\n" +
		"[http]\nlisten = '127.0.0.1:0'\n[trust]\nrequired = true\n" + announcers
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	catalog := configs.Catalog{Rules: kinds.All(), Build: kinds.Build, Channels: []rules.Kind{log.Kind()}}
	loaded, problems := configs.Load(file, catalog)
	if loaded == nil {
		t.Fatal(problems)
	}
	return Config{File: file, Daemon: loaded, Catalog: catalog, Replica: "test", Version: "test", Log: slog.New(slog.DiscardHandler)}
}

// start runs a daemon until the test's end, or until stop is called, and waits until it acts.
func start(t *testing.T, cfg Config) (d *Daemon, stop func()) {
	t.Helper()
	d, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d, acting(t, d)
}

// acting is start for a daemon that is set up.
func acting(t *testing.T, d *Daemon) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	until(t, "the daemon acts", func() bool {
		_, err := nats.AskAbout(t.Context(), d.conn.NATS())
		return err == nil
	})
	return stop
}

// until waits until something is so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// event is a deployment's event, as announce encodes it.
func event(t *testing.T, id, service, environment string) *client.Msg {
	t.Helper()
	subject, text, err := events.Encode(rules.Deployment{
		ID: id, Service: service, Environment: environment, Version: "1." + id, Step: rules.Finished, Strategy: rules.Rolling, At: time.Now().UTC(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &client.Msg{Subject: subject, Data: text}
}

func signed(t *testing.T, key signing.Key, msg *client.Msg, at time.Time) *client.Msg {
	t.Helper()
	attributes, err := events.Attributes(msg.Header)
	if err != nil {
		t.Fatal(err)
	}
	headers, err := key.Sign(signing.Message{Subject: msg.Subject, Headers: attributes, Body: msg.Data}, at)
	if err != nil {
		t.Fatal(err)
	}
	out := &client.Msg{Subject: msg.Subject, Data: msg.Data, Header: client.Header(headers)}
	for name, values := range msg.Header {
		out.Header[name] = values
	}
	return out
}

func publish(t *testing.T, d *Daemon, msg *client.Msg) {
	t.Helper()
	if _, err := d.conn.JetStream().PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
}

// letters returns the reasons of the dead letters.
func letters(t *testing.T, d *Daemon) (reasons []string) {
	t.Helper()
	stream, err := d.conn.JetStream().Stream(t.Context(), nats.StreamDead)
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		msg, err := stream.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, msg.Header.Get(nats.HeaderReason))
	}
	return reasons
}

// live returns what is live in a service, as the desk says.
func live(t *testing.T, d *Daemon, service string) string {
	t.Helper()
	lanes, err := nats.DeskClient(d.conn.NATS()).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, lane := range lanes {
		if lane.Lane.Service == service {
			return lane.Live
		}
	}
	return ""
}

func TestOnlyEventsSignedByWhoMayAnnounceThemAreTakenIn(t *testing.T) {
	ci, eve := newKey(t), newKey(t)
	d, _ := start(t, strict(t, t.TempDir(), announcer(ci)))
	now := time.Now()
	cloud := func() *client.Msg {
		msg := event(t, "20", "checkout", "production")
		msg.Header = client.Header{"ce-specversion": {"1.0"}, "ce-id": {"a"}, "ce-type": {"deployed"}, "ce-source": {"/ci"}}
		return msg
	}
	twice := signed(t, ci, event(t, "9", "shop-web", "production"), now)
	copied := &client.Msg{Subject: twice.Subject, Data: twice.Data, Header: maps.Clone(twice.Header)}
	for i, test := range []struct {
		what string
		msg  *client.Msg
		want string // of the dead letter; empty: it is taken in
	}{
		{"one that is signed", signed(t, ci, event(t, "1", "checkout", "production"), now), ""},
		{"a CloudEvent whose headers are signed", signed(t, ci, cloud(), now), ""},
		{"unsigned", event(t, "2", "checkout", "production"), "not trusted: it is not signed"},
		{"forged", func() *client.Msg {
			msg := signed(t, ci, event(t, "3", "checkout", "production"), now)
			msg.Data = []byte(strings.Replace(string(msg.Data), "1.3", "1.4", 1))
			return msg
		}(), "not trusted: its signature does not hold"},
		{"forged in a header of a CloudEvent", func() *client.Msg {
			msg := signed(t, ci, cloud(), now)
			msg.Header.Set("ce-source", "/eve")
			return msg
		}(), "not trusted: its signature does not hold"},
		{"for another subject", func() *client.Msg {
			msg := signed(t, ci, &client.Msg{Subject: "deployments.production.shop-web", Data: []byte(`{"id":"4","version":"1.4"}`)}, now)
			msg.Subject = "deployments.production.checkout"
			return msg
		}(), "not trusted: its signature does not hold"},
		{"signed for a cluster, as an order is", func() *client.Msg {
			msg := event(t, "5", "checkout", "production")
			headers, err := ci.Sign(signing.Message{Cluster: "main", Subject: msg.Subject, Body: msg.Data}, now)
			if err != nil {
				t.Fatal(err)
			}
			msg.Header = headers
			return msg
		}(), "not trusted: its signature does not hold"},
		{"late", signed(t, ci, event(t, "6", "checkout", "production"), now.Add(-6*time.Minute)), "not trusted: it was not signed just now"},
		{"ahead of its time", signed(t, ci, event(t, "7", "checkout", "production"), now.Add(6*time.Minute)), "not trusted: it was not signed just now"},
		{"the first of two", twice, ""},
		{"a replay", copied, "not trusted: it was there before"},
		{"by a key of nobody", signed(t, eve, event(t, "10", "checkout", "production"), now), "it is that of no [trust.announcer.NAME]"},
		{"of another service", signed(t, ci, event(t, "11", "search", "production"), now), "ci is not for search in production"},
		{"in another environment", signed(t, ci, event(t, "12", "checkout", "lab"), now), "ci is not for checkout in lab"},
	} {
		t.Run(test.what, func(t *testing.T) {
			dead := len(letters(t, d))
			taken := testutil.ToFloat64(d.metrics.events.WithLabelValues("accepted"))
			refused := testutil.ToFloat64(d.metrics.events.WithLabelValues("not-trusted"))
			publish(t, d, test.msg)
			if test.want == "" {
				until(t, "it is taken in", func() bool {
					return testutil.ToFloat64(d.metrics.events.WithLabelValues("accepted")) == taken+1
				})
				return
			}
			until(t, "it is a dead letter", func() bool { return len(letters(t, d)) == dead+1 })
			if all := letters(t, d); !strings.Contains(all[dead], test.want) {
				t.Errorf("event %d is set aside because %q, want %q", i, all[dead], test.want)
			}
			if testutil.ToFloat64(d.metrics.events.WithLabelValues("not-trusted")) != refused+1 {
				t.Error("it was not counted")
			}
		})
	}
	t.Run("and a dead letter keeps its signature, to see whose it is", func(t *testing.T) {
		stream, err := d.conn.JetStream().Stream(t.Context(), nats.StreamDead)
		if err != nil {
			t.Fatal(err)
		}
		if msg, err := stream.GetMsg(t.Context(), 2); err != nil || msg.Header.Get(signing.HeaderKey) != ci.Public() {
			t.Errorf("%+v, %v", msg, err)
		}
	})
	if live(t, d, "checkout") != "1.20" || live(t, d, "shop-web") != "1.9" || live(t, d, "search") != "" {
		t.Errorf("live are checkout %q, shop-web %q, search %q", live(t, d, "checkout"), live(t, d, "shop-web"), live(t, d, "search"))
	}
}

func TestAKeyThatIsTakenBackByAReloadAnnouncesNothingMore(t *testing.T) {
	ci, next := newKey(t), newKey(t)
	folder := t.TempDir()
	d, _ := start(t, strict(t, folder, announcer(ci)))
	publish(t, d, signed(t, ci, event(t, "1", "checkout", "production"), time.Now()))
	until(t, "it is taken in", func() bool { return live(t, d, "checkout") == "1.1" })
	strict(t, folder, announcer(next))
	until(t, "the file is read again", func() bool { _ = d.Reload(t.Context()); return d.signed() && !d.knows(ci) })
	publish(t, d, signed(t, ci, event(t, "2", "checkout", "production"), time.Now()))
	until(t, "it is a dead letter", func() bool { return len(letters(t, d)) == 1 })
	publish(t, d, signed(t, next, event(t, "3", "checkout", "production"), time.Now()))
	until(t, "that of the new key is taken in", func() bool { return live(t, d, "checkout") == "1.3" })
}

// knows says whether the key may announce something.
func (d *Daemon) knows(key signing.Key) bool {
	_, err := d.force.Load().set.Daemon.Trust.Announcers.Admit(key.Public(), rules.Deployment{Service: "checkout", Environment: "production"})
	return err == nil
}

// reluctant refuses the first appends.
type reluctant struct {
	watcher.Journal
	met chan struct{}
	hit sync.Once
}

func (r *reluctant) Append(context.Context, watcher.Entry) (watcher.Entry, error) {
	r.hit.Do(func() { close(r.met) })
	return watcher.Entry{}, errors.New("the journal does not answer")
}

func TestASignedEventThatIsDeliveredAgainIsNoReplay(t *testing.T) {
	ci := newKey(t)
	folder := t.TempDir()
	cfg := strict(t, folder, announcer(ci))
	journal := &reluctant{met: make(chan struct{})}
	cfg.Journal = func(j watcher.Journal) watcher.Journal { journal.Journal = j; return journal }
	d, stop := start(t, cfg)
	publish(t, d, signed(t, ci, event(t, "1", "checkout", "production"), time.Now()))
	select {
	case <-journal.met:
	case <-time.After(30 * time.Second):
		t.Fatal("the event never came")
	}
	until(t, "it is tried again in the same process", func() bool {
		return testutil.ToFloat64(d.metrics.events.WithLabelValues("to-be-retried")) >= 2
	})
	stop()
	d, _ = start(t, strict(t, folder, announcer(ci)))
	until(t, "the next process takes it in", func() bool { return live(t, d, "checkout") == "1.1" })
	if dead := letters(t, d); len(dead) > 0 {
		t.Errorf("dead letters: %q", dead)
	}
}

func TestASignatureIsMeasuredByWhenTheStreamTookTheEvent(t *testing.T) {
	ci := newKey(t)
	cfg := strict(t, t.TempDir(), announcer(ci))
	d := &Daemon{}
	d.force.Store(&force{set: configs.Set{Daemon: cfg.Daemon}})
	deployment := rules.Deployment{Service: "checkout", Environment: "production"}
	long := time.Now().Add(-48 * time.Hour)
	for name, test := range map[string]struct {
		stored time.Time
		want   error
	}{
		"stored two days ago, when it was signed":           {long.Add(time.Second), nil},
		"signed two days ago, and stored ten minutes later": {long.Add(10 * time.Minute), signing.ErrStale},
		"signed two days ago, and stored now":               {time.Now(), signing.ErrStale},
	} {
		msg := signed(t, ci, event(t, "1", "checkout", "production"), long)
		in := nats.Incoming{Subject: msg.Subject, Headers: msg.Header, Data: msg.Data, Seq: 7, At: test.stored}
		for range 2 {
			if err := d.trusts(in, deployment); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("%s: %v, want %v", name, err, test.want)
			}
		}
	}
}

func TestWhereMessagesMustBeSignedANameThatIsClaimedIsNobodys(t *testing.T) {
	d, _ := start(t, strict(t, t.TempDir(), announcer(newKey(t))))
	desk := nats.DeskClient(d.conn.NATS())
	if err := desk.Disarm(t.Context(), watcher.Order{By: authority.LocalProof("ana"), Reason: "x"}); !errors.Is(err, authority.ErrUnproved) {
		t.Errorf("a claim: %v", err)
	}
	if err := nats.SigningDeskClient(d.conn.NATS(), newKey(t), "").Disarm(t.Context(), watcher.Order{Reason: "x"}); !errors.Is(err, authority.ErrUnproved) {
		t.Errorf("a key of nobody: %v", err)
	}
	if why := d.switches.disarmed("checkout"); why != "" {
		t.Errorf("disarmed: %s", why)
	}
	if n := testutil.ToFloat64(d.metrics.requests.WithLabelValues("disarm")); n != 2 {
		t.Errorf("%v refusals are counted", n)
	}
	about, err := nats.AskAbout(t.Context(), d.conn.NATS())
	if err != nil || fmt.Sprint(about) != "{main true}" {
		t.Errorf("%v, %v", about, err)
	}
}

func TestACopyThatComesAfterARestartChangesNothing(t *testing.T) {
	ci := newKey(t)
	folder := t.TempDir()
	d, stop := start(t, strict(t, folder, announcer(ci)))
	first := signed(t, ci, event(t, "1", "checkout", "production"), time.Now())
	copied := &client.Msg{Subject: first.Subject, Data: first.Data, Header: maps.Clone(first.Header)}
	publish(t, d, first)
	publish(t, d, signed(t, ci, event(t, "2", "checkout", "production"), time.Now()))
	until(t, "the second is live", func() bool { return live(t, d, "checkout") == "1.2" })
	stop()
	d, _ = start(t, strict(t, folder, announcer(ci)))
	publish(t, d, copied)
	until(t, "the copy was read", func() bool { return testutil.ToFloat64(d.metrics.events.WithLabelValues("accepted")) == 1 })
	if live(t, d, "checkout") != "1.2" {
		t.Errorf("live is %q", live(t, d, "checkout"))
	}
}
