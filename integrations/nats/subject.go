package nats

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// The subjects that Bakewatch writes to.
const (
	journalPrefix = "bakewatch.journal."
	factPrefix    = "bakewatch.fact."
	deadSubject   = "bakewatch.dead.deployments"
	apiPrefix     = "bakewatch.api"
	verdictPrefix = "bakewatch.verdict."
)

// laneTokenLength keeps 130 bits of the hash: enough that no two lanes meet.
const laneTokenLength = 26

// laneToken returns the part of a subject that stands for a lane. Names may hold
// anything, so they are hashed; NUL keeps "a","bc" and "ab","c" apart.
func laneToken(lane rules.LaneID) string {
	sum := sha256.Sum256([]byte(lane.Environment + "\x00" + lane.Service + "\x00" + lane.Flag))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:laneTokenLength]
}

func entrySubject(token string, kind watcher.Kind) string {
	return journalPrefix + token + "." + string(kind)
}

func laneSubjects(token string) string { return journalPrefix + token + ".>" }

// splitEntrySubject is the inverse of entrySubject.
func splitEntrySubject(subject string) (token string, kind watcher.Kind, ok bool) {
	rest, ok := strings.CutPrefix(subject, journalPrefix)
	if !ok {
		return "", "", false
	}
	token, name, ok := strings.Cut(rest, ".")
	return token, watcher.Kind(name), ok && len(token) == laneTokenLength && isToken(name)
}

// maxKeyLength keeps subjects well below the server's limit of a line.
const maxKeyLength = 512

var errKeyTooLong = errors.New("the key is too long")

// keyToken writes any key as one token of a subject, readably and reversibly:
// whatever is not a letter, digit, minus or underscore becomes =XX.
func keyToken(key string) (string, error) {
	var b strings.Builder
	for _, c := range []byte(key) {
		if isPlain(c) {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "=%02x", c)
	}
	switch {
	case b.Len() == 0:
		return "=", nil // a token must not be empty
	case b.Len() > maxKeyLength:
		return "", errKeyTooLong
	}
	return b.String(), nil
}

// tokenKey is the inverse of keyToken.
func tokenKey(token string) (string, error) {
	if token == "=" {
		return "", nil
	}
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		if token[i] != '=' {
			b.WriteByte(token[i])
			continue
		}
		if i+2 >= len(token) {
			return "", fmt.Errorf("token %q ends within an escape", token)
		}
		c, err := strconv.ParseUint(token[i+1:i+3], 16, 8)
		if err != nil {
			return "", fmt.Errorf("token %q: %w", token, err)
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), nil
}

func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

func isToken(name string) bool {
	for _, c := range []byte(name) {
		if !isPlain(c) {
			return false
		}
	}
	return name != ""
}

// redact removes the password of a URL, or of each of several.
func redact(urls string) string {
	parts := strings.Split(urls, ",")
	for i, part := range parts {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil {
			parts[i] = "(unreadable url)"
			continue
		}
		if u.User != nil {
			u.User = url.User("xxxxx") // a user name alone may be a token
		}
		parts[i] = u.String()
	}
	return strings.Join(parts, ",")
}
