package pagerduty_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	"github.com/bakewatch/bakewatch/integrations/pagerduty/pagerdutytest"
	"github.com/bakewatch/bakewatch/rules"
)

// after is how long an error says that the other side asked to wait.
func after(err error) time.Duration {
	var classed *actions.Error
	if errors.As(err, &classed) {
		return classed.After
	}
	return 0
}

func schedule(t *testing.T, handler http.Handler) *pagerduty.Schedule {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Setenv("PAGERDUTY_TOKEN", pagerdutytest.Token)
	o := pagerduty.DefaultSchedule()
	o.TokenEnv, o.URL = "PAGERDUTY_TOKEN", server.URL
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	s, err := o.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func user(n int) map[string]any {
	return map[string]any{"id": fmt.Sprintf("PU%03d", n), "name": fmt.Sprintf("Person %d", n), "email": fmt.Sprintf("p%d@example.com", n), "role": "user"}
}

func TestAScheduleSaysWhoIsOnCallNow(t *testing.T) {
	fake := &pagerdutytest.REST{T: t, Entries: []pagerdutytest.Entry{
		{Schedule: "PABC", Level: 1, User: user(1)},
		{Schedule: "PABC", Level: 2, User: user(1)}, // by two escalation policies
		{Schedule: "PXYZ", Level: 1, User: user(9)},
		{Schedule: "PABC", Level: 1, User: user(0)},
	}}
	got, err := schedule(t, fake).OnCall(t.Context(), "PABC")
	want := []pagerduty.OnCall{{ID: "PU000", Name: "Person 0", Email: "p0@example.com"}, {ID: "PU001", Name: "Person 1", Email: "p1@example.com"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if nobody, err := schedule(t, fake).OnCall(t.Context(), "PNOBODY"); err != nil || len(nobody) != 0 {
		t.Errorf("nobody: %+v, %v", nobody, err)
	}
}

func TestAScheduleOfManyIsReadToItsEnd(t *testing.T) {
	fake := &pagerdutytest.REST{T: t, Padding: 5000} // ten users come near to what is read of a reply
	for i := range 37 {
		fake.Entries = append(fake.Entries, pagerdutytest.Entry{Schedule: "PABC", Level: 1, User: user(i)})
	}
	got, err := schedule(t, fake).OnCall(t.Context(), "PABC")
	if err != nil || len(got) != 37 || len(fake.Asked()) != 4 || fake.Asked()[3].Get("offset") != "30" {
		t.Errorf("%d people in %d calls, %v", len(got), len(fake.Asked()), err)
	}
}

func TestAScheduleThatDoesNotEndIsGivenUp(t *testing.T) {
	calls := 0
	endless := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		_, _ = io.WriteString(w, `{"oncalls":[{"user":{"id":"PU1","name":"x"},"schedule":{"id":"PABC"}}],"more":true}`)
	})
	_, err := schedule(t, endless).OnCall(t.Context(), "PABC")
	if actions.Classify(err) != actions.ClassPermanent || calls != 50 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestAScheduleThatCannotBeAskedSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header http.Header
		body   string
		want   actions.Class
		after  time.Duration
		says   string
	}{
		"a wrong token":              {401, nil, `{"error":{"message":"Authentication failed","code":2006}}`, actions.ClassPermanent, 0, "create one that only reads"},
		"one that may not":           {403, nil, `{"error":{"message":"Access Denied","code":2010}}`, actions.ClassPermanent, 0, "may not read schedules"},
		"a schedule that is none":    {404, nil, `{"error":{"message":"Schedule Not Found","code":3004}}`, actions.ClassPermanent, 0, "Schedule Not Found"},
		"too many calls":             {429, http.Header{"Ratelimit-Limit": {"960"}, "Ratelimit-Remaining": {"0"}, "Ratelimit-Reset": {"20"}}, `{"error":{"message":"Rate Limit Exceeded","code":2020}}`, actions.ClassRetryable, 20 * time.Second, "Rate Limit Exceeded"},
		"and without those headers":  {429, nil, "", actions.ClassRetryable, 0, "429"},
		"a time-out":                 {408, nil, "", actions.ClassRetryable, 0, "408"},
		"its own trouble":            {500, nil, "", actions.ClassRetryable, 0, "500"},
		"something else in between":  {200, nil, "<html>", actions.ClassRetryable, 0, "not PagerDuty's answer"},
		"an answer without its more": {200, nil, `{"oncalls":[]}`, actions.ClassRetryable, 0, "not PagerDuty's answer"},
		"an answer without an end":   {200, nil, `{"oncalls":[],"more":false,"x":"` + strings.Repeat("x", 70_000), actions.ClassRetryable, 0, "more than 65536 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := schedule(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for key, values := range c.header {
					w.Header()[key] = values
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})).OnCall(t.Context(), "PABC")
			if err == nil || actions.Classify(err) != c.want || after(err) != c.after || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), pagerdutytest.Token) {
				t.Errorf("class %d after %s: %v", actions.Classify(err), after(err), err)
			}
		})
	}
}

func TestAnIDThatIsNoneIsNotAskedFor(t *testing.T) {
	s := schedule(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("PagerDuty was asked") }))
	for _, id := range []string{"", "PABC&user_ids[]=X", "../users", strings.Repeat("P", 33), "P ABC"} {
		if _, err := s.OnCall(t.Context(), id); actions.Classify(err) != actions.ClassPermanent {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestATokenIsNeverSentInClear(t *testing.T) {
	t.Setenv("PAGERDUTY_TOKEN", pagerdutytest.Token)
	o := pagerduty.DefaultSchedule()
	if err := o.Check(); err == nil || !strings.Contains(err.Error(), "token_file: missing") {
		t.Errorf("no token: %v", err)
	}
	o.TokenEnv, o.URL = "PAGERDUTY_TOKEN", "http://api.pagerduty.com"
	if _, err := o.Schedule(); err == nil || !strings.Contains(err.Error(), "use https") {
		t.Errorf("%v", err)
	}
	o.Timeout = rules.Duration(0)
	if err := o.Check(); err == nil || !strings.Contains(err.Error(), "timeout") {
		t.Errorf("%v", err)
	}
}
