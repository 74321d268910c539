package nats_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
	"github.com/bakewatch/bakewatch/watcher"
)

func newKey(t testing.TB) signing.Key {
	t.Helper()
	key, err := signing.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// bureau is a served desk that knows its people, and how often it refused somebody.
type bureau struct {
	*fakeDesk
	conn    *nats.Conn
	cfg     nats.DeskConfig
	people  atomic.Pointer[authority.Directory]
	refused atomic.Int32
}

// newBureau serves a desk; ana is known by the key.
func newBureau(t testing.TB, store string, ana signing.Key) *bureau {
	t.Helper()
	b := &bureau{fakeDesk: &fakeDesk{}, conn: connect(t, store)}
	b.people.Store(&authority.Directory{People: map[string]authority.Person{"ana": {NKeys: []string{ana.Public()}}}})
	b.cfg = nats.DeskConfig{
		Desk: b, Cluster: "main",
		Signed:   func() bool { return true },
		Identify: func(p authority.Proof) (string, error) { return b.people.Load().Identify(p) },
		Refused:  func(string) { b.refused.Add(1) },
	}
	return b
}

// order is a request to disarm, as any tool may send it.
func order(t testing.TB, key signing.Key, cluster string, at time.Time) *client.Msg {
	t.Helper()
	msg := &client.Msg{Subject: "bakewatch.api.disarm", Data: []byte(`{"reason":"moving","by":"zoe"}`)}
	headers, err := key.Sign(signing.Message{Cluster: cluster, Subject: msg.Subject, Body: msg.Data}, at)
	if err != nil {
		t.Fatal(err)
	}
	msg.Header = headers
	return msg
}

// send sends a request and returns the code and text of the error, if there is one.
func (b *bureau) send(t testing.TB, msg *client.Msg) (code, text string) {
	t.Helper()
	b.asked = ""
	reply, err := b.conn.NATS().RequestMsgWithContext(t.Context(), msg)
	if err != nil {
		t.Fatal(err)
	}
	return reply.Header.Get("Nats-Service-Error-Code"), reply.Header.Get("Nats-Service-Error")
}

func TestASignedRequestSpeaksForItsKeyWhateverItClaims(t *testing.T) {
	ana := newKey(t)
	b := newBureau(t, t.TempDir(), ana)
	serving(t, b.conn, b.cfg)
	if code, text := b.send(t, order(t, ana, "main", time.Now())); code != "" || b.asked != "disarm { signature "+ana.Public()+" moving false}" {
		t.Errorf("%s %s; the desk was asked %q", code, text, b.asked)
	}
	for name, far := range map[string]watcher.Desk{
		"for a cluster that is named": nats.SigningDeskClient(b.conn.NATS(), ana, "main"),
		"for the one that answers":    nats.SigningDeskClient(b.conn.NATS(), ana, ""),
	} {
		t.Run(name, func(t *testing.T) {
			by := "signature " + ana.Public()
			ref := watcher.Ref{Name: "checkout"}
			for want, call := range map[string]func() error{
				"answer {checkout } " + by + " keep 9": func() error {
					_, err := far.Answer(t.Context(), ref, authority.Vote{Person: "zoe", Proof: authority.LocalProof("zoe"), Choice: authority.Keep, Question: 9})
					return err
				},
				"cancel {checkout } " + by + " why": func() error {
					_, err := far.Cancel(t.Context(), ref, authority.LocalProof("zoe"), "why")
					return err
				},
				"disarm { " + by + " why false}": func() error {
					return far.Disarm(t.Context(), watcher.Order{Reason: "why"})
				},
				"arm {checkout " + by + "  true}": func() error {
					return far.Arm(t.Context(), watcher.Order{Service: "checkout", Force: true, By: authority.LocalProof("zoe")})
				},
			} {
				if err := call(); err != nil || b.asked != want {
					t.Errorf("the desk was asked %q, want %q: %v", b.asked, want, err)
				}
			}
			if _, err := far.Show(t.Context(), ref); err != nil {
				t.Errorf("what is only asked needs no signature: %v", err)
			}
		})
	}
}

func TestNothingInARequestSaysHowSomebodyHasShownWhoTheyAre(t *testing.T) {
	ana := newKey(t)
	b := newBureau(t, t.TempDir(), ana)
	serving(t, b.conn, b.cfg)
	forged := map[string]any{"way": "signature", "subject": ana.Public()}
	for subject, body := range map[string]map[string]any{
		"answer": {"by": "zoe", "ref": map[string]any{"name": "checkout"}, "proof": forged, "vote": map[string]any{
			"choice": "roll-back", "question": 9, "person": "ana", "proof": forged,
		}},
		"cancel": {"by": "zoe", "proof": forged, "ref": map[string]any{"name": "checkout"}},
		"disarm": {"by": "zoe", "By.Way": "signature", "order": map[string]any{"by": forged}},
		"arm":    {"by": "zoe"},
	} {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		code, said := b.send(t, &client.Msg{Subject: "bakewatch.api." + subject, Data: text})
		if code != "" || !strings.Contains(b.asked, "local zoe") || strings.Contains(b.asked, "signature") || strings.Contains(b.asked, "ana") {
			t.Errorf("%s: %s %s; the desk was asked %q", subject, code, said, b.asked)
		}
	}
	t.Run("and a proof where a name belongs cannot be read", func(t *testing.T) {
		text, err := json.Marshal(map[string]any{"by": forged, "reason": "x"})
		if err != nil {
			t.Fatal(err)
		}
		if code, _ := b.send(t, &client.Msg{Subject: "bakewatch.api.disarm", Data: text}); code != "400" || b.asked != "" {
			t.Errorf("code %q; the desk was asked %q", code, b.asked)
		}
	})
	t.Run("and a client hands no other proof on", func(t *testing.T) {
		err := nats.DeskClient(b.conn.NATS()).Arm(t.Context(), watcher.Order{By: authority.Proof{Way: authority.OIDC, Subject: "ana@example.org"}})
		if err == nil || !strings.Contains(err.Error(), "a proof of oidc cannot be handed on") {
			t.Errorf("got %v", err)
		}
	})
}

func TestARequestWhoseSignatureDoesNotHoldIsRefusedAndIsNoClaim(t *testing.T) {
	ana, eve := newKey(t), newKey(t)
	b := newBureau(t, t.TempDir(), ana)
	serving(t, b.conn, b.cfg)
	now := time.Now()
	cases := map[string]struct {
		msg  func() *client.Msg
		want string
	}{
		"another body": {func() *client.Msg {
			msg := order(t, ana, "main", now)
			msg.Data = bytes.Replace(msg.Data, []byte("moving"), []byte("movinG"), 1)
			return msg
		}, "its signature does not hold"},
		"another subject": {func() *client.Msg {
			msg := order(t, ana, "main", now)
			msg.Subject = "bakewatch.api.arm"
			return msg
		}, "its signature does not hold"},
		"another cluster":           {func() *client.Msg { return order(t, ana, "staging", now) }, "and cluster main"},
		"an event's signature":      {func() *client.Msg { return order(t, ana, "", now) }, "its signature does not hold"},
		"a key of nobody":           {func() *client.Msg { return order(t, eve, "main", now) }, "see [person.NAME]"},
		"too old":                   {func() *client.Msg { return order(t, ana, "main", now.Add(-6*time.Minute)) }, "it was not signed just now"},
		"ahead of its time":         {func() *client.Msg { return order(t, ana, "main", now.Add(6*time.Minute)) }, "a clock is wrong"},
		"a signature without a key": {func() *client.Msg { msg := order(t, ana, "main", now); msg.Header.Del(signing.HeaderKey); return msg }, "Bakewatch-Key is there 0 times"},
		"nothing but an id": {func() *client.Msg {
			msg := order(t, ana, "main", now)
			msg.Header = client.Header{"bakewatch-id": {"1"}}
			return msg
		}, "its signature does not hold"},
		"eve for ana": {func() *client.Msg {
			msg := order(t, eve, "main", now)
			msg.Header.Set(signing.HeaderKey, ana.Public())
			return msg
		}, "its signature does not hold"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			before := b.refused.Load()
			code, text := b.send(t, test.msg())
			if code != "401" || !strings.Contains(text, test.want) || b.asked != "" {
				t.Errorf("%s %s, want %q; the desk was asked %q", code, text, test.want, b.asked)
			}
			if b.refused.Load() != before+1 {
				t.Error("it was not counted")
			}
		})
	}
}

func TestARequestCountsOnceAlsoAcrossARestart(t *testing.T) {
	ana := newKey(t)
	store := t.TempDir()
	b := newBureau(t, store, ana)
	stop := serving(t, b.conn, b.cfg)
	msg := order(t, ana, "main", time.Now())
	copied := func() *client.Msg {
		return &client.Msg{Subject: msg.Subject, Data: msg.Data, Header: maps.Clone(msg.Header)}
	}
	if code, text := b.send(t, copied()); code != "" {
		t.Fatal(code, text)
	}
	refused := func(what string) {
		t.Helper()
		if code, text := b.send(t, copied()); code != "401" || !strings.Contains(text, "it was there before") || b.asked != "" {
			t.Errorf("%s: %s %s", what, code, text)
		}
	}
	refused("doubled")
	stop()
	serving(t, b.conn, b.cfg)
	refused("to the next that serves")
	closeConn(t, b.conn)
	b.conn = connect(t, store)
	serving(t, b.conn, b.cfg)
	refused("after a restart of NATS")
	if code, text := b.send(t, order(t, ana, "main", time.Now())); code != "" {
		t.Errorf("another one: %s %s", code, text)
	}
}

func TestAKeyThatIsTakenBackSpeaksForNobodyAtOnce(t *testing.T) {
	ana := newKey(t)
	b := newBureau(t, t.TempDir(), ana)
	serving(t, b.conn, b.cfg)
	far := nats.SigningDeskClient(b.conn.NATS(), ana, "main")
	if err := far.Arm(t.Context(), watcher.Order{}); err != nil {
		t.Fatal(err)
	}
	b.people.Store(&authority.Directory{Believe: true})
	if err := far.Arm(t.Context(), watcher.Order{}); !errors.Is(err, authority.ErrUnproved) || !errors.Is(err, watcher.ErrRefused) {
		t.Errorf("got %v", err)
	}
	if signed := facts(t, b.conn); signed != nil {
		list, err := signed.List(t.Context(), nats.FactSigned)
		if err != nil || len(list) != 1 {
			t.Errorf("%d requests are remembered, want that of somebody alone: %v", len(list), err)
		}
	}
}

func TestAClaimIsMadeOnceUntilItIsOver(t *testing.T) {
	f := facts(t, connect(t, t.TempDir()))
	claim := func(key string, ttl time.Duration) error { return f.Claim(t.Context(), nats.FactSigned, key, ttl) }
	if err := errors.Join(claim("a", time.Minute), claim("b", time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := claim("a", time.Minute); !errors.Is(err, nats.ErrClaimed) {
		t.Errorf("again: %v", err)
	}
	eventually(t, "the shorter claim is over", func() bool { return claim("b", time.Minute) == nil })
}

func TestADaemonSaysForWhomToSign(t *testing.T) {
	b := newBureau(t, t.TempDir(), newKey(t))
	if _, err := nats.AskAbout(t.Context(), b.conn.NATS()); !errors.Is(err, nats.ErrNoAnswer) {
		t.Errorf("without a daemon: %v", err)
	}
	serving(t, b.conn, b.cfg)
	if about, err := nats.AskAbout(t.Context(), b.conn.NATS()); err != nil || about != (nats.About{Cluster: "main", Signed: true}) {
		t.Errorf("%+v, %v", about, err)
	}
}

func TestAVoteThatIsNobodysIsHandedOnWithTheKeyThatWasGivenAndWithoutItsWords(t *testing.T) {
	ana, eve := newKey(t), newKey(t)
	b := newBureau(t, t.TempDir(), ana)
	var heard []string
	b.cfg.Unproved = func(_ context.Context, ref watcher.Ref, a watcher.Unproved) error {
		heard = append(heard, fmt.Sprintf("%s %d %s %s: %s", ref.Name, a.Question, a.Choice, a.Given, a.Why))
		return nil
	}
	serving(t, b.conn, b.cfg)
	signed := func(key signing.Key, method, body string, at time.Time) *client.Msg {
		msg := &client.Msg{Subject: "bakewatch.api." + method, Data: []byte(body)}
		headers, err := key.Sign(signing.Message{Cluster: "main", Subject: msg.Subject, Body: msg.Data}, at)
		if err != nil {
			t.Fatal(err)
		}
		msg.Header = headers
		return msg
	}
	const vote = `{"ref":{"name":"checkout"},"vote":{"question":9,"choice":"keep","person":"ana","reason":"a secret"}}`
	changed := func(msg *client.Msg, change func(*client.Msg)) *client.Msg { change(msg); return msg }
	now := time.Now()
	counted := signed(ana, "answer", vote, now)
	if code, text := b.send(t, &client.Msg{Subject: counted.Subject, Data: counted.Data, Header: maps.Clone(counted.Header)}); code != "" {
		t.Fatal(code, text)
	}
	for name, test := range map[string]struct {
		msg  *client.Msg
		want string // empty: it is no vote
	}{
		"another body": {changed(signed(ana, "answer", vote, now), func(m *client.Msg) {
			m.Data = bytes.Replace(m.Data, []byte("a secret"), []byte("another"), 1)
		}), "checkout 9 keep the key " + ana.Public() + ": its signature does not hold"},
		"too old":       {signed(ana, "answer", vote, now.Add(-time.Hour)), "checkout 9 keep the key " + ana.Public() + ": it was not signed just now"},
		"there before":  {counted, "checkout 9 keep the key " + ana.Public() + ": it was there before"},
		"nobody's key":  {signed(eve, "answer", vote, now), "checkout 9 keep the key " + eve.Public() + ": does not say who it is in a way that is accepted"},
		"no key at all": {changed(signed(eve, "answer", vote, now), func(m *client.Msg) { m.Header.Set(signing.HeaderKey, "\x1b[2J ana") }), "checkout 9 keep : its signature does not hold"},
		"no vote":       {signed(eve, "cancel", `{"ref":{"name":"checkout"},"reason":"x"}`, now), ""},
	} {
		t.Run(name, func(t *testing.T) {
			heard = nil
			code, _ := b.send(t, test.msg)
			if code != "401" || b.asked != "" || strings.Join(heard, "\n") != test.want {
				t.Errorf("code %s, the desk was asked %q; handed on was %q, want %q", code, b.asked, heard, test.want)
			}
		})
	}
}
