package nats

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const lockFile = "bakewatch.lock"

// HeldError says that another process uses the store directory. Two servers on
// one directory would both start and both acknowledge.
type HeldError struct {
	Store string    `json:"-"`
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("store %s is in use by another process, which left no name", e.Store)
	}
	return fmt.Sprintf("store %s is in use by process %d on %s since %s; stop it, or use another store",
		e.Store, e.PID, e.Host, e.Since.Format(time.RFC3339))
}

// lockStore takes the store directory for this process, or returns a *HeldError.
func lockStore(store string, now time.Time) (*flock.Flock, error) {
	path := filepath.Join(store, lockFile)
	lock := flock.New(path, flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDWR))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock store %s: %w", store, err)
	}
	if !held {
		return nil, holderOf(store)
	}
	if err := writeHolder(path, now); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("lock store %s: %w", store, err)
	}
	return lock, nil
}

func writeHolder(path string, now time.Time) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	line, err := json.Marshal(HeldError{PID: os.Getpid(), Host: host, Since: now.UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	// Written in place: a new file would not carry the lock.
	return os.WriteFile(path, line, 0o600)
}

func holderOf(store string) error {
	held := &HeldError{Store: store}
	text, err := os.ReadFile(filepath.Join(store, lockFile))
	if err != nil {
		return held
	}
	if json.Unmarshal(text, held) != nil {
		return &HeldError{Store: store} // caught between lock and name
	}
	return held
}
