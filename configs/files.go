package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
)

// maxPlans bounds how many files a glob may bring in; more is a wrong glob.
const maxPlans = 20_000

func checkGlobs(root strict.Table, globs []string) {
	for i, glob := range globs {
		if !doublestar.ValidatePathPattern(glob) {
			root.Fail(fmt.Sprintf("plans.%d", i), fmt.Sprintf("plans: %q is no glob", strict.Shorten(glob)), `such as "plans/**/*.toml"`)
		}
	}
}

// planFiles finds the plans, sorted. Below a glob's fixed part, names that begin
// with ".." are skipped: there a mounted ConfigMap keeps its earlier contents.
func (d *Daemon) planFiles() ([]string, Problems) {
	var files []string
	var problems Problems
	for _, glob := range d.Plans {
		pattern := d.path(glob)
		base, _ := doublestar.SplitPattern(filepath.ToSlash(pattern))
		found, err := doublestar.FilepathGlob(pattern)
		if err != nil {
			problems = append(problems, Problem{File: d.File, What: fmt.Sprintf("plans: %q: %v", glob, err)})
		}
		found = slices.DeleteFunc(found, func(file string) bool { return hidden(base, file) || isFolder(file) })
		if len(found) == 0 {
			problems = append(problems, Problem{File: d.File, What: fmt.Sprintf("plans: no file matches %q", glob), Warning: true})
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	files = slices.Compact(files)
	if len(files) > maxPlans {
		problems = append(problems, Problem{File: d.File, What: fmt.Sprintf("plans: %d files match, more than %d", len(files), maxPlans)})
		files = files[:maxPlans]
	}
	return files, problems
}

// path returns a path of the daemon's file; relative ones begin at its folder.
func (d *Daemon) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(d.File), path)
}

// key names a plan's file wherever the daemon runs: relative to the daemon's file.
func (d *Daemon) key(file string) string {
	if d == nil {
		return file
	}
	if rel, err := filepath.Rel(filepath.Dir(d.File), file); err == nil {
		return filepath.ToSlash(rel)
	}
	return file
}

func hidden(base, file string) bool {
	rel, err := filepath.Rel(filepath.FromSlash(base), file)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(rel), "/"), func(name string) bool {
		return strings.HasPrefix(name, "..")
	})
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
