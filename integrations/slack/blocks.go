package slack

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/actions"
)

// Slack's limits (Block Kit reference), with some room. All text of a message's blocks
// together must stay below some 13,000 characters (msg_blocks_too_long), which is
// written nowhere.
const (
	sectionLimit  = 2900 // of 3000 characters in a section's text
	fallbackLimit = 3900 // of 40,000; over 4,000 is advised against
	titleLimit    = 1000
	questionLimit = 2000
	linksLimit    = 1500
	reasonBlocks  = 2 // of 50 blocks in a message
)

// content is what is shown of a message.
type content struct {
	Text   string  `json:"text"` // shown in notifications, and where blocks are not
	Blocks []block `json:"blocks"`
}

// block is a section (Text), a context (Elements that are mrkdwn) or actions (buttons).
type block struct {
	Type     string  `json:"type"`
	ID       string  `json:"block_id,omitempty"`
	Text     *mrkdwn `json:"text,omitempty"`
	Elements []any   `json:"elements,omitempty"`
}

// mrkdwn is text in Slack's own markup. Verbatim: names and URLs in it stay text.
type mrkdwn struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim"`
}

// signs show the level by a sign and a word, not by colour alone.
var signs = map[actions.Level]string{
	actions.Good: "🟢 Good", actions.Neutral: "🔵 Info", actions.Concern: "🟠 Warning", actions.Urgent: "🔴 Urgent",
}

// sheet is a message and what has become of it.
type sheet struct {
	key     string // stands in the first block's id, so that a repeat can be recognized; empty: no id
	message actions.Message
	buttons []button
	// head says how the watch stands now, above what was told first; nil: only that.
	head *actions.State
	over string // what came of the question; empty: it is open, or there is none
}

// compose writes the message in Slack's blocks.
func (s sheet) compose() content {
	m := s.message
	title := cmp.Or(clean(m.Title), "(no title)")
	first, top := sign(m.Level)+": "+title, section(sign(m.Level)+": *"+escape(title, titleLimit)+"*")
	blocks := []block{top}
	if s.head != nil {
		state := clean(s.head.Title)
		first = sign(s.head.Level) + ": " + state
		blocks = []block{section(sign(s.head.Level) + ": *" + escape(state, titleLimit) + "*"), section("First: " + escape(title, titleLimit))}
	}
	if s.key != "" {
		blocks[0].ID = cut("bakewatch-"+clean(s.key), 255)
	}
	blocks = append(append(blocks, reasons(m.Lines)...), s.asked()...)
	if links := links(m.Links); links != "" {
		blocks = append(blocks, section(links))
	}
	if about := about(m); about != "" {
		blocks = append(blocks, block{Type: "context", Elements: []any{text(about)}})
	}
	if len(m.Lines) > 0 {
		first += " — " + clean(strings.Join(m.Lines, " · "))
	}
	return content{Text: escape(first, fallbackLimit), Blocks: blocks}
}

// asked is the question with its buttons or, once it is over, what came of it.
func (s sheet) asked() []block {
	switch {
	case s.message.Question == nil:
		return nil
	case s.over != "":
		return []block{section("The question is over: " + escape(clean(s.over), titleLimit))}
	case len(s.buttons) == 0:
		return []block{section(question(*s.message.Question))}
	}
	actions := block{Type: "actions"}
	for _, b := range s.buttons {
		actions.Elements = append(actions.Elements, b)
	}
	return []block{section(question(*s.message.Question)), actions}
}

func sign(level actions.Level) string { return cmp.Or(signs[level], "⚪ Note") }

func section(markup string) block {
	t := text(markup)
	return block{Type: "section", Text: &t}
}

func text(markup string) mrkdwn { return mrkdwn{Type: "mrkdwn", Text: markup, Verbatim: true} }

// reasons packs the lines into as few sections as hold them, and says how many
// did not fit.
func reasons(lines []string) []block {
	var blocks []block
	packed, length := "", 0
	for i, line := range lines {
		line = escape(clean(line), sectionLimit-1)
		if line == "" {
			continue
		}
		if length+size(line)+1 > sectionLimit {
			blocks, packed, length = append(blocks, section(packed)), "", 0
		}
		if len(blocks) == reasonBlocks {
			return append(blocks, section(fmt.Sprintf("… and %d more lines", len(lines)-i)))
		}
		if packed != "" {
			packed += "\n"
		}
		packed, length = packed+line, length+size(line)+1
	}
	if packed != "" {
		blocks = append(blocks, section(packed))
	}
	return blocks
}

// question says who must answer, by when, and how.
func question(q actions.Asked) string {
	var needs []string
	for _, group := range slices.Sorted(maps.Keys(q.Needs)) {
		needs = append(needs, fmt.Sprintf("%d of %s", q.Needs[group], clean(group)))
	}
	asked, silence := "Needs "+strings.Join(needs, " and "), "; no answer means "
	if q.Veto {
		asked, silence = "May object: "+strings.Join(needs, " or "), "; no objection means "
	}
	if q.Within > 0 && q.Deadline.IsZero() {
		asked += " within " + q.Within.String()
	}
	text := escape(asked, questionLimit/2-100)
	if !q.Deadline.IsZero() { // shown in the time zone of whoever reads it
		text += fmt.Sprintf(" by <!date^%d^{time}|%s>", q.Deadline.Unix(), q.Deadline.UTC().Format("15:04 UTC"))
	}
	if q.Silence != "" {
		text += escape(silence+clean(q.Silence), 100)
	}
	for _, answer := range q.Answers {
		command := strings.ReplaceAll(clean(answer.Command), "`", "'")
		text += fmt.Sprintf("\n%s: `%s`", escape(clean(answer.Choice), 50), escape(command, questionLimit/(2*len(q.Answers))-60))
	}
	return text
}

// links writes the web links among them; anything else is no link.
func links(of map[string]string) string {
	written, length := "", 0
	for _, label := range slices.Sorted(maps.Keys(of)) {
		parsed, err := url.Parse(of[label])
		if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" {
			continue
		}
		address := strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E", "&", "&amp;").Replace(parsed.String())
		link := "<" + address + "|" + escape(strings.ReplaceAll(cmp.Or(clean(label), "link"), "|", "/"), 100) + ">"
		if length+size(link)+3 > linksLimit {
			break
		}
		if written != "" {
			written += " · "
		}
		written, length = written+link, length+size(link)+3
	}
	return written
}

// about says in small print what the message is about.
func about(m actions.Message) string {
	version := m.Version
	if m.Target != "" {
		version += " → " + m.Target
	}
	var parts []string
	for _, part := range []string{m.Service, m.Environment, version, m.Owner, m.Watch} {
		if part = clean(part); part != "" {
			parts = append(parts, part)
		}
	}
	return escape(strings.Join(parts, " · "), 1000)
}
