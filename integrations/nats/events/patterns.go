package events

import (
	"regexp"
	"unicode/utf8"
)

// pattern is what a text may be. The same expressions and lengths stand in
// configs/deployment.schema.json; a test holds the two together.
type pattern struct {
	text *regexp.Regexp
	most int // characters
	says string
}

func (p pattern) fits(value string) bool {
	return utf8.RuneCountInString(value) <= p.most && p.text.MatchString(value)
}

const nameSays = "a name has 1 to 128 letters, digits and ._/@:+- and begins with a letter or digit"

var (
	anyName = pattern{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/@:+-]{0,127}$`), 128, nameSays}
	// A stage may be a share: "25%".
	stageName = pattern{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/@:+%-]{0,127}$`), 128, nameSays + "; a stage may also have %"}

	printable = regexp.MustCompile(`^[^\x00-\x1f\x7f-\x{9f}]*$`)
	shortLine = pattern{printable, 128, "at most 128 characters on one line"}
	line      = pattern{printable, 256, "at most 256 characters on one line"}
	longLine  = pattern{printable, 512, "at most 512 characters on one line"}
	prose     = pattern{regexp.MustCompile(`^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{9f}]*$`), 8192, "at most 8192 characters, no control characters"}
	// A link is shown to people who may click it: nothing but the web.
	webLink = pattern{regexp.MustCompile(`^https?://[^\x00-\x20\x7f-\x{9f}"<>\\^` + "`" + `{|}]+$`), 2048, "a link begins with http:// or https:// and has no blanks"}

	moment = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:[0-5]\d(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$`)
)
