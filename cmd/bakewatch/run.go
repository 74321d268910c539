package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/daemon"
	"github.com/bakewatch/bakewatch/configs"
)

func runCommand(p *program) *cobra.Command {
	var file, level, replica string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon",
		Long: `Run the daemon: take deployment events in, judge their rules, and act as the plans say.
A second daemon on the same NATS stands by. SIGHUP reads the plans again; SIGTERM stops within ten seconds.`,
		Example: "  bakewatch run --config /etc/bakewatch/bakewatch.toml",
		Args:    arguments(),
		RunE: p.begin(func(cmd *cobra.Command, _ []string) error {
			log, err := p.logger(level)
			if err != nil {
				return &exit{code: exitUsage, err: err}
			}
			return p.runDaemon(cmd.Context(), file, replica, log)
		}),
	}
	cmd.Flags().StringVarP(&file, "config", "c", "bakewatch.toml", "the daemon's file")
	cmd.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().StringVar(&replica, "replica", "", "the name of this process in the journal; default: host and process number")
	return cmd
}

func (p *program) runDaemon(ctx context.Context, file, replica string, log *slog.Logger) error {
	cfg, problems := configs.Load(file, catalog())
	if cfg == nil && !exists(file) {
		return hinted(fmt.Errorf("there is no file %s", file), "name the daemon's file with --config; configs/bakewatch.toml in the repository is an example")
	}
	if cfg == nil {
		return hinted(problems, "see bakewatch check --config %s", file)
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // from here on: by default it would end a daemon that starts
	defer signal.Stop(hangups)
	d, err := daemon.New(ctx, daemon.Config{
		File: file, Daemon: cfg, Catalog: catalog(), Replica: replicaName(replica), Version: thisBuild().Version, Log: log,
		Journal: p.journal,
	})
	switch {
	case err != nil && ctx.Err() != nil:
		log.Info("bakewatch was stopped while it started", "err", err)
		return nil
	case err != nil:
		return err
	}
	defer saysStopping(ctx, log)()
	log.Info("bakewatch runs", "http", d.Addr(), "cluster", cfg.Cluster)
	stop := reloadOn(ctx, hangups, d, log)
	defer stop()
	err = d.Run(ctx)
	log.Info("bakewatch has stopped")
	return err
}

// saysStopping logs that the order to stop has come: what is under way may take a moment.
func saysStopping(ctx context.Context, log *slog.Logger) (done func()) {
	said := make(chan struct{})
	unneeded := context.AfterFunc(ctx, func() {
		defer close(said)
		log.Info("bakewatch is stopping; a second signal ends it at once")
	})
	return func() {
		if !unneeded() {
			<-said
		}
	}
}

// replicaName tells processes apart, also two on one host.
func replicaName(name string) string {
	if name != "" {
		return name
	}
	host, err := os.Hostname()
	if err != nil {
		host = "bakewatch"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// reloadOn reads the plans again whenever SIGHUP comes.
func reloadOn(ctx context.Context, hangups <-chan os.Signal, d *daemon.Daemon, log *slog.Logger) (stop func()) {
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-hangups:
				if err := d.Reload(ctx); err != nil {
					log.Error("reload: not everything could be used", "err", err)
				}
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

// logger writes a line an event to stderr: text, or JSON with --output json.
func (p *program) logger(level string) (*slog.Logger, error) {
	var at slog.Level
	if err := at.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("unknown log level %q: debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: at}
	if p.output == jsonOut {
		return slog.New(slog.NewJSONHandler(p.stderr, options)), nil
	}
	return slog.New(slog.NewTextHandler(p.stderr, options)), nil
}
