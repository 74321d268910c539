package slack

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/bakewatch/bakewatch/actions"
)

// Slack's limits (Block Kit reference), with some room.
const (
	sectionLimit  = 2900 // of 3000 characters in a section's text
	fallbackLimit = 3900 // of 40,000; over 4,000 is advised against
	titleLimit    = 2000
	reasonBlocks  = 8 // of 50 blocks in a message
)

// payload is what an incoming webhook takes.
type payload struct {
	Text        string  `json:"text"` // shown in notifications, and where blocks are not
	Blocks      []block `json:"blocks"`
	UnfurlLinks bool    `json:"unfurl_links"`
	UnfurlMedia bool    `json:"unfurl_media"`
}

// block is a section (Text) or a context (Elements).
type block struct {
	Type     string   `json:"type"`
	ID       string   `json:"block_id,omitempty"`
	Text     *mrkdwn  `json:"text,omitempty"`
	Elements []mrkdwn `json:"elements,omitempty"`
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

// compose writes the message in Slack's blocks. The key stands in the first
// block's id, so that a repeat can be recognized.
func compose(key string, m actions.Message) payload {
	sign := cmp.Or(signs[m.Level], "⚪ Note")
	title := cmp.Or(actions.OneLine(m.Title), "(no title)")
	blocks := []block{section(sign + ": *" + escape(title, titleLimit) + "*")}
	blocks[0].ID = cut("bakewatch-"+actions.OneLine(key), 255)
	blocks = append(blocks, reasons(m.Lines)...)
	if m.Question != nil {
		blocks = append(blocks, section(question(*m.Question)))
	}
	if links := links(m.WebLinks()); links != "" {
		blocks = append(blocks, section(links))
	}
	if about := about(m); about != "" {
		blocks = append(blocks, block{Type: "context", Elements: []mrkdwn{text(about)}})
	}
	fallback := sign + ": " + title
	if len(m.Lines) > 0 {
		fallback += " — " + actions.OneLine(strings.Join(m.Lines, " · "))
	}
	return payload{Text: escape(fallback, fallbackLimit), Blocks: blocks}
}

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
	text := escape(q.Asks(), sectionLimit/2)
	for _, answer := range q.Answers {
		command := strings.ReplaceAll(actions.OneLine(answer.Command), "`", "'")
		text += fmt.Sprintf("\n%s: `%s`", escape(actions.OneLine(answer.Choice), 50), escape(command, sectionLimit/(2*len(q.Answers))-60))
	}
	return text
}

// links writes the message's links.
func links(of []actions.Link) string {
	written, length := "", 0
	for _, l := range of {
		address := strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E", "&", "&amp;").Replace(l.Address)
		link := "<" + address + "|" + escape(strings.ReplaceAll(l.Label, "|", "/"), 100) + ">"
		if length+size(link)+3 > sectionLimit {
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
