package nats

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nkeys"
)

// The files in a store directory by which the command line finds and enters the
// embedded server. Both are readable by their owner only.
const (
	addressFile = "nats.json"
	seedFile    = "nats.nk"
)

type address struct {
	URL string `json:"url"` // empty: no daemon runs here
}

// ErrNoDaemon says that no daemon listens in a store directory.
var ErrNoDaemon = errors.New("no bakewatch daemon runs here")

// LocalConfig returns how to reach the embedded server of a running daemon from
// its store directory, or an error that is ErrNoDaemon.
func LocalConfig(store string) (Config, error) {
	text, err := os.ReadFile(filepath.Join(store, addressFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, fmt.Errorf("store %s: %w", store, ErrNoDaemon)
	}
	if err != nil {
		return Config{}, fmt.Errorf("find the daemon of store %s: %w", store, err)
	}
	var at address
	if err := json.Unmarshal(text, &at); err != nil {
		return Config{}, fmt.Errorf("find the daemon of store %s: %s: %w", store, addressFile, err)
	}
	if at.URL == "" {
		return Config{}, fmt.Errorf("store %s: %w", store, ErrNoDaemon)
	}
	return Config{URL: at.URL, NKeyFile: filepath.Join(store, seedFile)}, nil
}

// writeAddress tells the command line where the server listens; an empty url
// says that it has stopped.
func writeAddress(store, url string) error {
	text, err := json.Marshal(address{URL: url})
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(store, addressFile), text)
}

// replaceFile writes a file of which a crash leaves either nothing or all.
func replaceFile(path string, text []byte) error {
	file, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// localKey returns the key by which this machine enters the embedded server. It
// is made once for each store, so that scripts which use it survive a restart.
func localKey(store string) (nkeys.KeyPair, error) {
	path := filepath.Join(store, seedFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newLocalKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the store's key: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, fmt.Errorf("protect the store's key: %w", err)
	}
	pair, err := nkeys.FromSeed([]byte(strings.TrimSpace(string(text))))
	if err != nil {
		// Not wrapped with the text: it may be most of a secret.
		return nil, fmt.Errorf("%s holds no key; remove it and a new one is made: %w", path, err)
	}
	return pair, nil
}

func newLocalKey(path string) (nkeys.KeyPair, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return nil, fmt.Errorf("make the store's key: %w", err)
	}
	seed, err := pair.Seed()
	if err != nil {
		return nil, fmt.Errorf("make the store's key: %w", err)
	}
	if err := replaceFile(path, append(seed, '\n')); err != nil {
		return nil, fmt.Errorf("keep the store's key: %w", err)
	}
	return pair, nil
}
