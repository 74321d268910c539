package daemon

import (
	"testing"

	"github.com/bakewatch/bakewatch/configs"
)

func TestTheBoundsOfTheFileReachTheServers(t *testing.T) {
	p := configs.Prometheus{MaxBytes: 1 << 30, Limits: configs.Limits{Concurrency: 2, PerSecond: 7, Series: 3, BodyBytes: 4}}
	if got := remote(p); got.Concurrency != 2 || got.PerSecond != 7 || got.MaxSeries != 3 || got.MaxBody != 4 {
		t.Errorf("a server is asked with %+v", got)
	}
	if got := local("main", p); got.MaxBytes != 1<<30 {
		t.Errorf("the embedded server may keep %d bytes", got.MaxBytes)
	}
}
