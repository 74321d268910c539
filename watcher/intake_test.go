package watcher_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// tardy is a journal whose disk takes a second for every entry.
type tardy struct{ *memory }

func (j tardy) Append(ctx context.Context, e watcher.Entry) (watcher.Entry, error) {
	<-time.After(time.Second)
	return j.memory.Append(ctx, e)
}

func TestEventsOfManyLanesDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &memory{}
		owner, err := watcher.NewOwner(watcher.Config{
			Name: "a", Journal: tardy{journal}, Sampler: &world{}, Build: build, Actor: actions.Runner{Log: quiet},
			PlanFor: func(rules.Deployment) *rules.Plan { return plan() },
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- owner.Run(ctx, 0) }()
		began := time.Now()
		var all sync.WaitGroup
		for i := range 100 {
			for _, version := range []string{"1", "2"} { // two of each lane, which do wait for each other
				all.Go(func() {
					d := rules.Deployment{
						ID: fmt.Sprint(i, "-", version), Service: fmt.Sprint("s", i), Environment: "production", Version: version,
						Step: rules.Finished, Strategy: rules.Rolling, At: time.Now(),
					}
					if err := owner.Announce(ctx, d); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		if took := time.Since(began); took > 50*time.Second {
			t.Errorf("200 events took %s: they waited in turn", took)
		}
		if n := journal.length(); n != 200 {
			t.Errorf("%d entries for 200 events", n)
		}
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}

func TestNothingIsSaidOfTheRulesBeforeTheFirstLook(t *testing.T) {
	stage(t, &world{}, plan(), func(s *scene) {
		s.deploy("2.4.0")
		s.wait(2 * time.Second)
		if n := s.journal.length(); n != 1 {
			t.Errorf("%d entries, want opened alone", n)
		}
		s.wait(30 * time.Second)
		if n := s.journal.length(); n != 2 {
			t.Errorf("%d entries, want opened and verdicts", n)
		}
	})
}
