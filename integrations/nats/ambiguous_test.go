package nats_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/watcher"
)

func TestAnAppendWhoseAnswerWasLostIsFoundAgain(t *testing.T) {
	s := external(t, server.Options{})
	direct := connectWith(t, nats.Config{URL: s.ClientURL(), CreateStreams: true})
	sees := journal(t, direct)
	p := newProxy(t, s.Addr().String())
	far := journal(t, connectWith(t, nats.Config{URL: p.url(), Timeout: 5 * time.Second}))
	opened := write(t, far, checkout, 0, watcher.Opened)[0]

	p.loseAnswers()
	type result struct {
		entry watcher.Entry
		err   error
	}
	answer := make(chan result, 1)
	go func() {
		e, err := far.Append(t.Context(), entry(checkout, watcher.Decided, opened.Seq))
		answer <- result{e, err}
	}()
	eventually(t, "the entry is in the journal", func() bool {
		got, err := sees.Read(t.Context(), checkout)
		return err == nil && len(got) == 2
	})
	p.cut() // the connection ends before the answer came, and works again
	got := receive(t, "the append's end", answer)
	if got.err != nil {
		t.Fatalf("the append did not find its own entry: %v", got.err)
	}
	entries, err := sees.Read(t.Context(), checkout)
	if err != nil || len(entries) != 2 {
		t.Fatalf("the journal has %d entries: %v", len(entries), err)
	}
	if entries[1].Seq != got.entry.Seq || entries[1].Hash != got.entry.Hash {
		t.Errorf("returned %d %s, written %d %s", got.entry.Seq, got.entry.Hash, entries[1].Seq, entries[1].Hash)
	}
}

func TestAnAppendThatNeverArrivedIsWrittenOnceTheServerIsBack(t *testing.T) {
	store := t.TempDir()
	s := external(t, server.Options{StoreDir: store, SyncAlways: true})
	port := s.Addr().(interface{ AddrPort() netip.AddrPort }).AddrPort().Port()
	conn := connectWith(t, nats.Config{URL: s.ClientURL(), CreateStreams: true})
	j := journal(t, conn)
	opened := write(t, j, checkout, 0, watcher.Opened)[0]
	s.Shutdown()
	s.WaitForShutdown()
	eventually(t, "not ready", func() bool { return conn.Ready() != nil })

	answer := make(chan error, 1)
	go func() {
		_, err := j.Append(t.Context(), entry(checkout, watcher.Decided, opened.Seq))
		answer <- err
	}()
	external(t, server.Options{StoreDir: store, SyncAlways: true, Port: int(port)})
	if err := receive(t, "the append's end", answer); err != nil {
		t.Fatalf("append: %v", err)
	}
	got, err := j.Read(t.Context(), checkout)
	if err != nil || kindsOf(got) != "[opened decided]" {
		t.Errorf("read %s: %v", kindsOf(got), err)
	}
}

func TestAnAppendGivesUpWhenNobodyAnswers(t *testing.T) {
	s := external(t, server.Options{})
	conn := connectWith(t, nats.Config{URL: s.ClientURL(), CreateStreams: true, Timeout: 500 * time.Millisecond})
	j := journal(t, conn)
	s.Shutdown()
	s.WaitForShutdown()
	_, err := j.Append(t.Context(), entry(checkout, watcher.Opened, 0))
	if err == nil || errors.Is(err, watcher.ErrConflict) {
		t.Errorf("got %v, want an error that is no conflict", err)
	}
}
