package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/web"
)

// sharedKey is a key of web.KeyBytes bytes that all replicas have: it is made once, and
// kept as a fact of its kind.
type sharedKey struct {
	kind string
	mu   sync.Mutex
	key  []byte // nil: not read yet
}

// sharedKeyName is the one key of this version.
const sharedKeyName = "key"

// of returns the key of the daemon's replicas.
func (k *sharedKey) of(ctx context.Context, d *Daemon) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key == nil {
		key, err := k.read(ctx, d)
		if err != nil {
			return nil, err
		}
		k.key = key
	}
	return k.key, nil
}

// read reads the key. The active replica, of which there is one, makes it if there is none.
func (k *sharedKey) read(ctx context.Context, d *Daemon) ([]byte, error) {
	fact, err := d.facts.Get(ctx, k.kind, sharedKeyName)
	switch {
	case err == nil:
		return fact.Value, nil
	case !errors.Is(err, nats.ErrNoFact):
		return nil, err
	}
	if _, err := d.active(ctx); err != nil {
		return nil, err
	}
	key := make([]byte, web.KeyBytes)
	_, _ = rand.Read(key) // never fails
	return key, d.facts.Put(ctx, k.kind, sharedKeyName, key)
}
