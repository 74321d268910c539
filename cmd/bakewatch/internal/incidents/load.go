package incidents

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

// ErrNothing says that a folder holds no recording.
var ErrNothing = errors.New("there is no recording in this folder: no CSV of counts and no PetShop data")

// Load reads every recording in a folder and the folders below it: CSV files of counts
// with the deployments that an incidents.csv beside them names, and PetShop data where
// a folder has its layout. All problems of all files come at once, as Problems.
func Load(folder string) ([]replay.Recording, error) {
	var recordings []replay.Recording
	var problems Problems
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			return nil
		}
		read, skip := readFolder, error(nil)
		if isPetShop(path) {
			read, skip = readPetShop, fs.SkipDir
		}
		found, err := read(path)
		if wrong, ok := asProblems(err); ok {
			problems = append(problems, wrong...)
		} else if err != nil {
			return err
		}
		recordings = append(recordings, named(folder, path, found)...)
		return skip
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("read recordings: %w", err)
	case len(problems) > 0:
		return nil, problems
	case len(recordings) == 0:
		return nil, fmt.Errorf("%s: %w", folder, ErrNothing)
	}
	return recordings, nil
}

// named puts the folder of recordings, as seen from the outermost, before their names.
func named(outermost, folder string, recordings []replay.Recording) []replay.Recording {
	below, err := filepath.Rel(outermost, folder)
	if err != nil || below == "." {
		return recordings
	}
	for i := range recordings {
		recordings[i].Name = filepath.ToSlash(filepath.Join(below, recordings[i].Name))
	}
	return recordings
}

// readFolder reads the CSV files of one folder.
func readFolder(folder string) ([]replay.Recording, error) {
	files, err := filepath.Glob(filepath.Join(escaped(folder), "*.csv"))
	if err != nil {
		return nil, err
	}
	var recordings []replay.Recording
	var labels []label
	var problems Problems
	for _, file := range files {
		if filepath.Base(file) == labelFile {
			labels, err = reading(file, readLabels)
		} else {
			var measures []replay.Measure
			measures, err = reading(file, ReadCounts)
			recordings = append(recordings, replay.Recording{Name: strings.TrimSuffix(filepath.Base(file), ".csv"), Measures: measures})
		}
		if wrong, ok := asProblems(err); ok {
			problems = append(problems, wrong...)
		} else if err != nil {
			return nil, err
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return recordings, attach(filepath.Join(folder, labelFile), labels, recordings)
}

// escaped is a path in which no character has a meaning for Glob.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// largestFile is how many bytes of one file are read.
const largestFile = 256 << 20

// reading reads one file.
func reading[T any](file string, read func(string, io.Reader) (T, error)) (T, error) {
	var none T
	f, err := os.Open(file) //nolint:gosec // a file of the folder that the user names
	if err != nil {
		return none, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > largestFile {
		return none, Problems{{File: file, What: fmt.Sprintf("%d MB", info.Size()>>20), Hint: "split it into recordings of a few months"}}
	}
	return read(file, f)
}

// folders lists the folders in a folder, in order.
func folders(in string) ([]string, error) {
	entries, err := os.ReadDir(in)
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() })
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = filepath.Join(in, e.Name())
	}
	return names, nil
}
