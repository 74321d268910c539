package nats_test

import (
	"context"
	"errors"
	"testing"

	"github.com/bakewatch/bakewatch/integrations/nats"
)

func facts(t testing.TB, conn *nats.Conn) *nats.Facts {
	t.Helper()
	f, err := conn.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAFactIsTheLastValueOfItsKey(t *testing.T) {
	store := t.TempDir()
	conn := connect(t, store)
	f := facts(t, conn)
	keys := []string{"checkout", "", "a.b c/d>*", "Ünïcode\x00", "=41", "CHECKOUT"}
	for _, key := range keys {
		for _, value := range []string{"first", "second of " + key} {
			if err := f.Put(t.Context(), nats.FactPlan, key, []byte(value)); err != nil {
				t.Fatalf("put %q: %v", key, err)
			}
		}
	}
	if err := f.Put(t.Context(), nats.FactDisarm, "checkout", []byte("holiday")); err != nil {
		t.Fatal(err)
	}
	closeConn(t, conn)
	f = facts(t, connect(t, store))

	t.Run("whatever the key, and after a restart", func(t *testing.T) {
		for _, key := range keys {
			got, err := f.Get(t.Context(), nats.FactPlan, key)
			if err != nil || string(got.Value) != "second of "+key || got.Key != key {
				t.Errorf("get %q: %+v, %v", key, got, err)
			}
		}
	})
	t.Run("and its kind is listed apart from others", func(t *testing.T) {
		list, err := f.List(t.Context(), nats.FactPlan)
		if err != nil || len(list) != len(keys) {
			t.Fatalf("listed %d of %d: %v", len(list), len(keys), err)
		}
		for i, fact := range list {
			if fact.Key != keys[i] {
				t.Errorf("%d is %q, want %q", i, fact.Key, keys[i])
			}
		}
	})
	t.Run("until it is deleted", func(t *testing.T) {
		if err := f.Delete(t.Context(), nats.FactDisarm, "checkout"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Get(t.Context(), nats.FactDisarm, "checkout"); !errors.Is(err, nats.ErrNoFact) {
			t.Errorf("got %v, want ErrNoFact", err)
		}
		if list, err := f.List(t.Context(), nats.FactDisarm); err != nil || len(list) != 0 {
			t.Errorf("listed %v, %v", list, err)
		}
	})
	t.Run("a key that no subject can hold is refused", func(t *testing.T) {
		if err := f.Put(t.Context(), nats.FactPlan, string(make([]byte, 400)), nil); err == nil {
			t.Error("it was taken")
		}
		if err := f.Put(t.Context(), "a kind", "x", nil); err == nil {
			t.Error("the kind was taken")
		}
	})
}

func TestAWatcherHearsOfFactsThatAreAndThatChange(t *testing.T) {
	f := facts(t, connect(t, t.TempDir()))
	put := func(key, value string) {
		if err := f.Put(t.Context(), nats.FactDisarm, key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	put("before", "1")
	heard := make(chan nats.Fact, 10)
	running(t, func(ctx context.Context) error {
		return f.Watch(ctx, nats.FactDisarm, func(fact nats.Fact) { heard <- fact })
	})
	if got := receive(t, "the fact that is", heard); got.Key != "before" || string(got.Value) != "1" {
		t.Errorf("heard %+v", got)
	}
	put("after", "2")
	if got := receive(t, "the new fact", heard); got.Key != "after" || got.Deleted {
		t.Errorf("heard %+v", got)
	}
	if err := f.Delete(t.Context(), nats.FactDisarm, "before"); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, "the deletion", heard); got.Key != "before" || !got.Deleted {
		t.Errorf("heard %+v", got)
	}
}
