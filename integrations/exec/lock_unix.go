//go:build unix && !solaris && !aix

package exec

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// tryLock takes the lock, or says errStillRunning. It belongs to the open file: all
// that inherit it hold it.
func tryLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600) //nolint:gosec // lockPath's
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || err == nil && !stillThere(file) {
		err = errStillRunning
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// stillThere says that the one who held the lock before has not removed its file.
func stillThere(file *os.File) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(file.Name())
	return err == nil && os.SameFile(mine, named)
}

// letGo gives the lock back by taking its file away: background processes that still
// have it hold up nobody. Those of a command that would not end keep it.
func letGo(lock *os.File, left bool) {
	if lock == nil {
		return
	}
	if !left {
		_ = os.Remove(lock.Name())
	}
	_ = lock.Close()
}

func ours(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && fmt.Sprint(stat.Uid) == fmt.Sprint(os.Getuid())
}
