package nats_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// fakeDesk answers from memory and writes down what it was asked.
type fakeDesk struct {
	lanes []watcher.LaneView
	err   error
	asked string
	vote  authority.Vote // that was given last
}

func (d *fakeDesk) note(args ...any) (watcher.WatchView, error) {
	d.asked = fmt.Sprint(args...)
	return watcher.WatchView{ID: "checkout-1", Watch: 7, Lane: checkout, Phase: watcher.Asking, Opened: time.Unix(1, 0).UTC()}, d.err
}

func named(ref watcher.Ref) string { return fmt.Sprintf("{%s %s}", ref.Name, ref.Environment) }

func (d *fakeDesk) List(context.Context) ([]watcher.LaneView, error) { return d.lanes, d.err }

func (d *fakeDesk) Show(_ context.Context, ref watcher.Ref) (watcher.WatchView, error) {
	if ref.Name == "panic" {
		panic("oh")
	}
	return d.note("show ", named(ref))
}

func (d *fakeDesk) Answer(_ context.Context, ref watcher.Ref, vote authority.Vote) (watcher.WatchView, error) {
	d.vote = vote
	return d.note("answer ", named(ref), " ", vote.Proof, " ", vote.Choice, " ", vote.Question)
}

func (d *fakeDesk) Cancel(_ context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	return d.note("cancel ", named(ref), " ", by, " ", reason)
}

func (d *fakeDesk) Rollback(_ context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	return d.note("rollback ", named(ref), " ", by, " ", reason)
}

func (d *fakeDesk) Wrong(_ context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	return d.note("wrong ", named(ref), " ", by, " ", reason)
}

func (d *fakeDesk) Disarm(_ context.Context, order watcher.Order) error {
	_, err := d.note("disarm ", order)
	return err
}

func (d *fakeDesk) Arm(_ context.Context, order watcher.Order) error {
	_, err := d.note("arm ", order)
	return err
}

func serve(t testing.TB, conn *nats.Conn, desk watcher.Desk) watcher.Desk {
	t.Helper()
	serving(t, conn, nats.DeskConfig{Desk: desk, Cluster: "main"})
	return nats.DeskClient(conn.NATS())
}

// serving serves a desk until the test's end, or until stop is called.
func serving(t testing.TB, conn *nats.Conn, cfg nats.DeskConfig) (stop func()) {
	t.Helper()
	cfg.Log, cfg.Facts = quiet(), facts(t, conn)
	end, err := conn.ServeDesk(cfg)
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := end(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func TestEveryMethodOfTheDeskPassesThroughNATS(t *testing.T) {
	desk := &fakeDesk{}
	far := serve(t, connect(t, t.TempDir()), desk)
	ref := watcher.Ref{Name: "checkout", Environment: "production"}
	want, _ := desk.note()
	view := func(v watcher.WatchView, err error) error {
		if err == nil && !reflect.DeepEqual(v, want) {
			return fmt.Errorf("got %+v, want %+v", v, want)
		}
		return err
	}
	calls := map[string]func() error{
		"show {checkout production}": func() error { return view(far.Show(t.Context(), ref)) },
		"answer {checkout production} local ana keep 9": func() error {
			return view(far.Answer(t.Context(), ref, authority.Vote{Proof: authority.LocalProof("ana"), Choice: authority.Keep, Question: 9}))
		},
		"cancel {checkout production} local ana not <needed>\nany \"more\"": func() error {
			return view(far.Cancel(t.Context(), ref, authority.LocalProof("ana"), "not <needed>\nany \"more\""))
		},
		"rollback {checkout production} local ana worse":  func() error { return view(far.Rollback(t.Context(), ref, authority.LocalProof("ana"), "worse")) },
		"wrong {checkout production} local ana load test": func() error { return view(far.Wrong(t.Context(), ref, authority.LocalProof("ana"), "load test")) },
		"disarm {checkout local ana holiday true}": func() error {
			return far.Disarm(t.Context(), watcher.Order{Service: "checkout", By: authority.LocalProof("ana"), Reason: "holiday", Force: true})
		},
		"arm {checkout local ana  false}": func() error {
			return far.Arm(t.Context(), watcher.Order{Service: "checkout", By: authority.LocalProof("ana")})
		},
	}
	for asked, call := range calls {
		t.Run(asked, func(t *testing.T) {
			if err := call(); err != nil || desk.asked != asked {
				t.Errorf("the desk was asked %q: %v", desk.asked, err)
			}
		})
	}
	t.Run("and its errors keep their kind and text", func(t *testing.T) {
		for _, kind := range []error{watcher.ErrNotFound, watcher.ErrRefused, watcher.ErrConflict, authority.ErrUnproved} {
			desk.err = fmt.Errorf("ana: %w", kind)
			for asked, call := range calls {
				if err := call(); !errors.Is(err, kind) || err.Error() != desk.err.Error() {
					t.Errorf("%s: got %v, want %v", asked, err, desk.err)
				}
			}
			if _, err := far.List(t.Context()); !errors.Is(err, kind) {
				t.Errorf("list: got %v, want %v", err, desk.err)
			}
		}
		desk.err = errors.New("disk full")
		if err := calls["arm {checkout local ana  false}"](); err == nil || err.Error() != "disk full" || errors.Is(err, watcher.ErrRefused) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("and a panic is an error", func(t *testing.T) {
		if _, err := far.Show(t.Context(), watcher.Ref{Name: "panic"}); err == nil {
			t.Error("no error")
		}
	})
}

func TestMoreLanesThanOneMessageHoldsAreListedPageByPage(t *testing.T) {
	desk := &fakeDesk{}
	reason := strings.Repeat("because ", 4000) // 32 kB a lane: 40 MB in all
	for i := range 1300 {
		lane := rules.LaneID{Environment: "production", Service: fmt.Sprintf("s%04d", i)}
		desk.lanes = append(desk.lanes, watcher.LaneView{Lane: lane, Disarmed: reason})
	}
	got, err := serve(t, connect(t, t.TempDir()), desk).List(t.Context())
	if err != nil || !reflect.DeepEqual(got, desk.lanes) {
		t.Errorf("listed %d of %d: %v", len(got), len(desk.lanes), err)
	}
}

func TestAnAnswerTooLargeForNATSIsAnErrorThatSaysSo(t *testing.T) {
	desk := &fakeDesk{lanes: []watcher.LaneView{{Disarmed: strings.Repeat("x", nats.EmbeddedMaxPayload)}}}
	_, err := serve(t, connect(t, t.TempDir()), desk).List(t.Context())
	if err == nil || !strings.Contains(err.Error(), "larger than NATS takes") {
		t.Errorf("got %v", err)
	}
}

func TestWithoutADaemonTheDeskSaysThatNobodyAnswers(t *testing.T) {
	conn := connect(t, t.TempDir())
	if _, err := nats.DeskClient(conn.NATS()).List(t.Context()); !errors.Is(err, nats.ErrNoAnswer) {
		t.Errorf("got %v, want ErrNoAnswer", err)
	}
}

func TestARequestThatIsNoJSONIsRefused(t *testing.T) {
	conn := connect(t, t.TempDir())
	serve(t, conn, &fakeDesk{})
	reply, err := conn.NATS().RequestWithContext(t.Context(), "bakewatch.api.show", []byte("{"))
	if err != nil || reply.Header.Get("Nats-Service-Error-Code") != "400" {
		t.Errorf("%v, %v", reply, err)
	}
}

func TestOfAVoteNoMoreIsTakenThanWhatAPersonSays(t *testing.T) {
	desk := &fakeDesk{}
	conn := connect(t, t.TempDir())
	serve(t, conn, desk)
	const body = `{"by":"ana","ref":{"name":"checkout"},"vote":{"question":9,"choice":"keep","reason":"fine","person":"ben","at":"2020-01-01T00:00:00Z","through":7,"proof":{"way":"oidc","subject":"ben"}}}`
	reply, err := conn.NATS().RequestWithContext(t.Context(), "bakewatch.api.answer", []byte(body))
	if err != nil || reply.Header.Get("Nats-Service-Error-Code") != "" {
		t.Fatalf("%v, %v", reply, err)
	}
	if want := (authority.Vote{Question: 9, Choice: authority.Keep, Reason: "fine", Proof: authority.LocalProof("ana")}); desk.vote != want {
		t.Errorf("%+v, want %+v", desk.vote, want)
	}
}

func TestAReasonThatNobodyReadsToTheEndIsRefused(t *testing.T) {
	desk := &fakeDesk{}
	far := serve(t, connect(t, t.TempDir()), desk)
	ref, ana := watcher.Ref{Name: "checkout"}, authority.LocalProof("ana")
	for name, call := range map[string]func(reason string) error{
		"answer": func(reason string) error {
			_, err := far.Answer(t.Context(), ref, authority.Vote{Question: 9, Choice: authority.Keep, Reason: reason, Proof: ana})
			return err
		},
		"cancel":   func(reason string) error { _, err := far.Cancel(t.Context(), ref, ana, reason); return err },
		"rollback": func(reason string) error { _, err := far.Rollback(t.Context(), ref, ana, reason); return err },
		"wrong":    func(reason string) error { _, err := far.Wrong(t.Context(), ref, ana, reason); return err },
		"disarm":   func(reason string) error { return far.Disarm(t.Context(), watcher.Order{By: ana, Reason: reason}) },
	} {
		if err := call(strings.Repeat("ü", watcher.LongestReason)); err != nil {
			t.Errorf("%s: the longest: %v", name, err)
		}
		desk.asked = ""
		if err := call(strings.Repeat("ü", watcher.LongestReason+1)); err == nil || desk.asked != "" || !strings.Contains(err.Error(), "1001 characters") {
			t.Errorf("%s: one longer: %v", name, err)
		}
	}
}
