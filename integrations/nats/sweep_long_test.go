//go:build long

package nats_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	client "github.com/nats-io/nats.go"

	"github.com/bakewatch/bakewatch/integrations/nats"
)

func TestAnEventThatLooksLikeTheServersOwnMessageIsBuriedAndHoldsNobodyUp(t *testing.T) {
	for name, headers := range map[string]client.Header{
		"one that ends the pull": {"Status": {"409"}, "Description": {"Consumer Deleted"}},
		"one that says nothing":  {"Status": {"100"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, t.TempDir())
			publish(t, conn, "deployments.production.evil", nil, headers)
			publish(t, conn, "deployments.production.good", []byte("{}"), nil)
			var got seen
			running(t, func(ctx context.Context) error {
				return conn.Intake(hurried).Run(ctx, func(_ context.Context, in nats.Incoming) error {
					got.add(in.Subject)
					return nil
				})
			})
			eventually(t, "the good event", func() bool { return slices.Contains(got.list(), "deployments.production.good") })
			eventually(t, "everything is settled", func() bool { return unsettled(t, conn) == 0 })
			letter := dead(t, conn)["deployments.production.evil"]
			if letter == nil || !strings.Contains(letter.Header.Get(nats.HeaderReason), "server's own") {
				t.Errorf("dead letter: %+v", letter)
			}
		})
	}
}
