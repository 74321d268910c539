package nats_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// rolling is a desk that knows one watch, at a stage that is well.
type rolling struct {
	fakeDesk
	service string
}

func (d *rolling) Show(_ context.Context, ref watcher.Ref) (watcher.WatchView, error) {
	if ref.Name != d.service {
		return watcher.WatchView{}, watcher.ErrNotFound
	}
	return watcher.WatchView{
		ID: "4711", Watch: 7, Lane: rules.LaneID{Environment: ref.Environment, Service: ref.Name}, Version: "2.4.0", Phase: watcher.Rolling,
		Stage: &watcher.StageView{Name: "25%", Since: time.Unix(1, 0), Ends: time.Unix(2, 0), Passed: time.Unix(2, 0)},
	}, nil
}

func TestAToolAsksByRequestWhatItMayDo(t *testing.T) {
	conn := connect(t, t.TempDir())
	serve(t, conn, &rolling{service: "shop/check.out"})
	for name, test := range map[string]struct {
		subject, body string
		verdict       watcher.StageVerdict
		code          string
	}{
		"the stage that is watched":        {"bakewatch.verdict.production.shop/check%2Eout", "", watcher.Promote, ""},
		"it and its version by name":       {"bakewatch.verdict.production.shop/check%2Eout", `{"version": "2.4.0", "stage": "25%"}`, watcher.Promote, ""},
		"another stage":                    {"bakewatch.verdict.production.shop/check%2Eout", `{"stage": "50%"}`, watcher.Hold, ""},
		"another version":                  {"bakewatch.verdict.production.shop/check%2Eout", `{"version": "2.5.0"}`, watcher.Hold, ""},
		"a service that was never watched": {"bakewatch.verdict.production.search", "", "", "404"},
		"a body that is no JSON":           {"bakewatch.verdict.production.shop/check%2Eout", "promote?", "", "400"},
		"a body of another service":        {"bakewatch.verdict.production.search", `{"service": "shop/check.out"}`, "", "400"},
		"an escape that is none":           {"bakewatch.verdict.production.sea%zzrch", "", "", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			reply, err := conn.NATS().RequestWithContext(t.Context(), test.subject, []byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			var advice watcher.Advice
			if code := reply.Header.Get("Nats-Service-Error-Code"); code != test.code {
				t.Fatalf("code %q: %s", code, reply.Header.Get("Nats-Service-Error"))
			}
			if test.code != "" {
				return
			}
			if err := json.Unmarshal(reply.Data, &advice); err != nil || advice.Verdict != test.verdict || advice.Environment != "production" || advice.Stage != "25%" {
				t.Errorf("%s, %v; want %s", reply.Data, err, test.verdict)
			}
		})
	}
}
