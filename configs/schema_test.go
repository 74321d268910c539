package configs_test

import (
	"path/filepath"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compile(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// decode returns a TOML file as JSON would have it.
func decode(t *testing.T, file string) any {
	t.Helper()
	tree := map[string]any{}
	if _, err := toml.DecodeFile(file, &tree); err != nil {
		t.Fatal(err)
	}
	return plain(tree)
}

func plain(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key := range value {
			value[key] = plain(value[key])
		}
	case []any:
		for i := range value {
			value[i] = plain(value[i])
		}
	case []map[string]any:
		items := make([]any, len(value))
		for i := range value {
			items[i] = plain(value[i])
		}
		return items
	}
	return value
}

func TestTheSchemasAgreeWithTheLoader(t *testing.T) {
	plan, daemon := compile(t, "plan.schema.json"), compile(t, "bakewatch.schema.json")
	examples, err := filepath.Glob("plans/*.toml")
	if err != nil || len(examples) == 0 {
		t.Fatal("no examples", err)
	}
	for _, file := range examples {
		if err := plan.Validate(decode(t, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, file := range []string{"bakewatch.toml", "../testdata/plans/bakewatch.toml"} {
		if err := daemon.Validate(decode(t, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, name := range []string{"unknown-keys", "wrong-types", "wrong-units", "wrong-words", "missing", "nothing", "later", "shapes", "comparison"} {
		if err := plan.Validate(decode(t, "../testdata/plans/broken/"+name+".toml")); err == nil {
			t.Errorf("the schema finds nothing wrong with the broken plan %q", name)
		}
	}
}
