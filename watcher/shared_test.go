package watcher_test

import (
	"testing"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

func TestDeploymentsOverlapOnTheHostsThatAreAffected(t *testing.T) {
	others := []rules.Instance{{Name: "10.0.0.1:9100"}, {Name: "node-2"}, {Name: "[fd00::1]:80"}, {Name: "127.0.0.1:80"}, {Name: "[::1]:80"}, {Name: "localhost:80"}}
	for name, test := range map[string]struct {
		affected []rules.Instance
		want     float64
	}{
		"nobody":                           {nil, 0},
		"the same host, another port":      {[]rules.Instance{{Name: "10.0.0.1:80", Bad: 1}}, 1},
		"another host":                     {[]rules.Instance{{Name: "10.0.0.11:9100", Bad: 1}}, 0},
		"one of two":                       {[]rules.Instance{{Name: "node-2:80", Bad: 1}, {Name: "node-3:80", Bad: 1}}, 0.5},
		"the healthy ones do not count":    {[]rules.Instance{{Name: "node-2:80"}, {Name: "node-3:80", Bad: 1}}, 0},
		"a loopback address names no host": {[]rules.Instance{{Name: "127.0.0.1:81", Bad: 1}, {Name: "[::1]:81", Bad: 1}, {Name: "localhost:81", Bad: 1}}, 0},
		"a long address":                   {[]rules.Instance{{Name: "[fd00::1]:8080", Bad: 1}, {Name: "fd00::1", Bad: 1}}, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			if got := watcher.Shared(test.affected, others); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
