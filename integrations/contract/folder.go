package contract

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/rules"
)

// folder checks what stands beside the code, in the folder that the test runs in.
func folder(t *testing.T, table string, kind rules.Kind) {
	t.Helper()
	tagged(t, reflect.TypeOf(kind.New()).Elem())
	if kind.With != nil {
		tagged(t, reflect.TypeOf(kind.With()).Elem())
	}
	if n := loads(t, "example.toml", table, kind, read(t, "example.toml")); n == 0 {
		t.Errorf("example.toml has no [%s.NAME] of kind %q", table, kind.Name)
	}
	readme := read(t, "README.md")
	if !strings.Contains(readme, "\n## Permissions") {
		t.Error(`README.md does not say what is needed, under "## Permissions"`)
	}
	shown := 0
	for _, block := range tomlBlock.FindAllStringSubmatch(readme, -1) {
		shown += loads(t, "README.md", table, kind, block[1])
	}
	if shown == 0 {
		t.Errorf("README.md shows no [%s.NAME] of kind %q that works", table, kind.Name)
	}
}

var tomlBlock = regexp.MustCompile("(?s)```toml\n(.*?)```")

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// daemonFile is as much of bakewatch.toml and of a plan as examples show.
type daemonFile struct {
	Executor map[string]toml.Primitive
	Channel  map[string]toml.Primitive
	Rollback []struct{ With map[string]any }
}

// loads checks an example as the daemon would, and counts the tables of the kind.
func loads(t *testing.T, where, table string, kind rules.Kind, text string) int {
	t.Helper()
	var file daemonFile
	meta, err := toml.Decode(text, &file)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	found := 0
	for name, body := range map[string]map[string]toml.Primitive{"executor": file.Executor, "channel": file.Channel}[table] {
		var common struct{ Use string }
		if err := meta.PrimitiveDecode(body, &common); err != nil || common.Use != kind.Name {
			continue
		}
		found++
		options := kind.New()
		if err := meta.PrimitiveDecode(body, options); err != nil {
			t.Errorf("%s: [%s.%s]: %v", where, table, name, err)
		}
		if err := options.Check(); err != nil {
			t.Errorf("%s: [%s.%s]: %v", where, table, name, err)
		}
		for _, key := range meta.Undecoded() {
			if len(key) > 2 && key[0] == table && key[1] == name {
				t.Errorf("%s: no such option: %s", where, key)
			}
		}
	}
	for _, rollback := range file.Rollback {
		if kind.With == nil || table != "executor" {
			break
		}
		if err := outbound.ReadWith(rollback.With, kind.With()); err != nil {
			t.Errorf("%s: [[rollback]]: %v", where, err)
		}
	}
	return found
}

// tagged checks that every option has its names and its documentation.
func tagged(t *testing.T, options reflect.Type) {
	t.Helper()
	for i := range options.NumField() {
		field := options.Field(i)
		if !field.IsExported() {
			continue
		}
		inTOML, inJSON := field.Tag.Get("toml"), strings.Split(field.Tag.Get("json"), ",")[0]
		if inTOML == "" || inTOML != inJSON || field.Tag.Get("doc") == "" {
			t.Errorf("%s.%s: toml %q, json %q, doc %q", options, field.Name, inTOML, inJSON, field.Tag.Get("doc"))
		}
		if inner := field.Type; inner.Kind() == reflect.Pointer && inner.Elem().Kind() == reflect.Struct {
			tagged(t, inner.Elem())
		}
	}
}
