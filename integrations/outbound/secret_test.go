package outbound_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

func TestASecretHidesHoweverItIsPrinted(t *testing.T) {
	secret := outbound.NewSecret("hunter2-hunter2")
	nested := struct{ inner outbound.Secret }{secret}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", secret, "nested", nested)
	asJSON, err := json.Marshal(map[string]any{"s": secret})
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %+v %#v %s %q %x", secret, secret, secret, secret, secret, secret) +
		fmt.Sprintf("%v %+v %#v", nested, nested, &nested) + log.String() + string(asJSON)
	if strings.Contains(shown, "hunter2") || strings.Contains(shown, "68756e746572") {
		t.Errorf("shown: %s", shown)
	}
	if secret.Reveal() != "hunter2-hunter2" {
		t.Error("and it must still be there")
	}
}

func TestAnEndpointHidesItsPath(t *testing.T) {
	to, err := outbound.ParseEndpoint("https://hooks.example.com/services/T1/secret?token=abcdef")
	if err != nil {
		t.Fatal(err)
	}
	nested := struct{ to outbound.Endpoint }{to}
	shown := fmt.Sprintf("%v %+v %#v %v %+v %#v", to, to, to, nested, nested, nested)
	if strings.Contains(shown, "secret") || strings.Contains(shown, "abcdef") || to.String() != "https://hooks.example.com/…" {
		t.Errorf("shown: %s", shown)
	}
}

func TestSecretsAreTakenOutOfErrors(t *testing.T) {
	secret := `p"ä s/w&rd+long`
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		quoted, _ := json.Marshal(secret)
		_, _ = io.WriteString(w, "\x1b[31mecho of "+r.URL.String()+"\n and "+secret+string(quoted)+" and "+strings.Repeat("long ", 1000))
	})
	_, err := post(t.Context(), t, outbound.Config{Secrets: []outbound.Secret{outbound.NewSecret(secret)}}, url, actions.ClassUnknown)
	text := err.Error()
	for _, hidden := range []string{secretPath, "w&rd", `w\u0026rd`, "\x1b", "\n"} {
		if strings.Contains(text, hidden) {
			t.Errorf("%q in %q", hidden, text)
		}
	}
	if !strings.Contains(text, "[redacted]") || len(text) > 500 {
		t.Errorf("%d bytes: %q", len(text), text)
	}
}

func TestTheValuesOfAQueryAreTakenOutOfErrors(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "no such token: "+r.URL.Query().Get("token"))
	})
	_, err := post(t.Context(), t, outbound.Config{}, url+"?team=a&token=hunter2+hunter2", actions.ClassUnknown)
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "no such token: [redacted]") {
		t.Error(err)
	}
}

func TestTheLongerOfTwoSecretsIsFoundFirst(t *testing.T) {
	redact := outbound.NewRedactor(outbound.NewSecret("abcd"), outbound.NewSecret("abcdefgh"), outbound.NewSecret("xy"))
	if got := redact.Text("abcdefgh abcd xy"); got != "[redacted] [redacted] xy" {
		t.Errorf("%q", got)
	}
}

// Wherever a text is cut, no end of a secret is left at its beginning.
func TestTheEndOfASecretThatWasCutThroughDoesNotShow(t *testing.T) {
	redact := outbound.NewRedactor(outbound.NewSecret("AaBbCcDdEe"), outbound.NewSecret("FfGgHh"), outbound.NewSecret("HhIiJj"))
	text := "AaBbCcDdEeFfGgHhHhIiJj FfGgHh AaBbCcDdEeAaBbCcDdEe and the rest is shown"
	for at := 1; at < len(text)-30; at++ {
		got := redact.Rest(text[at:])
		for _, part := range []string{"Aa", "Bb", "Cc", "Dd", "Ee", "Ff", "Gg", "Ii", "Jj"} {
			if strings.Contains(got, part) {
				t.Errorf("%q shows %q, cut before %q", got, part, text[at:])
			}
		}
		if !strings.HasSuffix(got, "the rest is shown") {
			t.Errorf("%q is too short, cut before %q", got, text[at:])
		}
	}
	if got := (outbound.Redactor{}).Rest("as it is"); got != "as it is" {
		t.Errorf("%q", got)
	}
}

func TestSecretsComeFromAFileOrTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	empty := filepath.Join(t.TempDir(), "empty")
	for path, content := range map[string]string{file: " from-file\n", empty: " \n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("THE_SECRET", "from-env")
	for name, c := range map[string]struct{ file, env, want, fails string }{
		"a file":            {file, "", "from-file", ""},
		"a variable":        {"", "THE_SECRET", "from-env", ""},
		"neither":           {"", "", "", ""},
		"a missing file":    {"/no/such/file", "", "", "/no/such/file"},
		"an empty file":     {empty, "", "", "empty"},
		"an unset variable": {"", "NOT_SET_AT_ALL", "", "NOT_SET_AT_ALL is empty or not set"},
	} {
		t.Run(name, func(t *testing.T) {
			secret, err := outbound.ReadSecret("token", c.file, c.env)
			if secret.Reveal() != c.want || (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%q, %v", secret.Reveal(), err)
			}
		})
	}
	if outbound.CheckSecret("token", "a", "b", false) == nil || outbound.CheckSecret("token", "", "", true) == nil || outbound.CheckSecret("token", "", "", false) != nil {
		t.Error("at most one, and one where it is required")
	}
}
