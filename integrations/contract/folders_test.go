package contract_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryIntegrationIsComplete walks the folders: whatever makes a rules.Kind,
// an executor or a channel, needs its README, its example and its contract test.
func TestEveryIntegrationIsComplete(t *testing.T) {
	folders, err := filepath.Glob("../*")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, folder := range folders {
		kinds := kindsOf(t, folder)
		if len(kinds) == 0 {
			continue
		}
		found++
		t.Run(filepath.Base(folder), func(t *testing.T) { complete(t, folder, kinds) })
	}
	if found < 4 {
		t.Errorf("only %d integrations found", found)
	}
}

func complete(t *testing.T, folder string, kinds []string) {
	for _, file := range []string{"README.md", "example.toml"} {
		if _, err := os.Stat(filepath.Join(folder, file)); err != nil {
			t.Errorf("%s: an integration needs one", err)
		}
	}
	tested := suitesOf(t, folder)
	for _, kind := range kinds {
		if !tested[kind] {
			t.Errorf("%s(): no test runs contract.Executor or contract.Channel for it", kind)
		}
	}
}

// kindsOf names the functions of a folder that return a rules.Kind of an executor or a
// channel. Who is on call is asked of neither.
func kindsOf(t *testing.T, folder string) []string {
	var kinds []string
	for _, file := range parse(t, folder, false) {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
				continue
			}
			if result, ok := f.Type.Results.List[0].Type.(*ast.SelectorExpr); ok && result.Sel.Name == "Kind" && name(result.X) == "rules" && f.Name.Name != "ScheduleKind" {
				kinds = append(kinds, f.Name.Name)
			}
		}
	}
	return kinds
}

// suitesOf names the functions that are called within a call of a suite:
// contract.Executor(t, contract.ExecutorSuite{Kind: exec.Kind(), …}).
func suitesOf(t *testing.T, folder string) map[string]bool {
	tested := map[string]bool{}
	for _, file := range parse(t, folder, true) {
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || !isSuite(call.Fun) {
				return true
			}
			ast.Inspect(call, func(inner ast.Node) bool {
				if made, ok := inner.(*ast.CallExpr); ok {
					if of, ok := made.Fun.(*ast.SelectorExpr); ok {
						tested[of.Sel.Name] = true
					}
				}
				return true
			})
			return true
		})
	}
	return tested
}

func isSuite(fun ast.Expr) bool {
	of, ok := fun.(*ast.SelectorExpr)
	return ok && name(of.X) == "contract" && (of.Sel.Name == "Executor" || of.Sel.Name == "Channel")
}

func name(expr ast.Expr) string {
	if ident, ok := expr.(*ast.Ident); ok {
		return ident.Name
	}
	return ""
}

func parse(t *testing.T, folder string, tests bool) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") != tests {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}
