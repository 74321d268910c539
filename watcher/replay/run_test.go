package replay_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/replay"
	"github.com/bakewatch/bakewatch/watcher/replay/peers"
)

// service is a day of a service in rows of a minute, 600 requests each, that was bad
// from one minute on.
func service(share float64, from int, worse float64) replay.Recording {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable
	s := replay.Series{Step: time.Minute}
	for i := range 24 * 60 {
		p := share
		if i >= from {
			p = worse
		}
		bad := 0.0
		for range 600 {
			if random.Float64() < p {
				bad++
			}
		}
		s.Rows = append(s.Rows, replay.Row{From: minute(i), To: minute(i + 1), Counts: replay.Counts{Total: 600, Bad: bad}})
	}
	return replay.Recording{Name: "shop", Measures: []replay.Measure{{Name: "errors", Subject: "errors", Series: s}}}
}

// deployed is when the deployment of these tests happened: late in the day.
const deployed = 23 * 60

var config = replay.Config{Bake: 30 * time.Minute}

func watch(t interface {
	Helper()
	Fatal(...any)
}, c replay.Config, r replay.Recording, bad bool,
) replay.Finding {
	t.Helper()
	f, err := c.Run(r, replay.Deployment{Name: "2.4.0", At: minute(deployed), Bad: bad})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestABadDeploymentIsDetectedWithItsArithmetic(t *testing.T) {
	f := watch(t, config, service(0.002, deployed, 0.05), true)
	if !f.Detected() || f.After() <= 0 || f.After() > 10*time.Minute || f.Rule != "errors" || f.Why == "" {
		t.Errorf("%+v", f)
	}
}

func TestAGoodDeploymentPasses(t *testing.T) {
	f := watch(t, config, service(0.002, 24*60, 0), false)
	if f.Detected() || f.Outcome != watcher.Passed {
		t.Errorf("%+v", f)
	}
}

// What is not there is never a detection, and never a pass.
func TestMissingRowsAreNeverADetectionAndNeverAPass(t *testing.T) {
	r := service(0.002, 24*60, 0)
	r.Measures[0].Series.Rows = r.Measures[0].Series.Rows[:deployed]
	f := watch(t, config, r, false)
	if f.Detected() || f.Outcome != watcher.Undecided {
		t.Errorf("%+v", f)
	}
	for _, a := range f.Said {
		if a.Verdict != rules.NoData || a.Test == nil || a.Test.Held == "" {
			t.Errorf("%s: %s, test %+v", a.Verdict, a.Why, a.Test)
		}
	}
}

func TestWhateverRowsAreMissingAGoodDeploymentIsNotDetected(t *testing.T) {
	whole := service(0.002, 24*60, 0)
	rapid.Check(t, func(t *rapid.T) {
		r := whole
		r.Measures = []replay.Measure{whole.Measures[0]}
		rows := r.Measures[0].Series.Rows
		kept := append([]replay.Row{}, rows[:deployed-10]...)
		for i, row := range rows[deployed-10:] {
			if rapid.IntRange(0, 2).Draw(t, "missing") > 0 || i < 5 {
				kept = append(kept, row)
			}
		}
		r.Measures[0].Series.Rows = kept
		if f := watch(t, config, r, false); f.Detected() {
			t.Fatalf("%+v", f)
		}
	})
}

// A replay is worth nothing if it sees what had not happened yet.
func TestNothingThatHappensLaterIsSeen(t *testing.T) {
	r := service(0.002, deployed, 0.05)
	whole := watch(t, config, r, true)
	rows := r.Measures[0].Series.Rows
	r.Measures[0].Series.Rows = rows[:deployed+int(whole.After()/time.Minute)]
	cut := watch(t, config, r, true)
	if cut.After() != whole.After() || cut.Why != whole.Why {
		t.Errorf("with the rows after it: %+v\nwithout: %+v", whole, cut)
	}
}

func TestTheDeploymentItselfIsNoPartOfItsHistory(t *testing.T) {
	r := service(0.002, deployed, 0.05)
	before := service(0.002, deployed, 0.05)
	before.Wrong = []rules.Span{{From: minute(deployed), To: minute(24 * 60)}}
	with, without := watch(t, config, r, true), watch(t, config, before, true)
	if with.After() != without.After() {
		t.Errorf("%s, %s", with.After(), without.After())
	}
}

// flagger is one that stops at so many failed checks of 1 %.
func flagger(checks int) replay.Peer {
	return replay.Peer{Name: "flagger", Begin: func(s replay.Start) replay.Watchman {
		return peers.Flagger{Max: []float64{0.01}, Threshold: checks}.Begin(s.Step)
	}}
}

func TestPeersSeeTheWholeBakeAndNoMore(t *testing.T) {
	c := config
	c.Peers = []replay.Peer{flagger(1), flagger(30), flagger(31)}
	f := watch(t, c, service(0.002, deployed, 0.05), true)
	want := []time.Duration{time.Minute, 30 * time.Minute, 0}
	for i, found := range f.Peers {
		if found.After != want[i] || found.Unable {
			t.Errorf("peer %d: %+v, want %s", i, found, want[i])
		}
	}
}

// Some peers take missing counts for a failure. The end of a recording is none.
func TestAPeerSeesGapsButNotTheEndOfTheRecording(t *testing.T) {
	c := config
	c.Peers = []replay.Peer{flagger(3)}
	for name, test := range map[string]struct {
		from, to int // what is missing, in minutes after the deployment
		want     time.Duration
	}{
		"a gap":   {10, 20, 13 * time.Minute},
		"the end": {10, 60, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := service(0.002, 24*60, 0)
			r.Measures[0].Series.Rows = slices.Delete(r.Measures[0].Series.Rows, deployed+test.from, deployed+test.to)
			if f := watch(t, c, r, false); f.Peers[0].After != test.want {
				t.Errorf("%+v, want %s", f.Peers[0], test.want)
			}
		})
	}
}

// noter is a peer that stops nothing and notes what it is shown.
type noter struct {
	start replay.Start
	looks [][]replay.Seen
}

func (n *noter) See(look []replay.Seen) bool {
	n.looks = append(n.looks, look)
	return false
}

func (n *noter) peer() replay.Peer {
	return replay.Peer{Name: "noter", Begin: func(s replay.Start) replay.Watchman {
		n.start = s
		return n
	}}
}

func TestALookFromBeforeTheDeploymentToAfterItIsShownToNoPeer(t *testing.T) {
	n, c := &noter{}, config
	c.Peers = []replay.Peer{n.peer()}
	if _, err := c.Run(service(0.002, deployed, 0.05), replay.Deployment{At: minute(deployed).Add(20 * time.Second)}); err != nil {
		t.Fatal(err)
	}
	past := n.start.Measures[0].Past
	before, arrived := past.UpTo(past.Looks())
	if past.Looks() != 6*60 || arrived != past.Looks()-1 || before.Total != 600*float64(arrived) {
		t.Errorf("%d looks before, %d found something: %+v", past.Looks(), arrived, before)
	}
	if len(n.looks) != 29 || n.looks[0][0].New.Total != 600 || n.looks[0][0].Service != n.looks[0][0].New {
		t.Errorf("%d looks: %+v", len(n.looks), n.looks)
	}
}

func TestWhatWasWrongIsNotUsual(t *testing.T) {
	n, c := &noter{}, config
	c.Peers = []replay.Peer{n.peer()}
	r := service(0.002, 12*60, 0.05)
	watch(t, c, r, true)
	if level := n.start.Measures[0].Level; level < 0.02 {
		t.Errorf("all of it: %g", level)
	}
	r.Wrong = []rules.Span{{From: minute(12 * 60), To: minute(24 * 60)}}
	watch(t, c, r, true)
	if level := n.start.Measures[0].Level; level < 0.001 || level > 0.003 {
		t.Errorf("without what was wrong: %g", level)
	}
}

func TestAServiceWithoutErrorsHasAUsualShareAllTheSame(t *testing.T) {
	n, c := &noter{}, config
	c.Peers = []replay.Peer{n.peer()}
	watch(t, c, service(0, 24*60, 0), false)
	if level := n.start.Measures[0].Level; level <= 0 || level > 1e-6 {
		t.Errorf("%g", level)
	}
}

func TestAPeerThatKnowsTooLittleSaysThatItCannotJudge(t *testing.T) {
	c := config
	c.Peers = peers.All()
	r := service(0.002, 0, 0.05)
	r.Measures[0].Series.Rows = r.Measures[0].Series.Rows[deployed:]
	f := watch(t, c, r, true)
	for i, peer := range c.Peers {
		limit := !strings.Contains(peer.Name, "tuned") && !strings.Contains(peer.Name, "burn") && !strings.Contains(peer.Name, "whitney")
		if found := f.Peers[i]; found.Unable == limit || !limit && found.After > 0 {
			t.Errorf("%s: %+v", peer.Name, found)
		}
	}
	if unable := replay.CountPeer([]replay.Finding{f}, 1).Unable; unable != 1 {
		t.Errorf("%d counted", unable)
	}
}

func TestWhatCannotBeWatchedIsAnError(t *testing.T) {
	r := service(0.002, 24*60, 0)
	for name, c := range map[string]replay.Config{
		"no bake":                        {},
		"a bake shorter than a look":     {Bake: time.Second, Interval: time.Minute},
		"looks too close to one another": {Bake: time.Minute, Interval: time.Millisecond},
	} {
		if _, err := c.Run(r, replay.Deployment{At: minute(0)}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestFindingsAreCounted(t *testing.T) {
	found := func(bad bool, power rules.Power, asked, decided, peer time.Duration) replay.Finding {
		return replay.Finding{Deployment: replay.Deployment{Bad: bad}, Power: power, Asked: asked, Decided: decided, Peers: []replay.PeerFinding{{After: peer}}}
	}
	findings := []replay.Finding{
		found(true, rules.Auto, 0, time.Minute, 0),
		found(true, rules.Ask, 3*time.Minute, 0, 2*time.Minute),
		found(true, rules.Notify, 0, 0, 0),
		found(false, rules.Ask, time.Minute, 0, 0),
		found(false, rules.Auto, time.Minute, 2*time.Minute, 0),
		found(false, rules.None, 0, 0, time.Minute),
	}
	want := replay.Tally{Bad: 3, Detected: 2, Healthy: 3, False: 2, Alone: 1, FalseAlone: 1, Median: 3 * time.Minute}
	if got := replay.Count(findings); got != want {
		t.Errorf("%+v", got)
	}
	if got, want := replay.Count(findings).String(), "incidents: bad=3 detected=2 healthy=3 false=2"; got != want {
		t.Errorf("%s", got)
	}
	want = replay.Tally{Bad: 3, Detected: 1, Healthy: 3, False: 1, Alone: 1, FalseAlone: 1, Median: 2 * time.Minute}
	if got := replay.CountPeer(findings, 0); got != want {
		t.Errorf("peer: %+v", got)
	}
}
