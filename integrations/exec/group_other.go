//go:build !unix

package exec

import (
	"errors"
	"os/exec"
	"time"
)

var errNoGroups = errors.New("the exec executor needs a Unix system")

// Without process groups nothing promises that nothing is left behind, so
// nothing is started.

func ownGroup(cmd *exec.Cmd) { cmd.Err = errNoGroups }

func terminate(int) error { return errNoGroups }

func endGroup(int, time.Duration) bool { return false }
