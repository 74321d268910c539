package outbound

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

const redacted = "[redacted]"

// maxSecret is more than any secret needs; a longer file is the wrong file.
const maxSecret = 64 << 10

// Secret is a value that must not be shown. However it is printed, it says
// "[redacted]"; only Reveal gives the value.
type Secret struct {
	// A pointer: package fmt prints the fields of an outer struct without asking
	// their String methods, and then shows an address.
	value *string
}

// NewSecret wraps a value that must not be shown.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal returns the value, for the one place that needs it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero says that there is no secret.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String, and the methods below, hide the value.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// GoString hides the value from %#v.
func (s Secret) GoString() string { return fmt.Sprintf("outbound.Secret(%q)", s.String()) }

// MarshalText hides the value from JSON and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the value from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// CheckSecret says what is wrong with the options key_file and key_env: at most
// one of them may be set, and one must be where the secret is required.
func CheckSecret(key, file, env string, required bool) error {
	switch {
	case file != "" && env != "":
		return &rules.FieldError{
			Key: key + "_env", Err: fmt.Errorf("%s_file is set as well", key), Hint: "keep one of the two",
		}
	case required && file == "" && env == "":
		return &rules.FieldError{
			Key: key + "_file", Err: errors.New("missing"), Hint: fmt.Sprintf("set %s_file or %s_env", key, key),
		}
	}
	return nil
}

// ReadSecret reads the secret of the options key_file and key_env, without the
// white space around it. With neither set it returns no secret; an empty one is an error.
func ReadSecret(key, file, env string) (Secret, error) {
	var value string
	switch {
	case file != "":
		content, err := os.ReadFile(file) //nolint:gosec // the path is the operator's
		if err != nil {
			return Secret{}, fmt.Errorf("%s_file: %w", key, err)
		}
		if len(content) > maxSecret {
			return Secret{}, fmt.Errorf("%s_file: %s is longer than %d bytes", key, file, maxSecret)
		}
		value = string(content)
	case env != "":
		value = os.Getenv(env)
	default:
		return Secret{}, nil
	}
	value = strings.TrimSpace(value)
	if value == "" {
		return Secret{}, fmt.Errorf("%s: %s is empty or not set", key, file+env)
	}
	return NewSecret(value), nil
}
