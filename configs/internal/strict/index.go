package strict

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// span is a range of bytes in a file.
type span struct{ start, end int }

// node is the place of one key, and of all that stands below it. It mirrors the
// decoded tree; a nil node is a place that is not known.
type node struct {
	key, value span
	keys       map[string]*node
	items      []*node
	header     bool // made by [a] or [[a]], so the value has no span of its own
}

// child returns the place of a key, or nil.
func (n *node) child(key string) *node {
	if n == nil {
		return nil
	}
	return n.keys[key]
}

// item returns the place of the i-th element of a list, or nil.
func (n *node) item(i int) *node {
	if n == nil || i >= len(n.items) {
		return nil
	}
	return n.items[i]
}

// enter returns the node of a key, made if need be. Below an array of tables it
// is the last table's, as TOML says.
func (n *node) enter(key string, at span) *node {
	if len(n.items) > 0 {
		n = n.items[len(n.items)-1]
	}
	if n.keys == nil {
		n.keys = map[string]*node{}
	}
	if n.keys[key] == nil {
		n.keys[key] = &node{key: at, value: at}
	}
	return n.keys[key]
}

// deepest bounds how deep keys and values may nest; a decoder's time or stack may
// grow with the square of it.
const deepest = 64

var errTooDeep = errors.New("nested too deeply")

// index finds the place of every key and value of a file. What it could read
// before an error is returned with it.
func index(data []byte) (root *node, err error) {
	root = &node{}
	defer func() { // that parser is called unstable; without places a file is still checked
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("positions: %v", panicked)
		}
	}()
	table := root
	parser := &unstable.Parser{}
	parser.Reset(data)
	for parser.NextExpression() {
		expression := parser.Expression()
		if depth(expression) > deepest {
			return root, errTooDeep
		}
		switch expression.Kind {
		case unstable.Table:
			table = root.open(expression, false)
		case unstable.ArrayTable:
			table = root.open(expression, true)
		case unstable.KeyValue:
			table.assign(data, expression)
		default: // comments
		}
	}
	if err := parser.Error(); err != nil {
		if strings.Contains(err.Error(), "nested more than") {
			err = errTooDeep
		}
		return root, fmt.Errorf("positions: %w", err)
	}
	return root, nil
}

// depth counts how deep an expression nests, its keys included. It goes no deeper
// than it must.
func depth(n *unstable.Node) int {
	keys, deep := 0, 0
	for below := n.Children(); below.Next() && keys+deep <= deepest; {
		if below.Node().Kind == unstable.Key {
			keys++
			continue
		}
		deep = max(deep, 1+depth(below.Node()))
	}
	return keys + deep
}

// open enters [a.b] or, if list, adds an element to [[a.b]].
func (n *node) open(header *unstable.Node, list bool) *node {
	at := span{}
	for keys := header.Key(); keys.Next(); {
		at = spanOf(keys.Node())
		n = n.enter(string(keys.Node().Data), at)
	}
	if list {
		n.items = append(n.items, &node{key: at, value: at, header: true})
		return n.items[len(n.items)-1]
	}
	n.key, n.value, n.header = at, at, true
	if len(n.items) > 0 {
		return n.items[len(n.items)-1]
	}
	return n
}

// assign notes the place of `a.b = value`.
func (n *node) assign(data []byte, pair *unstable.Node) {
	at := span{}
	for keys := pair.Key(); keys.Next(); {
		at = spanOf(keys.Node())
		n = n.enter(string(keys.Node().Data), at)
	}
	n.key = at
	n.fill(data, pair.Value(), afterEquals(data, at.end))
}

// fill notes the place of a value and of what it holds. The parser gives lists
// no range of their own, so their start is handed in.
func (n *node) fill(data []byte, value *unstable.Node, start int) {
	n.value = spanOf(value)
	switch value.Kind {
	case unstable.Array:
		n.value = span{start, start + 1}
		for items := value.Children(); items.Next(); {
			item := &node{key: n.value}
			item.fill(data, items.Node(), start)
			n.items = append(n.items, item)
		}
	case unstable.InlineTable:
		for pairs := value.Children(); pairs.Next(); {
			n.assign(data, pairs.Node())
		}
	default: // a scalar
	}
}

func spanOf(n *unstable.Node) span {
	return span{int(n.Raw.Offset), int(n.Raw.Offset + n.Raw.Length)}
}

// afterEquals returns where the value begins whose key ends at offset.
func afterEquals(data []byte, offset int) int {
	rest := string(data[min(offset, len(data)):min(offset+256, len(data))])
	trimmed := strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(rest, " \t"), "="), " \t")
	return offset + len(rest) - len(trimmed)
}
