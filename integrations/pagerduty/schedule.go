package pagerduty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/rules"
)

// restAPI is PagerDuty's REST API, unless the account is served from the EU.
const restAPI = "https://api.pagerduty.com"

// ScheduleKind is the service "pagerduty", which knows who is on call.
func ScheduleKind() rules.Kind {
	return rules.Kind{Name: "pagerduty", New: func() rules.Options { return DefaultSchedule() }}
}

// ScheduleOptions are those of [schedule.pagerduty]: they say how PagerDuty's REST API is asked.
type ScheduleOptions struct {
	TokenFile string         `toml:"token_file" json:"token_file,omitempty" doc:"file that holds a read-only REST API key"`
	TokenEnv  string         `toml:"token_env" json:"token_env,omitempty" doc:"environment variable that holds a read-only REST API key"`
	URL       string         `toml:"url" json:"url,omitempty" doc:"the REST API; of an account in the EU https://api.eu.pagerduty.com"`
	Timeout   rules.Duration `toml:"timeout" json:"timeout,omitempty" doc:"for one call; default 10s"`
	TLS       *outbound.TLS  `toml:"tls" json:"tls,omitempty" doc:"certificates"`
	ProxyURL  string         `toml:"proxy_url" json:"proxy_url,omitempty" doc:"HTTP proxy; the environment's is never used"`
}

// DefaultSchedule returns the options that say nothing.
func DefaultSchedule() *ScheduleOptions {
	return &ScheduleOptions{URL: restAPI, Timeout: rules.Duration(10 * time.Second)}
}

// Check says what is wrong with the options.
func (o *ScheduleOptions) Check() error {
	return errors.Join(
		outbound.CheckSecret("token", o.TokenFile, o.TokenEnv, true), required("url", o.URL), outbound.CheckURL("url", o.URL),
		o.TLS.Check(), outbound.CheckProxy(o.ProxyURL), actions.CheckNotifyTimeout(o.Timeout))
}

// Schedule makes the client; it reads the token and certificates.
func (o *ScheduleOptions) Schedule() (*Schedule, error) {
	fail := func(err error) (*Schedule, error) { return nil, fmt.Errorf("pagerduty: %w", err) }
	token, err := outbound.ReadSecret("token", o.TokenFile, o.TokenEnv)
	if err != nil {
		return fail(err)
	}
	if token.IsZero() {
		return fail(errors.New("token: missing"))
	}
	if _, err := endpoint(o.URL); err != nil {
		return fail(err)
	}
	client, err := outbound.New(outbound.Config{
		Timeout: time.Duration(o.Timeout), TLS: o.TLS, Proxy: o.ProxyURL, Secrets: []outbound.Secret{token},
	})
	if err != nil {
		return fail(err)
	}
	return &Schedule{client: client, base: strings.TrimSuffix(o.URL, "/"), token: token}, nil
}

// Schedule asks PagerDuty who is on call.
type Schedule struct {
	client *outbound.Client
	base   string
	token  outbound.Secret
}

// OnCall is a PagerDuty user who is on call now.
type OnCall struct {
	ID    string // of the user, such as PXPGF42: the subject of a proof
	Name  string
	Email string
}

// idPattern is what the id of a schedule looks like.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)

// CheckID says what is wrong with the id of a schedule.
func CheckID(id string) error {
	if !idPattern.MatchString(id) {
		return fmt.Errorf("%q is not the id of a PagerDuty schedule, which is like PABC123: it ends the schedule's address in a browser", id)
	}
	return nil
}

// One page must fit into what outbound reads of a reply: a user comes with all of its fields.
const (
	pageSize = 10
	maxPages = 50
)

// OnCall returns who is on call now in the schedule with this id, each once, sorted by
// id; nobody is no error. Its errors are classed: what is retryable may work later.
func (s *Schedule) OnCall(ctx context.Context, id string) ([]OnCall, error) {
	if err := CheckID(id); err != nil {
		return nil, actions.Permanent(err)
	}
	found := map[string]OnCall{}
	for page := range maxPages {
		more, err := s.page(ctx, id, page*pageSize, found)
		if err != nil {
			return nil, err
		}
		if !more {
			return sorted(found), nil
		}
	}
	return nil, actions.Permanent(fmt.Errorf("schedule %s: more than %d entries are on call", id, maxPages*pageSize))
}

func sorted(found map[string]OnCall) []OnCall {
	people := make([]OnCall, 0, len(found))
	for _, person := range found {
		people = append(people, person)
	}
	slices.SortFunc(people, func(a, b OnCall) int { return strings.Compare(a.ID, b.ID) })
	return people
}

// answered is as much of a page as is needed.
type answered struct {
	OnCalls []struct {
		User struct {
			ID      string `json:"id"`
			Summary string `json:"summary"`
			Name    string `json:"name"`
			Email   string `json:"email"`
		} `json:"user"`
		Schedule *struct {
			ID string `json:"id"`
		} `json:"schedule"`
	} `json:"oncalls"`
	More *bool `json:"more"`
}

// page asks for one page and adds its people.
func (s *Schedule) page(ctx context.Context, id string, offset int, found map[string]OnCall) (more bool, err error) {
	query := url.Values{
		"schedule_ids[]": {id}, "include[]": {"users"}, "limit": {strconv.Itoa(pageSize)}, "offset": {strconv.Itoa(offset)},
	}
	to, err := outbound.ParseEndpoint(s.base + "/oncalls?" + query.Encode())
	if err != nil {
		return false, actions.Permanent(fmt.Errorf("url: %w", err))
	}
	reply, err := s.client.Do(ctx, outbound.Call{
		Method: http.MethodGet, To: to, Unclear: actions.ClassRetryable,
		Header: http.Header{
			"Accept":        {"application/vnd.pagerduty+json;version=2"},
			"Authorization": {"Token token=" + s.token.Reveal()},
		},
	})
	if err != nil {
		return false, advised(err, reply)
	}
	var got answered
	if json.Unmarshal(reply.Body, &got) != nil || got.More == nil {
		return false, actions.Retryable(fmt.Errorf("%s: not PagerDuty's answer, or one of more than %d bytes: %s", to, outbound.ReplyLimit, s.client.Redact(to, string(reply.Body))))
	}
	for _, entry := range got.OnCalls {
		if entry.User.ID == "" || entry.Schedule == nil || entry.Schedule.ID != id {
			continue
		}
		name := entry.User.Name
		if name == "" {
			name = entry.User.Summary
		}
		found[entry.User.ID] = OnCall{ID: entry.User.ID, Name: name, Email: entry.User.Email}
	}
	return *got.More && len(got.OnCalls) > 0, nil
}

// advised adds what to do, and how long PagerDuty asks to wait: its REST API says that in
// a header of its own.
func advised(err error, reply outbound.Reply) error {
	switch reply.Status {
	case http.StatusUnauthorized:
		return actions.Permanent(fmt.Errorf("%w: the REST API key is wrong or was removed; create one that only reads", err))
	case http.StatusForbidden:
		return actions.Permanent(fmt.Errorf("%w: the REST API key may not read schedules", err))
	case http.StatusTooManyRequests:
		var classed *actions.Error
		seconds, bad := strconv.ParseUint(reply.Header.Get("Ratelimit-Reset"), 10, 16)
		if errors.As(err, &classed) && classed.After == 0 && bad == nil {
			return &actions.Error{Class: classed.Class, After: min(time.Duration(seconds)*time.Second, time.Hour), Err: classed.Err}
		}
	}
	return err
}
