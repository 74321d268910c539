package watcher_test

import (
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/watcher"
)

func TestWhatHasNoWatchSaysWhy(t *testing.T) {
	stage(t, &world{}, nil, func(s *scene) {
		s.deploy("1")
		for ref, want := range map[watcher.Ref]string{
			{Name: "checkout"}:                         "production/checkout has no watch; 1 went live there without a plan",
			{Name: "checkout", Environment: "staging"}: "checkout was never deployed in staging, but in production",
			{Name: "nobody"}:                           "no service of that name was deployed",
		} {
			if _, err := s.owners[0].Show(s.t.Context(), ref); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: got %v, want %q", ref, err, want)
			}
		}
	})
}
