//go:build long

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
)

// What happens when a real service gets worse, by what its plan allows: the daemon is a
// process of its own with its NATS and its Prometheus inside, and people use the command
// line. Each script is one story, to be read as well as to be run.
func TestEachAuthorityDoesWhatItsPlanSays(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/authority", Setup: openStreet,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"deploy": deployCommand, "eventually": eventuallyCommand, "exits": exitsCommand, "live": liveCommand, "paged": pagedCommand,
		},
	})
}

// street is what is around the daemon of one script: a shop with customers, and the pager
// that everybody hears.
type street struct {
	shop  *shop.Shop
	pager *pager
}

// openStreet opens the street and says in the script's files where it is.
func openStreet(env *testscript.Env) error {
	s, closeShop, err := trade("shop")
	if err != nil {
		return err
	}
	env.Defer(closeShop)
	at := &street{shop: s, pager: &pager{}}
	phone := httptest.NewServer(at.pager)
	env.Defer(phone.Close)
	env.Values[street{}] = at
	if err := os.WriteFile(filepath.Join(env.WorkDir, "secret"), []byte(newSecret()), 0o600); err != nil {
		return err
	}
	return at.fill(env.WorkDir, strings.NewReplacer(
		"$TARGET_1", s.Targets()[0], "$TARGET_2", s.Targets()[1], "$SHOP", s.ControlURL(), "$PAGER", phone.URL,
	))
}

var keyOf = regexp.MustCompile(`\$KEY_(\w+)`)

// fill writes into the folder's files where things are. For $KEY_ben it makes the key
// ben.nk, and writes its public half.
func (at *street) fill(folder string, where *strings.Replacer) error {
	return filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".toml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		filled := keyOf.ReplaceAllStringFunc(where.Replace(string(text)), func(name string) string {
			key, made := signing.NewKey()
			if made == nil {
				made = keepKey(key, filepath.Join(folder, strings.TrimPrefix(name, "$KEY_")+".nk"))
			}
			if made != nil {
				err = made
			}
			return key.Public()
		})
		if err != nil {
			return err
		}
		return os.WriteFile(path, []byte(filled), 0o600)
	})
}

func streetOf(ts *testscript.TestScript) *street {
	at, is := ts.Value(street{}).(*street)
	if !is {
		ts.Fatalf("the script has no street")
	}
	return at
}

// deployCommand: deploy VERSION good|errors. The shop's deployment tool.
func deployCommand(ts *testscript.TestScript, neg bool, args []string) {
	behaviours := map[string]shop.Behaviour{"good": shop.Good, "errors": shop.Errors}
	if neg || len(args) != 2 {
		ts.Fatalf("usage: deploy VERSION good|errors")
	}
	behaviour, known := behaviours[args[1]]
	if !known {
		ts.Fatalf("nobody knows how to be %q", args[1])
	}
	ts.Check(streetOf(ts).shop.Deploy(args[0], behaviour))
}

// liveCommand: live VERSION. Fails if the shop serves another.
func liveCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: live VERSION")
	}
	if live := streetOf(ts).shop.Live(); live != args[0] {
		ts.Fatalf("%s is live", live)
	}
}

// exitsCommand: exits CODE COMMAND... The command must end with this code.
func exitsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	if ended := new(exec.ExitError); errors.As(err, &ended) {
		code, err = ended.ExitCode(), nil
	}
	ts.Check(err)
	if want, err := strconv.Atoi(args[0]); err != nil || want != code {
		ts.Fatalf("exit %d, want %s", code, args[0])
	}
}

// eventuallyCommand: eventually COMMAND... Again and again, until it succeeds.
func eventuallyCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: eventually COMMAND...")
	}
	soon(ts, fmt.Sprint(args), func() bool { return ts.Exec(args[0], args[1:]...) == nil })
}

// pagedCommand: [!] paged REGEXP. Waits until the pager was told so; with !, fails if it was.
func pagedCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] paged REGEXP")
	}
	said, err := regexp.Compile(args[0])
	ts.Check(err)
	at := streetOf(ts)
	if !neg {
		soon(ts, "the pager hears "+args[0], func() bool { return at.heard(said) })
	} else if at.heard(said) {
		ts.Fatalf("the pager was told so")
	}
}

func (at *street) heard(said *regexp.Regexp) bool {
	at.pager.mu.Lock()
	defer at.pager.mu.Unlock()
	return slices.ContainsFunc(at.pager.messages, func(m actions.Message) bool { return said.MatchString(m.Title + "\n" + m.Text()) })
}

// soon waits until something is so.
func soon(ts *testscript.TestScript, what string, is func() bool) {
	deadline, again := time.After(time.Minute), time.NewTicker(100*time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-deadline:
			ts.Fatalf("not within a minute: %s", what)
		case <-again.C:
		}
	}
}
