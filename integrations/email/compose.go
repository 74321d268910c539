package email

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"regexp"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/bakewatch/bakewatch/actions"
)

// What fits into one mail that people read.
const (
	subjectLimit = 200 // runes
	lineLimit    = 2000
	maxLines     = 60
)

// words go before the subject of what matters: no colour is needed to see it.
var words = map[actions.Level]string{actions.Concern: "Warning: ", actions.Urgent: "Urgent: "}

// colours are those of the stripe, beside a word that says the same.
var colours = map[actions.Level][2]string{
	actions.Good: {"Good", "#1a7f37"}, actions.Neutral: {"Info", "#0969da"}, actions.Concern: {"Warning", "#bc4c00"}, actions.Urgent: {"Urgent", "#cf222e"},
}

// compose writes the mail and returns its Message-ID.
func (c *channel) compose(key string, m actions.Message, now time.Time) (id string, text []byte, err error) {
	letter := letterOf(m)
	id = c.messageID(key, m.Cluster)
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(c.from)
	msg.ToMailAddress(c.to...)
	msg.Subject(words[m.Level] + actions.Shorten(letter.Title, subjectLimit))
	msg.SetDateWithValue(cmp.Or(m.At, now))
	msg.SetMessageIDWithValue(id)
	if m.Watch != "" { // all messages of a watch answer to one that is never sent
		thread := "<" + c.messageID("watch-"+m.Watch, m.Cluster) + ">"
		msg.SetGenHeaderPreformatted(mail.HeaderInReplyTo, thread)
		msg.SetGenHeaderPreformatted(mail.HeaderReferences, thread)
	}
	msg.SetGenHeaderPreformatted("Auto-Submitted", "auto-generated")
	msg.SetGenHeaderPreformatted("X-Auto-Response-Suppress", "All")
	if m.Level == actions.Urgent {
		msg.SetImportance(mail.ImportanceHigh)
	}
	msg.SetBodyString(mail.TypeTextPlain, letter.text())
	if err := msg.AddAlternativeHTMLTemplate(page, letter); err != nil {
		return "", nil, err
	}
	var written bytes.Buffer
	if _, err := msg.WriteTo(&written); err != nil {
		return "", nil, err
	}
	return "<" + id + ">", written.Bytes(), nil
}

// idPattern is what may stand in a Message-ID as it is.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9.-]{1,100}$`)

// messageID is the same for every try of one message, and for no other.
func (c *channel) messageID(key, cluster string) string {
	of := key + "." + cmp.Or(cluster, "bakewatch")
	if !idPattern.MatchString(of) {
		sum := sha256.Sum256([]byte(of))
		of = hex.EncodeToString(sum[:16])
	}
	_, domain, _ := strings.Cut(c.from.Address, "@")
	return of + "@" + domain
}

// letter is a message as it is written down.
type letter struct {
	Word, Colour string
	Title        string
	Lines        []string
	Asked        string
	Answers      []actions.Reply
	Links        []actions.Link
	About        []string
}

func letterOf(m actions.Message) letter {
	look, known := colours[m.Level]
	if !known {
		look = [2]string{"Note", "#57606a"}
	}
	l := letter{Word: look[0], Colour: look[1], Title: cmp.Or(actions.OneLine(m.Title), "(no title)"), Links: m.WebLinks()}
	for _, line := range m.Lines {
		if line = actions.Shorten(actions.OneLine(line), lineLimit); line != "" {
			l.Lines = append(l.Lines, line)
		}
	}
	if more := len(l.Lines) - maxLines; more > 0 {
		l.Lines = append(l.Lines[:maxLines], fmt.Sprintf("… and %d more lines", more))
	}
	if q := m.Question; q != nil {
		l.Asked = q.Asks()
		for _, answer := range q.Answers {
			l.Answers = append(l.Answers, actions.Reply{Choice: actions.OneLine(answer.Choice), Command: actions.OneLine(answer.Command)})
		}
	}
	version := m.Version
	if m.Target != "" {
		version += " → " + m.Target
	}
	for _, part := range []string{m.Service, m.Environment, version, m.Owner, m.Watch} {
		if part = actions.OneLine(part); part != "" {
			l.About = append(l.About, part)
		}
	}
	return l
}

// text is the alternative for those who read no HTML.
func (l letter) text() string {
	text := l.Word + ": " + l.Title + "\n"
	if len(l.Lines) > 0 {
		text += "\n" + strings.Join(l.Lines, "\n") + "\n"
	}
	if l.Asked != "" {
		text += "\n" + l.Asked + "\n"
	}
	for _, answer := range l.Answers {
		text += answer.Choice + ": " + answer.Command + "\n"
	}
	for i, link := range l.Links {
		if i == 0 {
			text += "\n"
		}
		text += link.Label + ": " + link.Address + "\n"
	}
	if len(l.About) > 0 {
		text += "\n-- \n" + strings.Join(l.About, " · ") + "\n"
	}
	return text
}

// page is the HTML of a mail. Mail programs know no style sheets to speak of.
var page = template.Must(template.New("mail").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>{{.Title}}</title></head>
<body style="font-family:system-ui,sans-serif;font-size:16px;line-height:1.4">
<div style="max-width:42em;border-left:6px solid {{.Colour}};padding:0 1em">
<h1 style="font-size:18px"><span style="color:{{.Colour}}">{{.Word}}:</span> {{.Title}}</h1>
{{range .Lines}}<p style="margin:.3em 0">{{.}}</p>
{{end}}{{if .Asked}}<p><strong>{{.Asked}}</strong></p>
{{range .Answers}}<p style="margin:.3em 0">{{.Choice}}: <code>{{.Command}}</code></p>
{{end}}{{end}}{{if .Links}}<p>{{range $i, $link := .Links}}{{if $i}} · {{end}}<a href="{{$link.Address}}">{{$link.Label}}</a>{{end}}</p>
{{end}}<p style="font-size:13px;opacity:.7">{{range $i, $part := .About}}{{if $i}} · {{end}}{{$part}}{{end}}</p>
</div></body></html>
`))
