package watcher_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/watcher"
)

// switches is a switch in memory that knows one plan.
type switches struct{ orders map[string]string }

func (s *switches) Disarm(_ context.Context, service, _, reason string) error {
	s.orders[service] = reason
	return nil
}

func (s *switches) Arm(_ context.Context, service, _ string) error {
	delete(s.orders, service)
	return nil
}

func (s *switches) Disarmed() map[string]string { return maps.Clone(s.orders) }
func (s *switches) Planned() []string           { return []string{"payments"} }

func switched(s *switches, play func(s *scene)) func(t *testing.T) {
	return func(t *testing.T) {
		stageWith(t, &scene{world: &world{}, config: func(c *watcher.Config) { c.Switch = s }}, play)
	}
}

func TestAMisspeltServiceIsNeitherDisarmedNorArmed(t *testing.T) {
	board := &switches{orders: map[string]string{}}
	switched(board, func(s *scene) {
		s.deploy("1")
		desk := s.owners[0]
		for _, err := range []error{
			desk.Disarm(s.t.Context(), watcher.Order{By: authority.LocalProof("ana"), Service: "chekout", Reason: "load test"}),
			desk.Arm(s.t.Context(), watcher.Order{By: authority.LocalProof("ana"), Service: "chekout"}),
		} {
			if !errors.Is(err, watcher.ErrRefused) || !strings.Contains(err.Error(), "checkout, payments") {
				t.Errorf("got %v, want it refused with the known ones", err)
			}
		}
		for _, service := range []string{"", "checkout", "payments"} {
			if err := desk.Disarm(s.t.Context(), watcher.Order{By: authority.LocalProof("ana"), Service: service}); err != nil {
				t.Errorf("%q: %v", service, err)
			}
		}
		if err := desk.Disarm(s.t.Context(), watcher.Order{By: authority.LocalProof("ana"), Service: "chekout", Force: true}); err != nil {
			t.Error(err)
		}
		if err := desk.Arm(s.t.Context(), watcher.Order{By: authority.LocalProof("ana"), Service: "chekout"}); err != nil {
			t.Errorf("what was disarmed cannot be armed again: %v", err)
		}
	})(t)
}

func TestWhatIsDisarmedIsListedAlsoWithoutALane(t *testing.T) {
	board := &switches{orders: map[string]string{"payments": "moving", "checkout": "load test"}}
	switched(board, func(s *scene) {
		s.deploy("1")
		lanes, err := s.owners[0].List(s.t.Context())
		if err != nil || len(lanes) != 2 || lanes[0].Lane.Service != "payments" || lanes[0].Disarmed != "moving" || lanes[1].Lane != lane {
			t.Errorf("listed %+v, %v", lanes, err)
		}
	})(t)
}
