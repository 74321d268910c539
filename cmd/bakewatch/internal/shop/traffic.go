package shop

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// The limits of the traffic.
const (
	maxRate   = 1000 // requests a second
	maxFlight = 128  // requests under way at once
)

// Traffic is the shop's customers: real requests at a steady rate, to each instance
// in turn. A request that would be one too many under way is skipped and counted.
type Traffic struct {
	targets []string
	rate    int
	client  *http.Client
	tokens  chan struct{}

	sent, failed, skipped atomic.Uint64
}

// Traffic returns customers who make so many requests a second in all, 1 to 1000.
func (s *Shop) Traffic(rate int) (*Traffic, error) {
	if rate < 1 || rate > maxRate {
		return nil, fmt.Errorf("shop: %d requests a second; 1 to %d are possible", rate, maxRate)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: maxFlight, IdleConnTimeout: time.Minute}
	return &Traffic{
		targets: s.Targets(), rate: rate, tokens: make(chan struct{}, maxFlight),
		client: &http.Client{Transport: transport, Timeout: 5 * time.Second},
	}, nil
}

// Run makes requests until the context ends, and returns when the last is answered.
func (t *Traffic) Run(ctx context.Context) {
	defer t.client.CloseIdleConnections()
	var flight sync.WaitGroup
	defer flight.Wait()
	tick := time.NewTicker(time.Second / time.Duration(t.rate))
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case t.tokens <- struct{}{}:
			target := t.targets[n%len(t.targets)]
			flight.Go(func() {
				defer func() { <-t.tokens }()
				t.visit(ctx, target)
			})
		default:
			t.skipped.Add(1)
		}
	}
}

// visit makes one request. Failures are the shop's to have and to count; here they
// are only numbers.
func (t *Traffic) visit(ctx context.Context, target string) {
	t.sent.Add(1)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+target+"/", http.NoBody)
	if err != nil {
		t.failed.Add(1)
		return
	}
	response, err := t.client.Do(request)
	if err != nil {
		if ctx.Err() == nil {
			t.failed.Add(1)
		}
		return
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.failed.Add(1)
	}
}

// Count is how many requests were made, failed, and were skipped.
type Count struct{ Sent, Failed, Skipped uint64 }

// Count returns the numbers so far.
func (t *Traffic) Count() Count {
	return Count{Sent: t.sent.Load(), Failed: t.failed.Load(), Skipped: t.skipped.Load()}
}
