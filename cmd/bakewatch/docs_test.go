package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/configs"
)

// house is the repository's top folder.
const house = "../.."

// page is one Markdown file.
type page struct {
	path   string
	text   string // without its fenced blocks
	blocks []fenced
}

// fenced is one fenced block.
type fenced struct {
	line int
	info string // what stands behind the fence: "toml plan"
	text string
}

func (p page) at(line int) string { return fmt.Sprintf("%s:%d", p.path, line) }

// pages reads every Markdown file that users read.
func pages(t *testing.T) []page {
	t.Helper()
	var found []page
	err := filepath.WalkDir(house, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "testdata", "tools"}, entry.Name()):
			return fs.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		found = append(found, split(path, string(text)))
		return err
	})
	if err != nil || len(found) < 15 {
		t.Fatalf("%d pages: %v", len(found), err)
	}
	return found
}

// split takes the fenced blocks out of a page; those in a list are indented.
func split(path, text string) page {
	p := page{path: path}
	var block *fenced
	for i, line := range strings.Split(text, "\n") {
		info, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && block == nil:
			block = &fenced{line: i + 1, info: info}
		case fence:
			p.blocks = append(p.blocks, *block)
			block = nil
		case block != nil:
			block.text += line + "\n"
		default:
			p.text += line + "\n"
		}
	}
	return p
}

// guides are the pages whose examples are whole files.
func guides(t *testing.T) []page {
	t.Helper()
	return slices.DeleteFunc(pages(t), func(p page) bool {
		return p.path != house+"/README.md" && filepath.Dir(p.path) != house+"/docs"
	})
}

func TestEveryPlanAndDaemonsFileOfTheDocsLoads(t *testing.T) {
	checked := 0
	for _, p := range guides(t) {
		daemon := filepath.Join(house, "configs", daemonFile)
		for i, block := range p.blocks {
			file := filepath.Join(t.TempDir(), daemonFile)
			switch block.info {
			case "toml daemon":
				write(t, file, block.text)
				daemon = file
				if _, problems := configs.Load(file, catalog()); len(problems) > 0 {
					t.Errorf("%s: %v", p.at(block.line), problems)
				}
			case "toml plan":
				plan := filepath.Join(filepath.Dir(file), fmt.Sprintf("plan-%d.toml", i))
				write(t, plan, block.text)
				loaded, _ := configs.Load(daemon, catalog())
				if plans, problems := configs.CheckPlans([]string{plan}, loaded, catalog()); len(problems) > 0 || len(plans) != 1 {
					t.Errorf("%s: %v", p.at(block.line), problems)
				}
			default:
				if strings.HasPrefix(block.info, "toml") {
					t.Errorf("%s: say whether this is a plan or a daemon's file: ```toml plan, ```toml daemon", p.at(block.line))
				}
				continue
			}
			checked++
		}
	}
	if checked < 8 {
		t.Errorf("only %d files were found", checked)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]*)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
)

func TestEveryLinkOfTheDocsLeadsSomewhere(t *testing.T) {
	anchors := map[string][]string{}
	for _, p := range pages(t) {
		for _, found := range heading.FindAllStringSubmatch(p.text, -1) {
			slug := strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-")
			anchors[filepath.Clean(p.path)] = append(anchors[filepath.Clean(p.path)], slug)
		}
	}
	for _, p := range pages(t) {
		for _, found := range link.FindAllStringSubmatch(p.text, -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := filepath.Clean(p.path)
			if target != "" {
				path = filepath.Join(filepath.Dir(p.path), target)
			}
			if !exists(path) {
				t.Errorf("%s: there is no %s", p.path, target)
			} else if anchor != "" && !slices.Contains(anchors[path], anchor) {
				t.Errorf("%s: %s has no heading #%s", p.path, path, anchor)
			}
		}
	}
}

var (
	// word is one word of a command line, quoted or not.
	word = regexp.MustCompile(`(?:"[^"]*"|'[^']*'|[^\s"'])+`)
	ends = regexp.MustCompile(`\|\||&&|[|;&()]|\d?>`) // what ends one command of a line
)

func TestEveryCommandOfTheDocsExists(t *testing.T) {
	checked := 0
	for _, p := range pages(t) {
		for _, block := range p.blocks {
			for _, line := range commandLines(block) {
				for _, args := range ourCommands(line) {
					checked++
					if err := understood(args); err != nil {
						t.Errorf("%s: bakewatch %s: %v", p.at(block.line), strings.Join(args, " "), err)
					}
				}
			}
		}
	}
	if checked < 30 {
		t.Errorf("only %d commands were found", checked)
	}
}

// commandLines are the lines of a block that people would type.
func commandLines(block fenced) []string {
	var typed []string
	text := strings.ReplaceAll(block.text, "\\\n", " ")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		prompted, prompt := strings.CutPrefix(line, "$ ")
		switch {
		case block.info == "console" && prompt:
			typed = append(typed, prompted)
		case block.info == "sh":
			typed = append(typed, line)
		}
	}
	return typed
}

// ourCommands returns the arguments of each bakewatch command of a line.
func ourCommands(line string) [][]string {
	line, _, _ = strings.Cut(line, " #")
	var found [][]string
	for _, part := range ends.Split(line, -1) {
		words := word.FindAllString(part, -1)
		at := slices.IndexFunc(words, func(w string) bool { return w == "bakewatch" || strings.HasSuffix(w, "/bakewatch") })
		first := at == 0 || at == 1 && strings.Contains(words[0], "=")
		switch {
		case at > 1 && words[at-2] == "go" && words[at-1] == "run", first:
			found = append(found, words[at+1:])
		case strings.HasPrefix(part, "docker exec"):
			found = append(found, words[slices.Index(words, "/usr/bin/bakewatch")+1:])
		}
	}
	return found
}

// understood says whether the program has this command with these flags.
func understood(args []string) error {
	var out bytes.Buffer
	root := newRoot(newProgram(strings.NewReader(""), &out, &out))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	command, rest, err := root.Find(args)
	switch {
	case err != nil:
		return err
	case command == root:
		return fmt.Errorf("no command")
	case command.HasSubCommands():
		return fmt.Errorf("%s needs a command below it", command.Name())
	}
	return command.ParseFlags(rest)
}

func TestThePageOfCommandsNamesThemAll(t *testing.T) {
	text, err := os.ReadFile(house + "/docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	root := newRoot(newProgram(nil, nil, nil))
	root.InitDefaultCompletionCmd()
	var missing func(command *cobra.Command)
	missing = func(command *cobra.Command) {
		for _, c := range command.Commands() {
			name := strings.TrimPrefix(c.CommandPath(), "bakewatch ")
			if c.IsAvailableCommand() && !c.HasSubCommands() && !strings.HasPrefix(name, "completion ") && !strings.Contains(string(text), "`"+name) {
				t.Errorf("docs/cli.md does not name %s", name)
			}
			missing(c)
		}
	}
	missing(root)
}
