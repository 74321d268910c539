package signing_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/bakewatch/bakewatch/integrations/nats/signing"
)

// noon is when the tests of this package happen.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newKey(t testing.TB) signing.Key {
	t.Helper()
	key, err := signing.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, key signing.Key, m signing.Message) map[string][]string {
	t.Helper()
	headers, err := key.Sign(m, noon)
	if err != nil {
		t.Fatal(err)
	}
	return headers
}

// order is a message as a person sends it.
func order() signing.Message {
	return signing.Message{
		Cluster: "main", Subject: "bakewatch.api.answer",
		Headers: map[string]string{"ce-id": "1", "ce-type": "2"}, Body: []byte(`{"choice":"keep"}`),
	}
}

func TestWhoSignedIsKnown(t *testing.T) {
	key := newKey(t)
	headers := sign(t, key, order())
	signed, err := signing.Verify(order(), headers)
	if err != nil || signed.Key != key.Public() || !signed.At.Equal(noon) || signed.ID != headers[signing.HeaderID][0] {
		t.Errorf("%+v, %v", signed, err)
	}
	again := sign(t, key, order())
	if again[signing.HeaderID][0] == signed.ID {
		t.Error("two messages have one id")
	}
	lower := map[string][]string{}
	for name, values := range headers {
		lower[strings.ToLower(name)] = values
	}
	if _, err := signing.Verify(order(), lower); err != nil {
		t.Errorf("with lower-case names: %v", err)
	}
}

func TestWhatWasNotSignedSoIsForged(t *testing.T) {
	key, other := newKey(t), newKey(t)
	for name, forge := range map[string]func(m *signing.Message, headers map[string][]string){
		"another subject":               func(m *signing.Message, _ map[string][]string) { m.Subject = "bakewatch.api.cancel" },
		"another cluster":               func(m *signing.Message, _ map[string][]string) { m.Cluster = "staging" },
		"no cluster":                    func(m *signing.Message, _ map[string][]string) { m.Cluster = "" },
		"another body":                  func(m *signing.Message, _ map[string][]string) { m.Body[10]++ },
		"a longer body":                 func(m *signing.Message, _ map[string][]string) { m.Body = append(m.Body, ' ') },
		"another header":                func(m *signing.Message, _ map[string][]string) { m.Headers["ce-id"] = "2" },
		"one header more":               func(m *signing.Message, _ map[string][]string) { m.Headers["ce-time"] = "" },
		"a header's value in the next":  func(m *signing.Message, _ map[string][]string) { m.Headers = map[string]string{"ce-id": "17:ce-type"} },
		"a subject that ends elsewhere": func(m *signing.Message, _ map[string][]string) { m.Cluster, m.Subject = "mainb", "akewatch.api.answer" },
		"another time": func(_ *signing.Message, h map[string][]string) {
			h[signing.HeaderTime] = []string{"2026-11-23T12:00:01Z"}
		},
		"the time written otherwise": func(_ *signing.Message, h map[string][]string) {
			h[signing.HeaderTime] = []string{"2026-11-23T12:00:00+00:00"}
		},
		"another id":  func(_ *signing.Message, h map[string][]string) { h[signing.HeaderID] = []string{"x"} },
		"another key": func(_ *signing.Message, h map[string][]string) { h[signing.HeaderKey] = []string{other.Public()} },
		"another's signature": func(m *signing.Message, h map[string][]string) {
			h[signing.HeaderSignature] = sign(t, other, *m)[signing.HeaderSignature]
		},
		"no signature": func(_ *signing.Message, h map[string][]string) { delete(h, signing.HeaderSignature) },
		"no key":       func(_ *signing.Message, h map[string][]string) { delete(h, signing.HeaderKey) },
		"nothing but a key": func(_ *signing.Message, h map[string][]string) {
			maps.DeleteFunc(h, func(name string, _ []string) bool { return name != signing.HeaderKey })
		},
		"two keys": func(_ *signing.Message, h map[string][]string) {
			h[signing.HeaderKey] = append(h[signing.HeaderKey], other.Public())
		},
		"two spellings of one": func(_ *signing.Message, h map[string][]string) { h["bakewatch-id"] = h[signing.HeaderID] },
		"an empty signature":   func(_ *signing.Message, h map[string][]string) { h[signing.HeaderSignature] = []string{""} },
		"a short signature": func(_ *signing.Message, h map[string][]string) {
			h[signing.HeaderSignature] = []string{h[signing.HeaderSignature][0][:40]}
		},
		"no base64":          func(_ *signing.Message, h map[string][]string) { h[signing.HeaderSignature][0] = "%" },
		"no time":            func(_ *signing.Message, h map[string][]string) { h[signing.HeaderTime] = []string{"noon"} },
		"an id with a blank": func(_ *signing.Message, h map[string][]string) { h[signing.HeaderID] = []string{"a b"} },
		"a long id": func(_ *signing.Message, h map[string][]string) {
			h[signing.HeaderID] = []string{strings.Repeat("a", 65)}
		},
		"an account's key": func(_ *signing.Message, h map[string][]string) { h[signing.HeaderKey] = []string{accountKey(t)} },
		"a key that is none": func(_ *signing.Message, h map[string][]string) {
			h[signing.HeaderKey] = []string{strings.Repeat("U", 56)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := order()
			headers := sign(t, key, m)
			forge(&m, headers)
			if signed, err := signing.Verify(m, headers); !errors.Is(err, signing.ErrForged) || signed != (signing.Signed{}) {
				t.Errorf("%+v, %v", signed, err)
			}
		})
	}
}

func accountKey(t testing.TB) string {
	t.Helper()
	pair, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return public
}

func TestAMessageWithoutASignatureIsUnsignedAndNotForged(t *testing.T) {
	for _, headers := range []map[string][]string{nil, {"Ce-Id": {"1"}}} {
		if _, err := signing.Verify(order(), headers); !errors.Is(err, signing.ErrUnsigned) || signing.Present(headers) {
			t.Errorf("%v: %v", headers, err)
		}
	}
}

func TestASignatureIsFreshForFiveMinutesEitherWay(t *testing.T) {
	for after, fresh := range map[time.Duration]bool{
		0: true, signing.Fresh: true, -signing.Fresh: true,
		signing.Fresh + time.Second: false, -signing.Fresh - time.Second: false, 24 * time.Hour: false,
	} {
		err := signing.Signed{At: noon}.Fresh(noon.Add(after))
		if (err == nil) != fresh || err != nil && !errors.Is(err, signing.ErrStale) {
			t.Errorf("%s later: %v", after, err)
		}
	}
}

func TestAnIdIsThereOnceButMayBeDeliveredAgain(t *testing.T) {
	var seen signing.Seen
	one := signing.Signed{Key: "A", ID: "1"}
	steps := []struct {
		what   string
		by     signing.Signed
		place  uint64
		stored time.Time
		want   error
	}{
		{"the first time", one, 7, noon, nil},
		{"the same message again", one, 7, noon, nil},
		{"a copy of it", one, 8, noon.Add(time.Minute), signing.ErrReplayed},
		{"the same id of another key", signing.Signed{Key: "B", ID: "1"}, 9, noon.Add(time.Minute), nil},
		{"a copy at the last moment", one, 10, noon.Add(10 * time.Minute), signing.ErrReplayed},
		{"a copy just after the change of memories", one, 11, noon.Add(11 * time.Minute), signing.ErrReplayed},
		{"the first one still is no copy", one, 7, noon, nil},
	}
	for _, s := range steps {
		if err := seen.First(s.by, s.place, s.stored); !errors.Is(err, s.want) {
			t.Errorf("%s: %v, want %v", s.what, err, s.want)
		}
	}
}

func TestTheMemoryOfIdsIsBounded(t *testing.T) {
	var seen signing.Seen
	most := 0
	for i := range 200_000 {
		id := signing.Signed{Key: "A", ID: string(rune('a'+i%26)) + time.Duration(i).String()}
		if err := seen.First(id, uint64(i), noon); err != nil {
			t.Fatal(err)
		}
		most = max(most, seen.Len())
	}
	if most > 100_000 {
		t.Errorf("%d ids are remembered", most)
	}
}

func TestAKeyIsReadFromASeedOrFromCredentialsAndNeverShown(t *testing.T) {
	key := newKey(t)
	seed, err := key.Seed()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a seed":      string(seed) + "\n",
		"credentials": "-----BEGIN NATS USER JWT-----\nx\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n" + string(seed) + "\n------END USER NKEY SEED------\n",
	} {
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if read, err := signing.ReadKey(file); err != nil || read.Public() != key.Public() {
			t.Errorf("%s: %v, %v", name, read, err)
		}
	}
	half := string(seed[:30])
	for name, text := range map[string]string{"half a seed": half, "nothing": "", "a public key": key.Public()} {
		if _, err := signing.ParseKey([]byte(text)); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := signing.ReadKey(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a key was read from no file")
	}
}

// example reads a file of the worked example, which docs/security.md prints.
func example(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "example", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// exampleHeaders reads the headers of the worked example.
func exampleHeaders(t testing.TB) map[string][]string {
	t.Helper()
	headers := map[string][]string{}
	for line := range strings.Lines(string(example(t, "headers"))) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		headers[name] = []string{value}
	}
	return headers
}

func TestTheWorkedExampleHolds(t *testing.T) {
	m := signing.Message{Subject: "deployments.production.checkout", Body: example(t, "body.json")}
	headers := exampleHeaders(t)
	id, at := headers[signing.HeaderID][0], headers[signing.HeaderTime][0]
	if text := m.Text(id, at); string(text) != string(example(t, "text")) {
		t.Errorf("signed is %q", text)
	}
	signed, err := signing.Verify(m, headers)
	if err != nil {
		t.Fatal(err)
	}
	key, err := signing.ParseKey(example(t, "key.nk"))
	if err != nil || signed.Key != key.Public() {
		t.Errorf("signed by %s and not by the example's key %s: %v", signed.Key, key, err)
	}
	if made, err := key.SignAs(m, id, at); err != nil || !maps.EqualFunc(made, headers, slices.Equal[[]string]) {
		t.Errorf("signed anew: %v, %v", made, err)
	}
	if !slices.Equal(signing.Headers(), []string{"Bakewatch-Key", "Bakewatch-Time", "Bakewatch-Id", "Bakewatch-Signature"}) {
		t.Error("the headers have other names than the documented ones")
	}
}
