package configs

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/fsnotify/fsnotify"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
)

// Watcher loads anew whenever the daemon's file or a plan changes. Changes are
// noticed in folders, not in files, so that editors that rename and mounted
// ConfigMaps that swap a symlink are seen. Notices are hints: the files are also
// read again every now and then, and only a real change is reported.
type Watcher struct {
	// Path is the daemon's file; Catalog is what there is.
	Path    string
	Catalog Catalog
	// First is what is in force already.
	First Set
	// Kept keeps last good versions across restarts; nil: they are only remembered.
	Kept LastGood
	// Changed hears of every load that found a change, or that was asked for. Calls
	// do not overlap. A daemon's file that cannot be used leaves the old Daemon in the Set.
	Changed func(Set)
	// Log hears what goes wrong with the watching itself; required.
	Log *slog.Logger
	// Settle is how long to wait for more changes; default 500 ms.
	Settle time.Duration
	// Every is how often files are read again without a notice; default 1 minute.
	Every time.Duration

	reload chan chan Set
}

// NewWatcher returns the watcher with its defaults filled in.
func NewWatcher(w Watcher) (*Watcher, error) {
	if w.Path == "" || w.Changed == nil || w.Log == nil || w.First.Daemon == nil {
		return nil, fmt.Errorf("configs: a watcher needs Path, First, Changed and Log")
	}
	if w.Settle <= 0 {
		w.Settle = 500 * time.Millisecond
	}
	if w.Every <= 0 {
		w.Every = time.Minute
	}
	w.reload = make(chan chan Set)
	return &w, nil
}

// Reload loads everything now and returns what is in force then; Changed has
// heard of it. It fails only if ctx ends first.
func (w *Watcher) Reload(ctx context.Context) (Set, error) {
	answer := make(chan Set, 1)
	select {
	case w.reload <- answer:
	case <-ctx.Done():
		return Set{}, fmt.Errorf("reload: %w", context.Cause(ctx))
	}
	select {
	case set := <-answer:
		return set, nil
	case <-ctx.Done():
		return Set{}, fmt.Errorf("reload: %w", context.Cause(ctx))
	}
}

// Run watches until ctx ends, which is no error.
func (w *Watcher) Run(ctx context.Context) error {
	notices, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch files: %w", err)
	}
	defer notices.Close() //nolint:errcheck // nothing is lost
	current := w.First
	w.follow(notices, current)
	seen := w.digest(current.Daemon)
	again := time.NewTicker(w.Every)
	defer again.Stop()
	settled := time.NewTimer(0)
	settled.Stop()
	for {
		var asked chan Set
		select {
		case <-ctx.Done():
			return nil
		case event := <-notices.Events:
			if event.Has(^fsnotify.Chmod) {
				settled.Reset(w.Settle)
			}
			continue
		case err := <-notices.Errors:
			w.Log.Warn("watching files failed; they are read again from time to time", "error", err)
			settled.Reset(w.Settle)
			continue
		case <-settled.C:
		case <-again.C:
		case asked = <-w.reload:
		}
		now := w.digest(current.Daemon)
		if now == seen && asked == nil && !slices.ContainsFunc(current.read, summaryFile.changed) {
			continue
		}
		current = w.load(ctx, current)
		w.follow(notices, current)
		seen = now
		w.Changed(current)
		if asked != nil {
			asked <- current
		}
	}
}

// load loads the daemon's file, or keeps the old one, and the plans.
func (w *Watcher) load(ctx context.Context, before Set) Set {
	d, problems := Load(w.Path, w.Catalog)
	if d == nil {
		d = before.Daemon
		problems = append(problems, Problem{File: w.Path, Warning: true, What: "the daemon's file stays as it was until this is corrected"})
	}
	set := LoadSet(ctx, d, w.Catalog, before, w.Kept)
	set.Problems = append(set.Problems, problems...).Sorted()
	return set
}

// follow asks for notices of every folder that may matter. Folders that were
// asked for already are asked for once more, which costs nothing.
func (w *Watcher) follow(notices *fsnotify.Watcher, s Set) {
	for _, folder := range w.folders(s) {
		if err := notices.Add(folder); err != nil {
			w.Log.Warn("folder is not watched; it is read again from time to time", "folder", folder, "error", err)
		}
	}
}

// folders lists the folders of the daemon's file and of load tests' summaries, and
// those below the globs' fixed parts.
func (w *Watcher) folders(s Set) []string {
	folders := []string{filepath.Dir(w.Path)}
	for _, summary := range s.read {
		folders = append(folders, filepath.Dir(summary.path))
	}
	for _, glob := range s.Daemon.Plans {
		base, pattern := doublestar.SplitPattern(filepath.ToSlash(s.Daemon.path(glob)))
		folders = append(folders, filepath.FromSlash(base))
		if !strings.Contains(pattern, "/") {
			continue
		}
		//nolint:errcheck // a folder that cannot be read has no plans to watch
		_ = filepath.WalkDir(filepath.FromSlash(base), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() && !strings.HasPrefix(entry.Name(), "..") {
				folders = append(folders, path)
			}
			return nil
		})
	}
	slices.Sort(folders)
	return slices.DeleteFunc(slices.Compact(folders), func(folder string) bool { return !isFolder(folder) })
}

// digest tells versions of all files together apart.
func (w *Watcher) digest(d *Daemon) [sha256.Size]byte {
	sum := sha256.New()
	files, _ := d.planFiles()
	for _, path := range append(files, w.Path) {
		fmt.Fprintf(sum, "%q\n", path) //nolint:errcheck // a hash takes everything
		f, err := os.Open(path)        //nolint:gosec // the operator's own files
		if err != nil {
			fmt.Fprintf(sum, "%v\n", err) //nolint:errcheck // as above
			continue
		}
		_, err = io.Copy(sum, io.LimitReader(f, strict.MaxSize+1))
		fmt.Fprintf(sum, "%v\n", err != nil) //nolint:errcheck // as above
		f.Close()                            //nolint:errcheck,gosec // only read
	}
	return [sha256.Size]byte(sum.Sum(nil))
}
