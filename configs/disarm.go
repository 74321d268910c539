package configs

import "path/filepath"

// DisarmFile is the file whose presence disarms this daemon, also while NATS is
// down: `disarm` in the embedded server's folder, or beside the daemon's file.
func (d *Daemon) DisarmFile() string {
	if d.NATS.Embedded() {
		return filepath.Join(d.NATS.Store, "disarm")
	}
	return filepath.Join(filepath.Dir(d.File), "disarm")
}
