package demo

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/daemon"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
	"github.com/bakewatch/bakewatch/configs"
)

// Config says what to show, and where to tell it.
type Config struct {
	Bad     shop.Behaviour // what is wrong with the second deployment; shop.Good: nothing
	Outage  bool           // all versions suffer during the second deployment
	Ask     *Ask           // a person decides about the second deployment; nil: Bakewatch does, at once
	Once    bool           // end when both deployments have been judged
	Story   io.Writer      // is told what happens, as it happens
	Catalog configs.Catalog
	Version string
	Log     *slog.Logger
}

// Report is what came of it.
type Report struct {
	Deployments []Deployment `json:"deployments"`
	// OK says that all went as it should: the good version passed, and the bad one was
	// rolled back; in an outage, nothing was; where a person was asked, it went as they said.
	OK bool `json:"ok"`
}

// Deployment is what came of one deployment.
type Deployment struct {
	ID      string `json:"id"`
	Service string `json:"service"`
	Version string `json:"version"`
	Outcome string `json:"outcome"`
	Rule    string `json:"rule"`   // that was breached; empty: none was
	Ruling  string `json:"ruling"` // the power that the ruling had: "auto", … or "none"
	Reason  string `json:"reason"` // the arithmetic
	Blame   string `json:"blame"`  // who is to blame for the breach; empty: there was none
	// Answer is what the person said who was asked: "roll-back" or "keep"; absent: nobody
	// was asked, or nobody answered.
	Answer authority.Choice `json:"answer,omitempty"`
	// From the deployment to the decision, and to the verified recovery; null: there was none.
	Detected  *float64 `json:"detected_seconds"`
	Recovered *float64 `json:"recovered_seconds"`
}

// The demo's scale: enough requests for rates to mean something, few enough for a laptop.
const (
	instances = 3
	canary    = 1   // of them get a new version at first
	rate      = 150 // requests a second
	patience  = 90 * time.Second
)

//go:embed files
var files embed.FS

// Run shows everything. It returns when both deployments were judged and, unless
// Once is set, the context has ended.
func Run(ctx context.Context, cfg Config) (report Report, err error) {
	folder, err := os.MkdirTemp("", "bakewatch-demo-")
	if err != nil {
		return report, err
	}
	defer os.RemoveAll(folder)
	tell := newStory(cfg)
	defer leaves(ctx, folder, tell)()
	ctx, stop := context.WithCancel(ctx)

	s, err := open(ctx, cfg, tell)
	if err != nil {
		stop()
		return report, err
	}
	defer s.Wait()
	defer stop()
	screen := newTerminal(tell)
	cfg.Catalog.Channels = append(slices.Clip(cfg.Catalog.Channels), screen.kind())
	d, err := start(ctx, cfg, s, folder)
	if err != nil {
		return report, err
	}
	running := make(chan error, 1)
	serving, end := context.WithCancel(ctx)
	go func() { running <- d.Run(serving) }()
	defer func() {
		end()
		err = errors.Join(err, <-running)
	}()
	if report, err = play(ctx, cfg, d, s, screen); err != nil || cfg.Once {
		return report, err
	}
	tell.goesOn(d.Addr(), filepath.Join(folder, "nats"))
	<-ctx.Done()
	return report, nil
}

// open opens the shop with its first version and its customers.
func open(ctx context.Context, cfg Config, tell *story) (*shop.Shop, error) {
	s, err := shop.Open(ctx, shop.Config{Service: "shop", Instances: instances, Logger: cfg.Log})
	if err != nil {
		return nil, err
	}
	if err := s.Deploy("1.0.0", shop.Good); err != nil {
		return nil, err
	}
	customers, err := s.Traffic(rate)
	if err != nil {
		return nil, err
	}
	go customers.Run(ctx)
	tell.line("A shop opens: 3 instances of version 1.0.0 really serve HTTP, customers make %d requests a second.", rate)
	return s, nil
}

// start writes the daemon's file and the plan, and starts the daemon that production starts.
func start(ctx context.Context, cfg Config, s *shop.Shop, folder string) (*daemon.Daemon, error) {
	values := struct {
		Targets []string
		Control string
		Voter   string
		Within  string // how long a person has to answer; empty: nobody is asked
	}{s.Targets(), strings.TrimSuffix(s.ControlURL(), "/"), voter, ""}
	if cfg.Ask != nil {
		values.Within = cfg.Ask.within().String()
	}
	for _, name := range []string{"bakewatch.toml", "shop.toml"} {
		if err := write(filepath.Join(folder, name), name, values); err != nil {
			return nil, err
		}
	}
	// The shop does not check signatures; a real receiver does, with this secret.
	if err := os.WriteFile(filepath.Join(folder, "secret"), []byte("whsec_ZGVtbyBkZW1vIGRlbW8gZGVtbyBkZW1v"), 0o600); err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "bakewatch.toml")
	loaded, problems := configs.Load(file, cfg.Catalog)
	if loaded == nil {
		return nil, problems
	}
	return daemon.New(ctx, daemon.Config{
		File: file, Daemon: loaded, Catalog: cfg.Catalog, Replica: "demo", Version: cfg.Version, Log: cfg.Log,
	})
}

func write(path, name string, values any) error {
	t, err := template.ParseFS(files, "files/"+name)
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := t.Execute(&text, values); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
