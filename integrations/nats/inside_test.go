package nats

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

var quietLog = slog.New(slog.DiscardHandler)

func TestBothCodesOfARefusedCompareAndSetAreConflicts(t *testing.T) {
	for code, want := range map[jetstream.ErrorCode]bool{10071: true, 10164: true, 10077: false} {
		err := fmt.Errorf("publish: %w", &jetstream.APIError{Code: 400, ErrorCode: code})
		if got := isConflict(err); got != want {
			t.Errorf("code %d: conflict %v, want %v", code, got, want)
		}
	}
	if isConflict(errors.New("timeout")) {
		t.Error("a timeout is no conflict")
	}
}

func TestAServerWithoutAUsableDiskIsNotReady(t *testing.T) {
	for line, want := range map[string]bool{
		"Critical write error: no space left on device":   true,
		"JetStream out of space, will be DISABLED":        true,
		"127.0.0.1:58430 - cid:19 - authentication error": false,
	} {
		l := &serverLog{log: quietLog}
		l.Errorf("%s", line)
		if failed := l.failed() != nil; failed != want {
			t.Errorf("%q: failed %v, want %v", line, failed, want)
		}
	}
	e := &embedded{log: &serverLog{log: quietLog}}
	e.log.Fatalf("Can't start JetStream: %v", errors.New("disk"))
	if e.health() == nil {
		t.Error("healthy after a fatal error")
	}
}

func TestKeysBecomeTokensAndBack(t *testing.T) {
	seen := map[string]string{}
	for _, key := range []string{"", "a", "A", "a.b", "a b", "a*", "=", "==", "=2e", "Ünï", "\x00", "a-b_c"} {
		token, err := keyToken(key)
		if err != nil || token == "" {
			t.Fatalf("%q: %q, %v", key, token, err)
		}
		if other, taken := seen[token]; taken {
			t.Errorf("%q and %q are both %q", key, other, token)
		}
		seen[token] = key
		if back, err := tokenKey(token); err != nil || back != key {
			t.Errorf("%q came back as %q, %v", key, back, err)
		}
	}
	for _, bad := range []string{"a=", "a=1", "=zz"} {
		if _, err := tokenKey(bad); err == nil {
			t.Errorf("%q was read as a key", bad)
		}
	}
}

func FuzzKeysBecomeTokensAndBack(f *testing.F) {
	for _, seed := range []string{"", "checkout", "a.b/c>*", "=2e", "Ünï\x00\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		token, err := keyToken(key)
		if err != nil {
			return
		}
		if back, err := tokenKey(token); err != nil || back != key {
			t.Errorf("%q came back as %q, %v", key, back, err)
		}
	})
}
