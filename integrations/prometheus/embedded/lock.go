package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// hold takes the store for this process, or says who has it.
func hold(store string) (*flock.Flock, error) {
	if err := os.MkdirAll(store, 0o750); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	path := filepath.Join(store, "holder")
	lock := flock.New(path, flock.SetPermissions(0o640))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("store: lock %s: %w", path, err)
	}
	if !got {
		return nil, fmt.Errorf("store %s is in use by process %s: stop it or choose another store", store, holder(path))
	}
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o640); err != nil {
		_ = lock.Unlock()
		return nil, fmt.Errorf("store: %w", err)
	}
	return lock, nil
}

func holder(path string) string {
	pid, err := os.ReadFile(path)
	if err != nil || len(pid) == 0 {
		return "unknown"
	}
	return strings.TrimSpace(string(pid))
}
