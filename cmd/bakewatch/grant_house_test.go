package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// A rollback cannot be without a trace: the Runner alone reaches an executor, it takes a
// Grant, and that is made in one place of an entry that the journal has acknowledged. The
// compiler holds a part of it; this reads all code, tests as well, for the rest.

const module = "github.com/bakewatch/bakewatch/"

// rights are what must not be done elsewhere, and where it is done: in a function, or of
// the tests in any function of a file.
var rights = map[string][]string{
	"calls the Rollback of an executor": {
		"actions.Runner.try",
		// Tests of executors, of the suite that they share, and one that wraps another.
		"actions/time_test.go", "integrations/contract/executor.go",
		"integrations/exec/exec_test.go", "integrations/exec/reaper_linux_test.go", "integrations/exec/stop_test.go",
		"integrations/webhook/executor_test.go",
	},
	"binds an executor": {
		"actions.Runner.guarded",
		"integrations/contract/executor.go",
		"integrations/exec/exec_test.go", "integrations/exec/stop_test.go", "integrations/webhook/executor_test.go",
	},
	"fills in a Grant":    {"actions.Acknowledged", "actions.Grant.Overtaken"},
	"asks for a Grant":    {"watcher.Lane.Todo", "actions/runner_test.go", "actions/time_test.go"},
	"intends a rollback":  {"watcher.foldIntended"},
	"folds an intention":  {"watcher.folds"},
	"folds out of a lane": {"watcher.Lane.Apply"},
}

func TestOnlyTheRunnerReachesAnExecutorAndOnlyByAnAcknowledgedIntent(t *testing.T) {
	did := deeds(t, nil, "./...")
	for right, where := range rights {
		for _, place := range where {
			if len(did[right][place]) == 0 {
				t.Errorf("nobody %s in %s any more: strike it from the list", right, place)
			}
		}
		for place, at := range did[right] {
			if !slices.Contains(where, place) {
				t.Errorf("%s: %s %s", at[0], place, right)
			}
		}
	}
}

func TestNobodyElseCanFillInAGrant(t *testing.T) {
	loaded := load(t, nil, "./actions")
	grant := loaded[0].Types.Scope().Lookup("Grant").Type().Underlying().(*types.Struct)
	for field := range grant.Fields() {
		if field.Exported() || field.Embedded() {
			t.Errorf("Grant.%s can be filled in by anybody", field.Name())
		}
	}
	if grant.NumFields() == 0 {
		t.Error("a Grant holds nothing, so anybody has one")
	}
}

// offences are functions that do what they have no right to, by the package in which they
// would stand.
var offences = map[string]map[string]string{
	"watcher": {
		"calling":     "calls the Rollback of an executor",
		"handingOn":   "calls the Rollback of an executor",
		"disguised":   "calls the Rollback of an executor",
		"binding":     "binds an executor",
		"asking":      "asks for a Grant",
		"intending":   "intends a rollback",
		"overwriting": "intends a rollback",
		"folding":     "folds an intention",
		"unfolding":   "folds out of a lane",
	},
	"actions": {"filling": "fills in a Grant", "pointing": "fills in a Grant"},
}

func TestWhoeverReachesAnExecutorOtherwiseIsSeen(t *testing.T) {
	for in, offenders := range offences {
		code, err := os.ReadFile("testdata/offences/" + in + ".go")
		if err != nil {
			t.Fatal(err)
		}
		file, err := filepath.Abs(filepath.Join(house, in, "offences.go"))
		if err != nil {
			t.Fatal(err)
		}
		did := deeds(t, map[string][]byte{file: code}, "./"+in)
		for who, right := range offenders {
			if len(did[right][in+"."+who]) == 0 {
				t.Errorf("nobody sees that %s.%s %s", in, who, right)
			}
		}
	}
}

// load type-checks packages of the module, with their tests and those behind build tags.
func load(t *testing.T, overlay map[string][]byte, patterns ...string) []*packages.Package {
	t.Helper()
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.LoadSyntax, Dir: house, Tests: overlay == nil, Overlay: overlay, BuildFlags: []string{"-tags=long"}, Context: t.Context(),
	}, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range loaded {
		for _, err := range p.Errors {
			t.Fatal(err)
		}
	}
	return loaded
}

// deeds says what is done where, and in which lines.
func deeds(t *testing.T, overlay map[string][]byte, patterns ...string) map[string]map[string][]string {
	t.Helper()
	root, err := filepath.Abs(house)
	if err != nil {
		t.Fatal(err)
	}
	did := map[string]map[string][]string{}
	for _, p := range load(t, overlay, patterns...) {
		for _, file := range p.Syntax {
			name, _ := filepath.Rel(root, p.Fset.Position(file.Package).Filename)
			for _, decl := range file.Decls {
				reader{p.TypesInfo, func(right string, at token.Pos) {
					place := strings.TrimPrefix(strings.TrimSuffix(p.PkgPath, "_test"), module) + "." + nameOf(decl, at)
					if slices.Contains(rights[right], name) {
						place = name
					}
					if did[right] == nil {
						did[right] = map[string][]string{}
					}
					did[right][place] = append(did[right][place], fmt.Sprintf("%s:%d", name, p.Fset.Position(at).Line))
				}}.read(decl)
			}
		}
	}
	return did
}

// nameOf names what declares what stands at a position.
func nameOf(decl ast.Decl, at token.Pos) string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return d.Name.Name
		}
		return strings.TrimPrefix(types.ExprString(d.Recv.List[0].Type), "*") + "." + d.Name.Name
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if v, is := spec.(*ast.ValueSpec); is && v.Pos() <= at && at < v.End() {
				return v.Names[0].Name
			}
		}
	}
	return "?"
}

// reader finds what needs a right.
type reader struct {
	info *types.Info
	deed func(right string, at token.Pos)
}

func (r reader) read(decl ast.Decl) {
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			r.selects(n)
		case *ast.Ident:
			r.names(n)
		case *ast.AssignStmt:
			for _, to := range n.Lhs {
				r.writes(to)
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				r.writes(n.X)
			}
		case *ast.CompositeLit:
			r.composes(n)
		}
		return true
	})
}

// selects looks for methods, called or handed on, of anything that has those of an executor.
func (r reader) selects(n *ast.SelectorExpr) {
	method, is := r.info.Uses[n.Sel].(*types.Func)
	if !is || method.Signature().Recv() == nil {
		return
	}
	switch takes, gives := textOf(method.Signature().Params()), textOf(method.Signature().Results()); {
	case method.Name() == "Rollback" && takes == "context.Context, string" && gives == "error":
		r.deed("calls the Rollback of an executor", n.Sel.Pos())
	case method.Name() == "Bind" && strings.HasPrefix(gives, module+"actions.Executor, "):
		r.deed("binds an executor", n.Sel.Pos())
	}
}

func textOf(tuple *types.Tuple) string {
	var all []string
	for v := range tuple.Variables() {
		all = append(all, v.Type().String())
	}
	return strings.Join(all, ", ")
}

// names looks for functions and variables of a package.
func (r reader) names(n *ast.Ident) {
	used := r.info.Uses[n]
	if used == nil || used.Pkg() == nil || used.Parent() != used.Pkg().Scope() {
		return
	}
	right := map[string]string{
		module + "actions.Acknowledged": "asks for a Grant",
		module + "watcher.foldIntended": "folds an intention",
		module + "watcher.folds":        "folds out of a lane",
	}[used.Pkg().Path()+"."+used.Name()]
	if right != "" {
		r.deed(right, n.Pos())
	}
}

// writes looks for fields that are written to, or whose address is taken.
func (r reader) writes(to ast.Expr) {
	if field, is := to.(*ast.SelectorExpr); is {
		if selection := r.info.Selections[field]; selection != nil {
			r.fills(selection.Recv(), field.Sel)
		}
	}
}

// composes looks for fields that are filled in where a value is made.
func (r reader) composes(n *ast.CompositeLit) {
	for _, element := range n.Elts {
		name := ast.NewIdent("")
		if pair, is := element.(*ast.KeyValueExpr); is {
			name, _ = pair.Key.(*ast.Ident)
		}
		if name != nil {
			r.fills(r.info.TypeOf(n), &ast.Ident{NamePos: element.Pos(), Name: name.Name})
		}
	}
}

func (r reader) fills(of types.Type, field *ast.Ident) {
	if pointer, is := of.(*types.Pointer); is {
		of = pointer.Elem()
	}
	switch of.String() {
	case module + "actions.Grant":
		r.deed("fills in a Grant", field.Pos())
	case module + "watcher.Watch":
		if field.Name == "Intent" || field.Name == "Intended" || field.Name == "" {
			r.deed("intends a rollback", field.Pos())
		}
	}
}
