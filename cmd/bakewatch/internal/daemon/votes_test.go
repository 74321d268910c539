package daemon

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	"github.com/bakewatch/bakewatch/integrations/slack"
	"github.com/bakewatch/bakewatch/integrations/slack/slacktest"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/audit"
	"github.com/bakewatch/bakewatch/watcher/watchertest"
)

// role is who votes, as the question sees it.
type role string

const (
	asked     role = "one of those asked"
	other     role = "a member of another group"
	groupless role = "a person in no group"
	deployer  role = "the deployer, who is in the group"
	author    role = "an author, who is in the group"
	disabled  role = "one of those asked, who may not use this transport"
	unknown   role = "somebody unknown"
)

// voters are the people of the roles.
var voters = map[role]string{asked: "ben", other: "zoe", groupless: "kim", deployer: "ana", author: "eve", disabled: "dan", unknown: "mallory"}

// state is what has become of the question that the vote voters.
type state string

const (
	unasked   state = "that was never asked"
	open      state = "open"
	restated  state = "asked anew since"
	decided   state = "decided by votes"
	kept      state = "kept, and snoozing"
	withdrawn state = "withdrawn"
	expired   state = "past its deadline"
	closed    state = "of a watch that is closed"
	doubled   state = "voted on before by the same person"
)

var states = []state{unasked, open, restated, decided, kept, withdrawn, expired, closed, doubled}

var (
	errEnded   = errors.New("has ended")
	errNothing = errors.New("no question is open")
)

// counts is the whole law, for everybody who has shown who they are, however that was:
// nil, or why the vote does not count.
func counts(who role, question state, choice authority.Choice) error {
	switch {
	case question == closed:
		return errEnded
	case question != open && question != restated && question != doubled:
		return errNothing
	case question == restated:
		return authority.ErrOtherQuestion
	case who == other || who == groupless || who == unknown:
		return authority.ErrNotAsked
	case who == deployer || who == author:
		return authority.ErrBarred
	case question == doubled && choice == authority.Looking:
		return authority.ErrLooked
	case question == doubled && who == asked:
		return authority.ErrVoted
	}
	return nil
}

// showing is how far somebody has shown who they are.
type showing int

const (
	proved   showing = iota // it is the person
	vouched                 // a service knows who it is, and we do not
	unproved                // nothing holds
	turned                  // and at the door, where nothing is read of what it says
	unheard                 // and at a door that is not ours, so that it is not counted either
)

// transport is a way in which votes come, and what it can do.
type transport struct {
	name   string
	way    authority.Way
	choice authority.Choice // what it says
	latest bool             // it voters no question: it answers the one that is open
	silent bool             // nobody is told what came of it
	// shows is how far the roles have shown who they are; those that are missing have.
	shows map[role]showing
	// hint is what those are told who have not.
	hint map[role]string
	send func(t *testing.T, c cell) (counted bool, told string)
}

// cell is one vote on a question of its own.
type cell struct {
	transport
	role
	state
	watch, question uint64
	staged          uint64 // the last entry before the vote
}

func (c cell) String() string {
	return fmt.Sprintf("%s: %s, on a question %s", c.name, c.role, c.state)
}

// entry is what the journal says of a vote: "voted ben", "refused ben: why", "" for nothing.
type entry struct{ what, why string }

// want returns what the law and the transport's abilities make of the vote.
func (c cell) want() (counted bool, written entry, told string) {
	question := c.state
	if c.latest && question == restated {
		question = open
	}
	switch c.shows[c.role] {
	case proved:
		switch err := counts(c.role, question, c.choice); {
		case err == nil:
			return true, entry{what: "voted " + voters[c.role] + " " + string(c.way)}, ""
		case errors.Is(err, errEnded):
			return false, entry{}, err.Error()
		default:
			return false, entry{"refused " + voters[c.role] + " " + string(c.way), err.Error()}, err.Error()
		}
	case vouched:
		written = entry{nobodys + string(c.way), authority.ErrUnproved.Error()}
	case unproved:
		written = entry{nobodys, "somebody who could not show who they are"}
	case turned, unheard:
	}
	if question != open && question != doubled {
		written = entry{}
	}
	told = c.hint[c.role]
	if told == "" {
		told = authority.ErrUnproved.Error()
	}
	return false, written, told
}

// nobodys begins what the journal says of a refused vote without a person.
const nobodys = "refused  "

// wrote returns what the entry says of a vote; nothing: it is of none.
func wrote(e watcher.Entry) []entry {
	switch {
	case e.Kind == watcher.Voted:
		return []entry{{what: "voted " + e.Vote.Person + " " + string(e.Vote.Proof.Way)}}
	case e.Topic == watcher.Refused:
		return []entry{{"refused " + e.Vote.Person + " " + string(e.Vote.Proof.Way), e.Text}}
	}
	return nil
}

// Every transport, for everybody, to a question in every state: what counts is the same
// law for all, what does not is in the journal, and whoever voted is told why.
func TestAVoteCountsByOneLawHoweverItComes(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) *polls{"who trusts this machine": trustingPolls, "who wants signatures": strictPolls} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			for _, c := range p.cells {
				p.cast(t, c)
			}
			entries := p.journaled(t)
			for _, c := range p.cells {
				c.recorded(t, entries)
			}
			p.audited(t, entries)
			p.counted(t)
		})
	}
}

func (p *polls) cast(t *testing.T, c cell) {
	t.Helper()
	counts, _, says := c.want()
	if counted, told := c.send(t, c); counted != counts || !c.silent && !strings.Contains(told, says) {
		t.Errorf("%s: counted %t, told %q; want %t, %q", c, counted, told, counts, says)
	}
}

// recorded checks what the journal says of the vote.
func (c cell) recorded(t *testing.T, entries []watcher.Entry) {
	t.Helper()
	_, want, _ := c.want()
	var got []entry
	for _, e := range entries {
		if e.Watch == c.watch && e.Seq > c.staged {
			got = append(got, wrote(e)...)
		}
	}
	switch {
	case len(got) == 0 && want == entry{}:
	case len(got) != 1 || got[0].what != want.what || !strings.Contains(got[0].why, want.why):
		t.Errorf("%s: the journal says %q, want %q", c, got, want)
	case want.what == nobodys && strings.Contains(got[0].why, voters[c.role]):
		t.Errorf("%s: the journal names somebody who did not show who it was: %q", c, got)
	}
}

// audited reads the journal as outsiders do.
func (p *polls) audited(t *testing.T, entries []watcher.Entry) {
	t.Helper()
	result, broken := audit.Check(entries), watchertest.Check(watchertest.Record{Entries: entries})
	if len(result.Findings) > 0 || len(broken) > 0 {
		t.Errorf("findings: %v; broken: %v", result.Findings, broken)
	}
	refused, unproved := 0, 0
	for _, c := range p.cells {
		_, written, _ := c.want()
		if strings.HasPrefix(written.what, "refused") {
			refused++
		}
		if strings.HasPrefix(written.what, nobodys) {
			unproved++
		}
	}
	if result.Refused != refused || result.Unproved != unproved || refused == 0 || unproved == 0 {
		t.Errorf("%d refused and %d unproved were audited, want %d and %d", result.Refused, result.Unproved, refused, unproved)
	}
}

// counted checks that every vote that came to us and was nobody's is counted.
func (p *polls) counted(t *testing.T) {
	t.Helper()
	want := 0
	for _, c := range p.cells {
		if how := c.shows[c.role]; how == vouched || how == unproved || how == turned {
			want++
		}
	}
	if got := p.refusals(t); got != want {
		t.Errorf("%d refusals are counted, want %d", got, want)
	}
}

// refusals returns how many requests are counted as nobody's, however they came.
func (p *polls) refusals(t *testing.T) (n int) {
	t.Helper()
	families, err := p.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "bakewatch_requests_refused_total" {
				n += int(m.GetCounter().GetValue())
			}
		}
	}
	return n
}

func TestACallbackThatItsServiceHasNotSignedIsCounted(t *testing.T) {
	p := &polls{slack: slacktest.Start(t)}
	p.start(t, trustingDaemon(p.slack.URL))
	for i, path := range []string{slack.CallbackPath, pagerduty.WebhookPath} {
		status, told := p.post(t, path, jsonKind, "{}", func(*http.Request) {})
		if n := p.refusals(t); status != http.StatusUnauthorized || n != i+1 {
			t.Errorf("%s: %d %s; %d are counted", path, status, told, n)
		}
	}
}

// everyCell returns every transport times every role times every state.
func everyCell(transports []transport) (cells []cell) {
	for _, with := range transports {
		for who := range voters {
			for _, question := range states {
				cells = append(cells, cell{transport: with, role: who, state: question})
			}
		}
	}
	slices.SortFunc(cells, func(a, b cell) int { return strings.Compare(a.String(), b.String()) })
	return cells
}
