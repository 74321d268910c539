package main

import (
	"fmt"
	"path/filepath"

	"github.com/BurntSushi/toml"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/nats"
)

// reachBy reads from the daemon's file how the daemon is reached. A daemon goes on
// when its file is broken, so whoever wants to reach it needs no more than [nats].
func (p *program) reachBy(file string) (reach, error) {
	daemon, problems := configs.Load(file, catalog())
	if daemon != nil {
		return reachOf(daemon), nil
	}
	if daemon = onlyNATS(file); daemon == nil {
		return reach{}, hinted(problems, "see bakewatch check --config %s, or say how to reach the daemon with --nats or --store", file)
	}
	fmt.Fprintf(p.stderr, "%s has errors, and only [nats] of it is used: see bakewatch check --config %s\n", file, file)
	return reachOf(daemon), nil
}

func reachOf(daemon *configs.Daemon) reach {
	n := daemon.NATS
	if n.Embedded() {
		return reach{store: n.Store, disarm: daemon.DisarmFile(), cluster: daemon.Cluster}
	}
	return reach{
		url: n.URL, creds: n.CredsFile, nkey: n.NKeyFile,
		tls:    nats.TLS{CA: n.TLS.CAFile, Cert: n.TLS.CertFile, Key: n.TLS.KeyFile},
		disarm: daemon.DisarmFile(), cluster: daemon.Cluster,
	}
}

// onlyNATS reads [nats] alone; nil: not even that can be read.
func onlyNATS(file string) *configs.Daemon {
	daemon := &configs.Daemon{File: file}
	read := struct {
		NATS *configs.NATS `toml:"nats"`
	}{&daemon.NATS}
	if _, err := toml.DecodeFile(file, &read); err != nil {
		return nil
	}
	n := &daemon.NATS
	if n.Store == "" {
		n.Store = defaultStore
	}
	for _, path := range []*string{&n.Store, &n.CredsFile, &n.NKeyFile, &n.TLS.CAFile, &n.TLS.CertFile, &n.TLS.KeyFile} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(filepath.Dir(file), *path)
		}
	}
	return daemon
}
