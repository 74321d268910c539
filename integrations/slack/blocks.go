package slack

import (
	"cmp"
	"fmt"
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
	title := cmp.Or(actions.OneLine(m.Title), "(no title)")
	first, top := sign(m.Level)+": "+title, section(sign(m.Level)+": *"+escape(title, titleLimit)+"*")
	blocks := []block{top}
	if s.head != nil {
		state := actions.OneLine(s.head.Title)
		first = sign(s.head.Level) + ": " + state
		blocks = []block{section(sign(s.head.Level) + ": *" + escape(state, titleLimit) + "*"), section("First: " + escape(title, titleLimit))}
	}
	if s.key != "" {
		blocks[0].ID = cut("bakewatch-"+actions.OneLine(s.key), 255)
	}
	blocks = append(append(blocks, reasons(m.Lines)...), s.asked()...)
	if links := links(m.WebLinks()); links != "" {
		blocks = append(blocks, section(links))
	}
	if about := about(m); about != "" {
		blocks = append(blocks, block{Type: "context", Elements: []any{text(about)}})
	}
	if len(m.Lines) > 0 {
		first += " — " + actions.OneLine(strings.Join(m.Lines, " · "))
	}
	return content{Text: escape(first, fallbackLimit), Blocks: blocks}
}

// asked is the question with its buttons or, once it is over, what came of it.
func (s sheet) asked() []block {
	switch {
	case s.message.Question == nil:
		return nil
	case s.over != "":
		return []block{section("The question is over: " + escape(actions.OneLine(s.over), titleLimit))}
	case len(s.buttons) == 0:
		return []block{section(question(*s.message.Question))}
	}
	row := block{Type: "actions"}
	for _, b := range s.buttons {
		row.Elements = append(row.Elements, b)
	}
	return []block{section(question(*s.message.Question)), row}
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
		line = escape(actions.OneLine(line), sectionLimit-1)
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
	asked, silence := q.Who(), "; no answer means "
	if q.Veto {
		silence = "; no objection means "
	}
	if q.Within > 0 && q.Deadline.IsZero() {
		asked += " within " + q.Within.String()
	}
	text := escape(asked, questionLimit/2-100)
	if !q.Deadline.IsZero() { // shown in the time zone of whoever reads it
		text += fmt.Sprintf(" by <!date^%d^{time}|%s>", q.Deadline.Unix(), q.Deadline.UTC().Format("15:04 UTC"))
	}
	if q.Silence != "" {
		text += escape(silence+actions.OneLine(q.Silence), 100)
	}
	for _, answer := range q.Answers {
		command := strings.ReplaceAll(actions.OneLine(answer.Command), "`", "'")
		text += fmt.Sprintf("\n%s: `%s`", escape(actions.OneLine(answer.Choice), 50), escape(command, questionLimit/(2*len(q.Answers))-60))
	}
	return text
}

// links writes the message's links.
func links(of []actions.Link) string {
	written, length := "", 0
	for _, l := range of {
		address := strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E", "&", "&amp;").Replace(l.Address)
		link := "<" + address + "|" + escape(strings.ReplaceAll(l.Label, "|", "/"), 100) + ">"
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
		if part = actions.OneLine(part); part != "" {
			parts = append(parts, part)
		}
	}
	return escape(strings.Join(parts, " · "), 1000)
}
