package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bakewatch/bakewatch/integrations/web"
	"github.com/bakewatch/bakewatch/watcher"
)

// described is what the OpenAPI file says, as it is served.
func described(t *testing.T, base string) (paths map[string]map[string]struct {
	Responses map[string]struct {
		Content map[string]struct{}
	}
}, compiler *jsonschema.Compiler,
) {
	t.Helper()
	response, text := call{method: "GET", path: web.APIPath + "openapi.json"}.do(t, base)
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]struct{}
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &file); err != nil || file.OpenAPI != "3.1.0" {
		t.Fatal(err, file.OpenAPI)
	}
	compiler = jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource("openapi.json", document); err != nil {
		t.Fatal(err)
	}
	return file.Paths, compiler
}

func TestWhatIsAnsweredIsWhatTheOpenAPIFileSays(t *testing.T) {
	vote := `{"question":23,"choice":"keep","reason":"known"}`
	bodies := map[string]string{
		"answers": vote, "rollback": `{"reason":"x"}`, "cancel": `{"reason":"x"}`, "wrong": `{"reason":"x"}`,
		"disarm": `{"service":"checkout"}`, "arm": `{"service":"checkout"}`,
	}
	refused := fmt.Errorf("%w: too late", watcher.ErrRefused)
	stopped := fmt.Errorf("%w: another is", watcher.ErrStopped)
	paths, compiler := described(t, serveAPI(t, asking(), local))
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for path, methods := range paths {
		for method, operation := range methods {
			for what, test := range map[string]struct {
				fails   error
				headers map[string]string
			}{
				"done": {nil, ben}, "refused": {refused, ben}, "stopped": {stopped, ben},
				"of another origin": {nil, map[string]string{"Sec-Fetch-Site": "cross-site"}},
			} {
				t.Run(method+" "+path+" "+what, func(t *testing.T) {
					d := asking()
					d.fails = test.fails
					url := strings.ReplaceAll(path, "{ref}", "checkout")
					if strings.HasSuffix(path, "verdict") {
						url += "?service=checkout&gate=none"
					}
					body := bodies[path[strings.LastIndex(path, "/")+1:]]
					response, text := call{method: strings.ToUpper(method), path: url, body: body, headers: test.headers}.do(t, serveAPI(t, d, local))
					status, kind := fmt.Sprint(response.StatusCode), response.Header.Get("Content-Type")
					if _, said := operation.Responses[status].Content[kind]; !said {
						t.Fatalf("the file does not say of %s with %s: %s", status, kind, text)
					}
					schema, err := compiler.Compile("openapi.json#/paths/" + escape.Replace(path) + "/" + method +
						"/responses/" + status + "/content/" + escape.Replace(kind) + "/schema")
					if err != nil {
						t.Fatal(err)
					}
					answer, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
					if err != nil {
						t.Fatal(err)
					}
					if err := schema.Validate(answer); err != nil {
						t.Errorf("%s\n%v", text, err)
					}
					if body != "" {
						fits(t, compiler, "openapi.json#/paths/"+escape.Replace(path)+"/"+method+"/requestBody/content/application~1json/schema", body)
					}
				})
			}
		}
	}
	if len(paths) != 10 {
		t.Errorf("%d paths are described", len(paths))
	}
}

func fits(t *testing.T, compiler *jsonschema.Compiler, at, text string) {
	t.Helper()
	schema, err := compiler.Compile(at)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Error(err)
	}
}
