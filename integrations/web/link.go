package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// KeyBytes is how long a key is, that of Links and that of a Login.
const KeyBytes = 32

// maxToken bounds what is read of a link.
const maxToken = 1024

// Link is what a link lets one person answer.
type Link struct {
	Watch    string `json:"w"`
	Question uint64 `json:"q"` // the sequence of the entry that asked
	Person   string `json:"p"`
	Expires  int64  `json:"e"` // seconds since 1970; the question's end comes first, as a rule
}

// Links signs links and believes what it has signed. Whoever has the key can answer as
// every person whose link = true.
type Links struct {
	key  []byte
	base string
}

// NewLinks returns what signs with a key of KeyBytes bytes, for the address under
// which people reach this server.
func NewLinks(key []byte, externalURL string) (*Links, error) {
	if len(key) != KeyBytes {
		return nil, fmt.Errorf("the key of the links has %d bytes, not %d", len(key), KeyBytes)
	}
	return &Links{key: key, base: strings.TrimSuffix(externalURL, "/")}, nil
}

// URL returns the address at which one person answers.
func (l *Links) URL(link Link) (string, error) {
	text, err := json.Marshal(link)
	if err != nil {
		return "", err
	}
	return l.base + AnswerPath + encode(text) + "." + encode(l.sign(text)), nil
}

// read returns what a token was signed for, or an error that is errNoLink. It says no
// more to whoever guesses.
func (l *Links) read(token string, now time.Time) (link Link, err error) {
	text, mac, both := strings.Cut(token, ".")
	if !both || len(token) > maxToken {
		return Link{}, errNoLink
	}
	signed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return Link{}, errNoLink
	}
	given, err := base64.RawURLEncoding.Strict().DecodeString(mac)
	if err != nil || !hmac.Equal(given, l.sign(signed)) {
		return Link{}, errNoLink
	}
	if err := json.Unmarshal(signed, &link); err != nil {
		return Link{}, errNoLink
	}
	if now.Unix() >= link.Expires {
		return Link{}, fmt.Errorf("%w: it has expired", errNoLink)
	}
	return link, nil
}

// claimed returns what a token says it is for, whoever has made it.
func claimed(token string) (link Link, ok bool) {
	text, _, _ := strings.Cut(token, ".")
	said, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(token) > maxToken || json.Unmarshal(said, &link) != nil {
		return Link{}, false
	}
	return link, link.Watch != "" && link.Question != 0
}

// sign binds the text to its use: a signature for anything else is none for a link.
func (l *Links) sign(text []byte) []byte {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte("bakewatch-link-v1\n"))
	mac.Write(text)
	return mac.Sum(nil)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
