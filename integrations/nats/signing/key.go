package signing

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nkeys"
)

// Key signs. It holds a secret, and shows only its public part.
type Key struct {
	public string
	pair   nkeys.KeyPair
}

// NewKey makes a key.
func NewKey() (Key, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return Key{}, fmt.Errorf("make a key: %w", err)
	}
	return keyOf(pair)
}

// ParseKey reads a key: its seed (SU…), alone on a line or in a file of NATS credentials.
func ParseKey(text []byte) (Key, error) {
	pair, err := nkeys.ParseDecoratedNKey(text)
	if err != nil {
		return Key{}, errors.New("there is no seed of an nkey in it") // whatever it holds may be a secret
	}
	return keyOf(pair)
}

// ReadKey reads a key from a file.
func ReadKey(file string) (Key, error) {
	text, err := os.ReadFile(file) //nolint:gosec // whoever signs names their own file
	if err != nil {
		return Key{}, fmt.Errorf("read the key: %w", err)
	}
	key, err := ParseKey(text)
	if err != nil {
		return Key{}, fmt.Errorf("key file %s: %w", file, err)
	}
	return key, nil
}

func keyOf(pair nkeys.KeyPair) (Key, error) {
	public, err := pair.PublicKey()
	if err != nil || !IsKey(public) {
		return Key{}, errors.New("the nkey is not that of a user (SU…)")
	}
	return Key{public: public, pair: pair}, nil
}

// Public returns the public key, U….
func (k Key) Public() string { return k.public }

// String is the public key: a key never shows its seed by accident.
func (k Key) String() string { return k.public }

// GoString is the public key as well.
func (k Key) GoString() string { return k.public }

// Seed returns the secret, to be kept in a file.
func (k Key) Seed() ([]byte, error) {
	seed, err := k.pair.Seed()
	if err != nil {
		return nil, fmt.Errorf("the seed of %s: %w", k.public, err)
	}
	return seed, nil
}

// Sign returns the headers that make the message a signed one, under an id of its own.
func (k Key) Sign(m Message, now time.Time) (map[string][]string, error) {
	return k.sign(m, rand.Text(), now.UTC().Format(time.RFC3339Nano))
}

func (k Key) sign(m Message, id, at string) (map[string][]string, error) {
	signature, err := k.pair.Sign(m.Text(id, at))
	if err != nil {
		return nil, fmt.Errorf("sign by %s: %w", k.public, err)
	}
	return map[string][]string{
		HeaderKey: {k.public}, HeaderTime: {at}, HeaderID: {id},
		HeaderSignature: {base64.StdEncoding.EncodeToString(signature)},
	}, nil
}
