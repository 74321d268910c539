package signing

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nkeys"
)

// Fresh is how far the time of a signature may be from the time at which the message
// was received, either way.
const Fresh = 5 * time.Minute

// Why a message is not believed.
var (
	ErrUnsigned = errors.New("it is not signed")
	ErrForged   = errors.New("its signature does not hold")
	ErrStale    = errors.New("it was not signed just now")
	ErrReplayed = errors.New("it was there before")
)

// Signed is what a signature establishes.
type Signed struct {
	Key string    `json:"key"` // the public nkey
	ID  string    `json:"id"`
	At  time.Time `json:"at"`
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// IsKey says whether the text is a public key that signs messages: U….
func IsKey(text string) bool { return nkeys.IsValidPublicUserKey(text) }

// Present says whether the headers carry any part of a signature. Then it counts, and
// one that does not hold is no message without one.
func Present(headers map[string][]string) bool {
	for name := range headers {
		if Carries(name) {
			return true
		}
	}
	return false
}

// Carries says whether a header of this name is a part of a signature.
func Carries(name string) bool {
	for _, header := range Headers() {
		if strings.EqualFold(name, header) {
			return true
		}
	}
	return false
}

// Verify says who signed the message, by the headers that came with it. It does not say
// whether that was just now (Signed.Fresh), nor for the first time (Seen). Its error is
// ErrUnsigned or ErrForged.
func Verify(m Message, headers map[string][]string) (Signed, error) {
	if !Present(headers) {
		return Signed{}, fmt.Errorf("%w: its headers lack %s", ErrUnsigned, strings.Join(Headers(), ", "))
	}
	values := map[string]string{}
	for _, name := range Headers() {
		value, err := only(headers, name)
		if err != nil {
			return Signed{}, err
		}
		values[name] = value
	}
	at, err := time.Parse(time.RFC3339Nano, values[HeaderTime])
	if err != nil {
		return Signed{}, forged("header %s is no time as RFC 3339 has it", HeaderTime)
	}
	if !idPattern.MatchString(values[HeaderID]) {
		return Signed{}, forged("header %s is not 1 to 64 letters, digits, _ and -", HeaderID)
	}
	key := values[HeaderKey]
	if !IsKey(key) {
		return Signed{}, forged("header %s is no public nkey of a user (U…)", HeaderKey)
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(values[HeaderSignature])
	if err != nil {
		return Signed{}, forged("header %s is no base64", HeaderSignature)
	}
	pair, err := nkeys.FromPublicKey(key)
	if err != nil || pair.Verify(m.Text(values[HeaderID], values[HeaderTime]), signature) != nil {
		return Signed{}, forged("it was not made by %s for this subject, time, id and body%s", key, towards(m.Cluster))
	}
	return Signed{Key: key, ID: values[HeaderID], At: at.UTC()}, nil
}

func towards(cluster string) string {
	if cluster == "" {
		return ""
	}
	return " and cluster " + cluster
}

func forged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrForged, fmt.Sprintf(format, args...))
}

// only returns the one value of a header, in whatever case its name is written.
func only(headers map[string][]string, name string) (string, error) {
	var values []string
	for given, all := range headers {
		if strings.EqualFold(given, name) {
			values = append(values, all...)
		}
	}
	if len(values) != 1 {
		return "", forged("header %s is there %d times, not once", name, len(values))
	}
	return values[0], nil
}

// Given returns the key that the headers name, whether it has signed anything or not;
// false: they name none that could.
func Given(headers map[string][]string) (key string, ok bool) {
	key, err := only(headers, HeaderKey)
	return key, err == nil && IsKey(key)
}

// Why returns which of the reasons above is behind the error, without what the message
// says; nil: none is.
func Why(err error) error {
	for _, why := range []error{ErrUnsigned, ErrForged, ErrStale, ErrReplayed} {
		if errors.Is(err, why) {
			return why
		}
	}
	return nil
}

// Fresh returns nil if it was signed at most Fresh before or after then, or ErrStale.
func (s Signed) Fresh(then time.Time) error {
	switch late := then.Sub(s.At); {
	case late > Fresh:
		return fmt.Errorf("%w: signed %s, %s before it was received; at most %s counts",
			ErrStale, s.At.Format(time.RFC3339), late.Round(time.Second), Fresh)
	case late < -Fresh:
		return fmt.Errorf("%w: signed %s, %s after it was received; a clock is wrong",
			ErrStale, s.At.Format(time.RFC3339), (-late).Round(time.Second))
	}
	return nil
}
