package slack_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/bakewatch/bakewatch/actions/authority"
)

func TestAnAnswerComesOverSocketModeAndIsAcknowledged(t *testing.T) {
	s := startStand(t, bySocket)
	line := s.connected()
	line.interact("e1", s.pressed("Roll back", "U_BEN"))
	if got := s.told(1); got.text != "Counted: roll-back" || got.thread != s.said()[0].ts {
		t.Errorf("told: %+v", got)
	}
	want := authority.Vote{Question: 42, Choice: authority.RollBack, Proof: authority.Proof{Way: authority.Slack, Subject: "U_BEN"}}
	if s.desk.votes[0] != want {
		t.Errorf("the vote is %+v, want %+v", s.desk.votes[0], want)
	}
	line.interact("e2", s.pressed("Keep 30m", "U_EVE"))
	if got := s.told(2); !strings.HasPrefix(got.text, "Not counted: ") {
		t.Errorf("told: %+v", got)
	}
	if n := s.count("apps.connections.open"); n != 1 {
		t.Errorf("two channels of one app have %d connections", n)
	}
}

func TestAnEnvelopeThatComesAgainIsAcknowledgedAndCountedOnce(t *testing.T) {
	s := startStand(t, bySocket)
	line := s.connected()
	for range 2 {
		line.interact("e1", s.pressed("Roll back", "U_BEN"))
	}
	s.told(1)
	s.end()
	if n := s.desk.counted(); n != 1 {
		t.Errorf("%d answers reached the desk", n)
	}
}

func TestWhateverElseComesOverSocketModeDoesNoHarm(t *testing.T) {
	s := startStand(t, bySocket)
	line := s.connected()
	line.send(`{"type":"slash_commands","envelope_id":"e1","payload":{"command":"/x"}}`)
	line.acknowledged("e1")
	line.send(`not JSON`)
	line.send(`{"type":"hello"}`)
	line.send(`{"type":"interactive","payload":{}}`)
	line.interact("e2", []byte(`{"type":"shortcut"}`))
	line.interact("e3", []byte(`"x"`))
	line.interact("e4", s.pressed("Roll back", "U_BEN"))
	s.told(1)
}

func TestWhatCannotBeTakenNowIsNotAcknowledgedAndMayComeAgain(t *testing.T) {
	s := startStand(t, bySocket)
	s.desk.block = make(chan struct{})
	line := s.connected()
	for i := range 32 {
		line.interact(fmt.Sprint("e", i), s.pressed("Roll back", "U_BEN"))
	}
	envelope := func(id, user string) string {
		return fmt.Sprintf(`{"type":"interactive","envelope_id":%q,"payload":%s}`, id, s.pressed("Roll back", user))
	}
	line.send(envelope("late", "U_EVE"))
	line.send(`{"type":"events_api","envelope_id":"next","payload":{}}`)
	line.acknowledged("next")
	close(s.desk.block)
	s.told(32)
	line.interact("late", s.pressed("Roll back", "U_EVE"))
	s.told(33)
}

func TestAConnectionThatSlackEndsIsReplacedWhileItIsStillRead(t *testing.T) {
	s := startStand(t, bySocket)
	first := s.connected()
	first.send(`{"type":"disconnect","reason":"refresh_requested","debug_info":{"host":"applink-1"}}`)
	second := s.connected()
	first.interact("e1", s.pressed("Roll back", "U_BEN"))
	second.interact("e2", s.pressed("Keep 30m", "U_BEN"))
	s.told(2)
	if err := first.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	<-first.over
	second.interact("e3", s.pressed("Roll back", "U_BEN"))
	s.told(3)
}

func TestABrokenConnectionIsMadeAnew(t *testing.T) {
	s := startStand(t, bySocket)
	first := s.connected()
	if err := first.conn.CloseNow(); err != nil {
		t.Error(err)
	}
	s.connected().interact("e1", s.pressed("Roll back", "U_BEN"))
	s.told(1)
}

func TestWhereSocketModeCannotBeOpenedItIsTriedAgain(t *testing.T) {
	w := startWorkspace(t)
	w.limit("apps.connections.open", 1)
	w.fail("apps.connections.open", "internal_error")
	w.fail("apps.connections.open", "invalid_auth")
	w.answer("apps.connections.open", func(out http.ResponseWriter) {
		_, _ = io.WriteString(out, `{"ok":true,"url":"wss://evil.example/link/?ticket=fakefakefakefake"}`)
	})
	s := standIn(t, w, bySocket)
	line := s.connected()
	if opened := w.at["apps.connections.open"]; opened[1].Sub(opened[0]) < time.Second {
		t.Errorf("Retry-After was not waited for: %v", opened)
	}
	line.interact("e1", s.pressed("Roll back", "U_BEN"))
	s.told(1)
	for _, says := range []string{"ratelimited", "internal_error", "new token", "does not lead to Slack"} {
		if !strings.Contains(s.log.String(), says) {
			t.Errorf("the log does not say %q:\n%s", says, s.log)
		}
	}
	for _, secret := range []string{"fakefakefakefake"} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("%q stands in the log:\n%s", secret, s.log)
		}
	}
}

func TestAnAddressThatDoesNotAnswerAsSocketModeIsNotTrusted(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"no WebSocket": func(out http.ResponseWriter, _ *http.Request) { http.Error(out, "no", http.StatusTeapot) },
		"a redirect": func(out http.ResponseWriter, r *http.Request) {
			http.Redirect(out, r, "http://127.0.0.2:1/", http.StatusFound)
		},
		"a hang-up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"another greeting": func(out http.ResponseWriter, r *http.Request) {
			if conn, err := websocket.Accept(out, r, nil); err == nil {
				_ = conn.Write(r.Context(), websocket.MessageText, []byte(`{"type":"interactive","envelope_id":"e","payload":{}}`))
				_, _, _ = conn.Read(r.Context())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := startWorkspace(t)
			w.intercept = serve
			s := standIn(t, w, bySocket)
			eventually(t, "the failure to be logged", func() bool { return strings.Contains(s.log.String(), "cannot be connected") })
			if strings.Contains(s.log.String(), "fakefakefakefake") {
				t.Errorf("the ticket stands in the log:\n%s", s.log)
			}
			s.end()
		})
	}
}

func TestAnAnswerThatHangsDoesNotHoldUpTheEnd(t *testing.T) {
	s := startStand(t, bySocket)
	s.desk.block = make(chan struct{})
	s.connected().interact("e1", s.pressed("Roll back", "U_BEN"))
	began := time.Now()
	s.end()
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("the end took %s", took)
	}
}

func TestTheEndEndsConnectionsAndWaitsForAnswers(t *testing.T) {
	s := startStand(t, bySocket)
	line := s.connected()
	s.desk.block = make(chan struct{})
	line.interact("e1", s.pressed("Roll back", "U_BEN"))
	ended := make(chan struct{})
	go func() { s.end(); close(ended) }()
	<-line.over
	select {
	case <-ended:
		t.Error("it did not wait for the answer")
	case <-time.After(100 * time.Millisecond):
	}
	close(s.desk.block)
	<-ended
	if got := s.whispered(); len(got) != 1 || s.desk.counted() != 1 {
		t.Errorf("told: %+v", got)
	}
	out := httptest.NewRecorder()
	s.buttons.ServeHTTP(out, request(s.pressed("Roll back", "U_BEN"), time.Now()))
	if out.Code != http.StatusUnauthorized {
		t.Errorf("an app without a signing secret: status %d", out.Code)
	}
}
