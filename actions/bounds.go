package actions

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
)

// The bounds of a template, whatever is written in it: of itself, of what it makes and
// of how long it may be at it.
const (
	templateSource = 8 << 10  // bytes
	templateText   = 32 << 10 // bytes of a text that it makes, or puts together on the way
	templateSteps  = 10_000   // rounds of its loops, and templates called
)

// view is a message as a template sees it: one time does not format another without bounds.
type view struct {
	Message
	At moment
}

// moment is a time that can only be printed.
type moment struct{ at time.Time }

// String returns the time as RFC 3339 has it.
func (m moment) String() string { return m.at.Format(time.RFC3339) }

// Format returns the time in a layout of package time.
func (m moment) Format(layout string) (string, error) {
	if len(layout) > 100 {
		return "", errors.New("the layout of the time is longer than 100 bytes")
	}
	return m.at.Format(layout), nil
}

// budget is what is left of the steps.
type budget struct{ steps int }

func (b *budget) step() (string, error) {
	if b.steps--; b.steps < 0 {
		return "", fmt.Errorf("takes more than %d steps", templateSteps)
	}
	return "", nil
}

var errLong = fmt.Errorf("makes more than %d bytes", templateText)

// stepName is the function that takes a step. To call it oneself only costs one more.
const stepName = "_step"

// functions are those of package text/template, less the ones by which a text could grow
// without bounds, and join.
func functions(b *budget) template.FuncMap {
	return template.FuncMap{
		stepName: b.step,
		"join": func(lines []string, between string) (string, error) {
			length := 0
			for _, line := range lines {
				length += len(line) + len(between)
			}
			if length > templateText {
				return "", errLong
			}
			return strings.Join(lines, between), nil
		},
		"print":   func(args ...any) (string, error) { return short(fmt.Sprint(args...)) },
		"println": func(args ...any) (string, error) { return short(fmt.Sprintln(args...)) },
	}
}

func short(text string) (string, error) {
	if len(text) > templateText {
		return "", errLong
	}
	return text, nil
}

// bounded is a writer that takes no more than a text may have.
type bounded struct{ *strings.Builder }

func (b bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > templateText {
		return 0, errLong
	}
	return b.Builder.Write(p)
}

// stepNode stands at the beginning of every round and every template.
var stepNode = template.Must(template.New("step").Funcs(functions(&budget{})).Parse("{{" + stepName + "}}")).Root.Nodes[0]

// withheld are the functions of package text/template that a template cannot use.
var withheld = map[string]string{
	"printf": "use print", "call": "there is nothing to call",
	"html": "a channel escapes what its medium needs", "js": "a channel escapes what its medium needs", "urlquery": "a channel escapes what its medium needs",
}

// meter refuses what is withheld, and makes every round of a loop and every template
// that is called take a step.
func meter(tree *parse.Tree) error {
	if tree == nil || tree.Root == nil {
		return nil
	}
	tree.Root.Nodes = append([]parse.Node{stepNode}, tree.Root.Nodes...)
	return meterNode(tree.Root)
}

func meterNode(node parse.Node) error {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		return meterAll(n.Nodes)
	case *parse.RangeNode:
		n.List.Nodes = append([]parse.Node{stepNode}, n.List.Nodes...)
		return meterBranch(&n.BranchNode)
	case *parse.IfNode:
		return meterBranch(&n.BranchNode)
	case *parse.WithNode:
		return meterBranch(&n.BranchNode)
	case *parse.ActionNode:
		return meterNode(n.Pipe)
	case *parse.TemplateNode:
		return meterNode(n.Pipe)
	case *parse.PipeNode:
		if n == nil {
			return nil
		}
		for _, command := range n.Cmds {
			if err := meterAll(command.Args); err != nil {
				return err
			}
		}
	case *parse.ChainNode:
		return meterNode(n.Node)
	case *parse.IdentifierNode:
		if instead, no := withheld[n.Ident]; no {
			return fmt.Errorf("%s is not to be had in a template: %s", n.Ident, instead)
		}
	}
	return nil
}

func meterBranch(b *parse.BranchNode) error {
	return errors.Join(meterNode(b.Pipe), meterNode(b.List), meterNode(b.ElseList))
}

func meterAll(nodes []parse.Node) error {
	for _, node := range nodes {
		if err := meterNode(node); err != nil {
			return err
		}
	}
	return nil
}
