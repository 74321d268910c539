package watcher_test

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// curve returns a curve of so many steps.
func curve(steps int) func() rules.Curve {
	return func() rules.Curve {
		return rules.Curve{Step: minutes(1), New: slices.Repeat([]float64{0.0123}, steps), Wealth: slices.Repeat([]float64{1.5}, steps), Limit: .01}
	}
}

// written returns the answers that entries of these kinds carry.
func (s *scene) written(kinds ...watcher.Kind) (answers [][]rules.Answer) {
	for _, e := range s.journal.entries {
		if e.Ruling != nil {
			e.Answers = e.Ruling.Answers
		}
		if slices.Contains(kinds, e.Kind) {
			answers = append(answers, e.Answers)
		}
	}
	return answers
}

func TestWhatIsWrittenForPeopleShowsTheSeries(t *testing.T) {
	for name, authorities := range map[string][]rules.Authority{"decided": {{Decide: rules.Auto}}, "told": nil} {
		t.Run(name, func(t *testing.T) {
			b := &book{}
			rule := bettor{name: "errors", curve: curve(30), book: b, says: func(_ time.Time, value float64) rules.Answer { return won(value * 1000) }}
			p := plan(func(p *rules.Plan) { p.Authorities = authorities })
			s := &scene{world: &world{bad: []string{"2.4.0"}}, plan: p, config: builds(rule)}
			stageWith(t, s, func(s *scene) {
				s.passed("2.3.9")
				s.deploy("2.4.0")
				s.wait(10 * time.Minute)
				answers := s.written(watcher.Verdicts, watcher.Ruled, watcher.Decided)
				if ruled := s.written(watcher.Ruled, watcher.Decided); len(ruled) == 0 || len(answers) == len(ruled) {
					t.Fatalf("journal: %s", s.journal.kinds())
				}
				for _, a := range answers {
					if a[0].Curve == nil || len(a[0].Curve.New) != 30 {
						t.Errorf("no curve in %+v", a[0])
					}
				}
				if b.state().plotted > len(answers) {
					t.Errorf("%d curves were made for %d entries", b.state().plotted, len(answers))
				}
			})
		})
	}
}

func TestAListHasNoCurvesAndAViewHas(t *testing.T) {
	rule := bettor{name: "errors", curve: curve(30), book: &book{}, says: always(won(1e6))}
	s := &scene{world: &world{}, plan: plan(func(p *rules.Plan) { p.Authorities = nil }), config: builds(rule)}
	stageWith(t, s, func(s *scene) {
		s.deploy("2.4.0")
		s.wait(5 * time.Minute)
		view, err := s.owners[0].Show(s.t.Context(), watcher.Ref{Name: "checkout"})
		if err != nil || view.Answers[0].Curve == nil || view.Ruling.Answers[0].Curve == nil {
			t.Errorf("view: %+v, %v", view.Answers, err)
		}
		list, err := s.owners[0].List(s.t.Context())
		if err != nil || list[0].Watch.Answers[0].Curve != nil || list[0].Watch.Ruling.Answers[0].Curve != nil {
			t.Errorf("list: %+v, %v", list[0].Watch.Answers, err)
		}
	})
}

func TestACurveThatCannotBeWrittenIsLeftOut(t *testing.T) {
	for name, shows := range map[string]func() rules.Curve{
		"no number":   func() rules.Curve { return rules.Curve{New: []float64{math.NaN()}} },
		"no end":      func() rules.Curve { return rules.Curve{New: []float64{0}, Wealth: []float64{math.Inf(1)}} },
		"nothing yet": func() rules.Curve { return rules.Curve{} },
		"a panic":     func() rules.Curve { panic("no curve") },
	} {
		t.Run(name, func(t *testing.T) {
			rule := bettor{name: "errors", curve: shows, book: &book{}, says: always(won(1e6))}
			s := &scene{world: &world{}, plan: plan(func(p *rules.Plan) { p.Authorities = nil }), config: builds(rule)}
			stageWith(t, s, func(s *scene) {
				s.deploy("2.4.0")
				s.wait(5 * time.Minute)
				if got := s.journal.kinds(); got != "opened ruled" {
					t.Fatalf("journal: %s", got)
				}
				if a := s.written(watcher.Ruled)[0][0]; a.Curve != nil {
					t.Errorf("curve: %+v", a.Curve)
				}
			})
		})
	}
}

func TestTheCurvesOfTheLeastInterestingAnswersAreLeftOutFirst(t *testing.T) {
	names := []string{"breached", "rich", "poor", "plain"}
	says := map[string]rules.Answer{
		"breached": {Verdict: rules.Breached, Ceiling: rules.Auto}, "rich": won(0.7), "poor": won(0.01), "plain": {Verdict: rules.Healthy},
	}
	for steps, want := range map[int][]string{
		20: {"breached", "rich", "poor", "plain"}, 170: {"breached", "rich", "poor"}, 230: {"breached", "rich"}, 400: {"breached"}, 1000: nil,
	} {
		t.Run(strconv.Itoa(steps), func(t *testing.T) {
			var built []rules.Rule
			for _, name := range names {
				built = append(built, bettor{name: name, curve: curve(steps), book: &book{}, says: always(says[name])})
			}
			s := &scene{world: &world{}, plan: plan(named(names...), func(p *rules.Plan) { p.Authorities = nil }), config: builds(built...)}
			stageWith(t, s, func(s *scene) {
				s.deploy("2.4.0")
				s.wait(10 * time.Minute)
				written := s.written(watcher.Verdicts)
				if len(written) == 0 {
					t.Fatalf("journal: %s", s.journal.kinds())
				}
				var have []string
				for _, a := range written[0] {
					if a.Curve != nil {
						have = append(have, a.Rule)
					}
				}
				if text, err := json.Marshal(written[0]); err != nil || len(text) > 8<<10 {
					t.Errorf("%d bytes, %v", len(text), err)
				}
				if !slices.Equal(have, want) {
					t.Errorf("curves of %q, want %q", have, want)
				}
			})
		})
	}
}
