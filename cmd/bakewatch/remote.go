package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
	"github.com/bakewatch/bakewatch/watcher"
)

// remote is a running daemon, as the commands need it.
type remote struct {
	desk     watcher.Desk
	announce announcer
	tail     tailer
	verify   verifier
	about    func(context.Context) (nats.About, error) // what the daemon says of itself
	close    func()
}

// announcer publishes an event; nil means that the stream has stored it.
type announcer func(ctx context.Context, subject string, event []byte) error

// tailer calls each for every entry written since then (zero: only for new ones),
// and for new ones as they come, until the context ends.
type tailer func(ctx context.Context, since time.Time, each func(watcher.Entry) error) error

// verifier checks the hash chain of every lane, and hands every entry on.
type verifier func(ctx context.Context, each func(watcher.Entry)) (nats.Verified, error)

// dialer connects to a running daemon.
type dialer func(ctx context.Context, to reach) (*remote, error)

// reach says how the daemon is reached: an external NATS by its URL, or else the
// embedded one by what the daemon keeps in its store.
type reach struct {
	url    string
	creds  string
	nkey   string
	tls    nats.TLS
	store  string
	config string // the daemon's file, which says all of this

	cluster string       // the daemon's name, for which orders are signed; empty: it is asked
	key     *signing.Key // signs them; nil: nothing is signed
	disarm  string       // the file by which the daemon on this machine is disarmed; empty: not known
}

// callTimeout bounds a question to the daemon.
const callTimeout = 10 * time.Second

// reachFlags adds the flags that say how the daemon is reached.
func (p *program) reachFlags(cmd *cobra.Command) *cobra.Command {
	flags := cmd.Flags()
	flags.StringVar(&p.reach.url, "nats", "", "URL of the NATS that the daemon uses; default $NATS_URL, or else the daemon's own by --store")
	flags.StringVar(&p.reach.creds, "creds", "", "credentials file for --nats")
	flags.StringVar(&p.reach.nkey, "nkey", "", "nkey seed file for --nats")
	flags.StringVar(&p.reach.tls.CA, "tls-ca", "", "file of the authorities trusted for --nats")
	flags.StringVar(&p.reach.store, "store", "", "folder of the daemon's store; default $BAKEWATCH_STORE, or else as "+daemonFile+" here says, or "+defaultStore)
	flags.StringVarP(&p.reach.config, "config", "c", "", "the daemon's file, which says which of these it is")
	cmd.MarkFlagsMutuallyExclusive("nats", "store", "config")
	cmd.MarkFlagsMutuallyExclusive("creds", "nkey")
	return cmd
}

// defaultStore is where the daemon keeps its store when its file does not say.
var defaultStore = filepath.Join("data", "nats")

// resolved fills in what no flag says. The nearest wins: flags, a store and then a
// NATS by the environment, the daemon's file here, the usual store.
func (p *program) resolved() (reach, error) {
	to := p.reach
	switch {
	case to.config != "":
		return p.reachBy(to.config)
	case to.url != "":
		return to, nil
	case to.store != "":
	case p.getenv("BAKEWATCH_STORE") != "":
		to.store = p.getenv("BAKEWATCH_STORE")
	case p.getenv("NATS_URL") != "":
		to.url = p.getenv("NATS_URL")
		return to, nil
	case exists(daemonFile):
		return p.reachBy(daemonFile)
	default:
		to.store = defaultStore
	}
	to.store = filepath.Clean(to.store)
	to.disarm = filepath.Join(to.store, "disarm")
	return to, nil
}

// asking is an action that needs the daemon.
type asking func(ctx context.Context, daemon *remote, args []string) error

// ask connects, does the action, and says what to do when the daemon can't be reached.
func (p *program) ask(do asking) func(*cobra.Command, []string) error {
	return p.begin(func(cmd *cobra.Command, args []string) error {
		return p.connected(cmd.Context(), func(daemon *remote) error { return do(cmd.Context(), daemon, args) })
	})
}

func (p *program) connected(ctx context.Context, do func(*remote) error) error {
	to, err := p.resolved()
	if err != nil {
		return err
	}
	if err := p.openKey(); err != nil {
		return err
	}
	to.key = p.key
	dialing, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	daemon, err := p.dial(dialing, to)
	if err != nil {
		return &exit{code: exitFailed, err: err, hint: to.advice()}
	}
	defer daemon.close()
	return do(daemon)
}

func (to reach) advice() string {
	if to.url != "" {
		return "is the NATS at --nats up, and are --creds or --nkey right for it?"
	}
	return "is the daemon running on this machine, with its store in " + to.store +
		"? Name its file with --config, its store with --store, or an external NATS with --nats"
}

// bounded is a context for one question to the daemon.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, callTimeout, errors.New("the daemon did not answer within "+callTimeout.String()))
}
