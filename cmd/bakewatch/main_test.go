package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// tools are what else the test binary can be, by the variable that makes it so.
var tools = map[string]func() int{asDaemon: daemonMain, control: shopTool}

func TestMain(m *testing.M) {
	for variable, tool := range tools {
		if os.Getenv(variable) != "" {
			os.Exit(tool())
		}
	}
	testscript.Main(m, map[string]func(){"bakewatch": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}

// noon is when the tests of this package happen.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// bench is a program whose daemon is a desk in memory.
type bench struct {
	*testing.T
	desk           *desk
	dialed         []reach
	unreachable    error
	announced      []rules.Deployment
	subjects       []string
	refused        error
	journal        []watcher.Entry
	verified       nats.Verified
	about          nats.About
	env            map[string]string
	stdout, stderr bytes.Buffer
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return &bench{T: t, desk: &desk{}, env: map[string]string{}}
}

// run runs one command line and returns its exit code; stdout and stderr are of this run alone.
func (b *bench) run(args ...string) int {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour) // under fake time a command without an end would hang
	defer cancel()
	return b.runContext(ctx, args...)
}

func (b *bench) runContext(ctx context.Context, args ...string) int {
	b.Helper()
	b.stdout.Reset()
	b.stderr.Reset()
	p := newProgram(strings.NewReader(""), &b.stdout, &b.stderr)
	p.now = func() time.Time { return noon }
	p.getenv = func(name string) string { return b.env[name] }
	p.dial = b.dial
	return p.run(ctx, args)
}

func (b *bench) dial(_ context.Context, to reach) (*remote, error) {
	b.dialed = append(b.dialed, to)
	if b.unreachable != nil {
		return nil, b.unreachable
	}
	return &remote{
		desk: b.desk,
		announce: func(_ context.Context, subject string, event []byte) error {
			var d rules.Deployment
			err := json.Unmarshal(event, &d)
			b.announced = append(b.announced, d)
			b.subjects = append(b.subjects, subject)
			return errors.Join(err, b.refused)
		},
		tail: b.tail,
		verify: func(_ context.Context, each func(watcher.Entry)) (nats.Verified, error) {
			for _, e := range b.journal {
				each(e)
			}
			return b.verified, nil
		},
		about: func(context.Context) (nats.About, error) { return b.about, nil },
		close: func() {},
	}, nil
}

func (b *bench) tail(_ context.Context, since time.Time, each func(watcher.Entry) error) error {
	for _, e := range b.journal {
		if e.At.Before(since) {
			continue
		}
		if err := each(e); err != nil {
			return err
		}
	}
	return context.Canceled
}

// expect runs a command line that must end with the code.
func (b *bench) expect(code int, args ...string) {
	b.Helper()
	if got := b.run(args...); got != code {
		b.Fatalf("bakewatch %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got, code, &b.stdout, &b.stderr)
	}
}

// says checks that each line was printed.
func (b *bench) says(parts ...string) {
	b.Helper()
	for _, part := range parts {
		if !strings.Contains(b.stdout.String(), part) {
			b.Errorf("stdout lacks %q:\n%s", part, &b.stdout)
		}
	}
}

// advises checks what stderr says.
func (b *bench) advises(parts ...string) {
	b.Helper()
	for _, part := range parts {
		if !strings.Contains(b.stderr.String(), part) {
			b.Errorf("stderr lacks %q:\n%s", part, &b.stderr)
		}
	}
}

// object reads stdout as one JSON value.
func object[T any](b *bench) T {
	b.Helper()
	var value T
	if err := json.Unmarshal(b.stdout.Bytes(), &value); err != nil {
		b.Fatalf("stdout is no JSON: %v\n%s", err, &b.stdout)
	}
	return value
}

func TestTheProgramAsAWhole(t *testing.T) {
	t.Run("an unknown flag is an error of usage and names the help", func(t *testing.T) {
		b := newBench(t)
		b.expect(exitUsage, "list", "--colour")
		b.advises("unknown flag: --colour", "see bakewatch list --help")
	})
	t.Run("a daemon that can't be reached is told with what to try", func(t *testing.T) {
		b := newBench(t)
		b.unreachable = errors.New("nobody listens")
		b.expect(exitFailed, "list", "--store", "/srv/bake")
		b.advises("nobody listens", "with its store in /srv/bake", "--nats")
	})
	t.Run("the daemon is looked for in the store unless a NATS is named", func(t *testing.T) {
		for name, test := range map[string]struct {
			env  map[string]string
			args []string
			want reach
		}{
			"nothing said: the folder here":       {nil, nil, reach{store: "data/nats", disarm: "data/nats/disarm"}},
			"the environment names the store":     {map[string]string{"BAKEWATCH_STORE": "/srv/a"}, nil, reach{store: "/srv/a", disarm: "/srv/a/disarm"}},
			"a flag is stronger":                  {map[string]string{"BAKEWATCH_STORE": "/srv/a"}, []string{"--store", "/srv/b"}, reach{store: "/srv/b", disarm: "/srv/b/disarm"}},
			"the environment names a NATS":        {map[string]string{"NATS_URL": "nats://n:1"}, nil, reach{url: "nats://n:1"}},
			"a store is nearer than a NATS":       {map[string]string{"NATS_URL": "nats://n:1", "BAKEWATCH_STORE": "/srv/a"}, nil, reach{store: "/srv/a", disarm: "/srv/a/disarm"}},
			"a NATS by flag with its credentials": {map[string]string{"BAKEWATCH_STORE": "/srv/a"}, []string{"--nats", "nats://n:2", "--creds", "c"}, reach{url: "nats://n:2", creds: "c"}},
		} {
			t.Run(name, func(t *testing.T) {
				b := newBench(t)
				b.env = test.env
				b.expect(0, append([]string{"list"}, test.args...)...)
				if b.dialed[0] != test.want {
					t.Errorf("dialed %+v, want %+v", b.dialed[0], test.want)
				}
			})
		}
	})
	t.Run("the daemon's file here says how the daemon is reached, like run takes it", func(t *testing.T) {
		for name, test := range map[string]struct {
			nats string
			want reach
		}{
			"its own store":    {"store = 'mine'", reach{store: "mine", disarm: "mine/disarm", cluster: "bakewatch"}},
			"an external NATS": {"url = 'nats://n:1'\nnkey_file = 'n.nk'", reach{url: "nats://n:1", nkey: "n.nk", disarm: "disarm", cluster: "bakewatch"}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Chdir(t.TempDir())
				file := "plans = ['*.plan']\n[prometheus.main]\nurl = 'http://127.0.0.1:9090'\n[nats]\n" + test.nats + "\n"
				if err := os.WriteFile(daemonFile, []byte(file), 0o600); err != nil {
					t.Fatal(err)
				}
				b := newBench(t)
				b.expect(0, "list")
				if b.dialed[0] != test.want {
					t.Errorf("dialed %+v, want %+v", b.dialed[0], test.want)
				}
			})
		}
	})
	t.Run("a daemon's file with errors still says how the daemon is reached", func(t *testing.T) {
		t.Chdir(t.TempDir())
		b := newBench(t)
		for text, want := range map[string]reach{
			"colour = 'red'\n[nats]\nstore = 'mine'\n": {store: "mine", disarm: "mine/disarm"},
			"plans = []\n": {store: "data/nats", disarm: "data/nats/disarm"},
			"[nats]\nurl = 'nats://n:1'\ncreds_file = 'a.creds'": {url: "nats://n:1", creds: "a.creds", disarm: "disarm"},
		} {
			write(t, daemonFile, text)
			b.dialed = nil
			b.expect(0, "list")
			b.advises("has errors, and only [nats] of it is used", "bakewatch check")
			if b.dialed[0] != want {
				t.Errorf("dialed %+v, want %+v", b.dialed[0], want)
			}
		}
		write(t, daemonFile, "[nats\n")
		b.expect(exitFailed, "list")
		b.advises("see bakewatch check")
	})
	t.Run("text from outside cannot command the terminal", func(t *testing.T) {
		b := newBench(t)
		w := asked()
		w.Version = "2.4.0\x1b[2J\nfake line \u202e"
		b.desk.watches = []watcher.WatchView{w}
		b.expect(0, "show", "checkout")
		for _, bad := range []string{"\x1b", "\nfake line", "\u202e"} {
			if strings.Contains(b.stdout.String(), bad) {
				t.Errorf("stdout holds %q", bad)
			}
		}
	})
}
