package exec

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// errStillRunning is why a rollback waits, and in the end is unknown.
var errStillRunning = errors.New("an earlier run of the same rollback has not ended")

// hold takes the lock of one rollback, which its processes inherit: a daemon that was
// killed leaves them behind, and the next one must not start the command beside them.
// It waits for them until the context ends. Where no lock can be made there is none:
// that must not keep a service from being rolled back.
func (e *executor) hold(ctx context.Context, key string) (*os.File, error) {
	path, err := lockPath(key)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for err == nil {
		lock, tried := tryLock(path)
		if tried == nil {
			return lock, nil
		}
		if !errors.Is(tried, errStillRunning) {
			err = tried
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", errStillRunning, ctx.Err())
		}
	}
	e.log.Warn("no lock keeps a daemon that is restarted from running this beside what a killed one left", "err", err)
	return nil, nil
}

// lockPath names the lock of a rollback. Its folder belongs to this user alone, so
// nobody else can hold up a rollback.
func lockPath(key string) (string, error) {
	folder := filepath.Join(os.TempDir(), fmt.Sprintf("bakewatch-%d", os.Getuid()))
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || info.Mode().Perm() != 0o700 || !ours(info) {
		return "", fmt.Errorf("%s is no folder of this user alone", folder)
	}
	return filepath.Join(folder, fmt.Sprintf("%x.lock", sha256.Sum256([]byte(key)))), nil
}
