package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
	"github.com/bakewatch/bakewatch/watcher"
)

// keyFile makes a key and the file of its secret.
func keyFile(t *testing.T) (file string, key signing.Key) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "ana.nk")
	b := newBench(t)
	b.expect(0, "key", "new", "--out", file)
	key, err := signing.ReadKey(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, key
}

func TestKeyNew(t *testing.T) {
	t.Run("the secret goes to a file of its owner, and only the public key is printed", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "ana.nk")
		b := newBench(t)
		b.expect(0, "key", "new", "--out", file)
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		seed, err := os.ReadFile(file)
		if err != nil || strings.Contains(b.stdout.String()+b.stderr.String(), strings.TrimSpace(string(seed))) {
			t.Error("the secret is printed")
		}
		key, err := signing.ParseKey(seed)
		if err != nil {
			t.Fatal(err)
		}
		b.says(key.Public()+"\n", "[person.NAME]\nnkeys = [\""+key.Public()+"\"]", "[trust.announcer.NAME]\nnkeys    = [\""+key.Public()+"\"]")
	})
	t.Run("a key that is there is never overwritten", func(t *testing.T) {
		file, key := keyFile(t)
		b := newBench(t)
		b.expect(exitFailed, "key", "new", "--out", file)
		b.advises("is there already", "--out")
		if again, err := signing.ReadKey(file); err != nil || again.Public() != key.Public() {
			t.Errorf("%v, %v", again, err)
		}
	})
	t.Run("JSON names both", func(t *testing.T) {
		t.Chdir(t.TempDir())
		b := newBench(t)
		b.expect(0, "key", "new", "--output", "json")
		said := object[map[string]string](b)
		if key, err := signing.ReadKey(said["file"]); err != nil || key.Public() != said["key"] || said["file"] != "bakewatch.nk" {
			t.Errorf("%v, %v", said, err)
		}
	})
}

func TestWhatIsSignedIsVerified(t *testing.T) {
	file, key := keyFile(t)
	folder := t.TempDir()
	body, headers := filepath.Join(folder, "event.json"), filepath.Join(folder, "headers")
	write(t, body, `{"id":"1"}`)
	about := []string{"--subject", "deployments.production.checkout", "--header", "ce-id: 7"}
	b := newBench(t)
	b.env[keyVariable] = file
	b.expect(0, slices.Concat([]string{"key", "sign"}, about, []string{body})...)
	write(t, headers, b.stdout.String())
	verify := func(more ...string) []string {
		return slices.Concat([]string{"key", "verify", "--headers", headers}, more)
	}

	b.expect(0, slices.Concat(verify(about...), []string{"--by", key.Public(), body})...)
	b.says("signed by " + key.Public() + " at 2026-11-23 12:00:00 UTC, id ")
	b.expect(0, slices.Concat(verify(about...), []string{"--output", "json", body})...)
	if said := object[map[string]any](b); said["key"] != key.Public() || said["fresh"] != true {
		t.Errorf("%v", said)
	}
	_, other := keyFile(t)
	for want, args := range map[string][]string{
		"its signature does not hold": verify("--subject", "deployments.production.search", "--header", "ce-id: 7", body),
		"for this subject":            verify("--subject", "deployments.production.checkout", body),
		"and cluster main":            verify(append(about, "--cluster", "main", body)...),
		"not by " + other.Public():    verify(append(about, "--by", other.Public(), body)...),
		"it is not signed":            append([]string{"key", "verify", body}, about...),
		"no such file":                verify(append(about, "none.json")...),
	} {
		b.expect(exitFailed, args...)
		b.advises(want)
	}
	seed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b.expect(exitUsage, verify(append(about, "--by", strings.TrimSpace(string(seed)), body)...)...)
	if strings.Contains(b.stderr.String(), strings.TrimSpace(string(seed))) {
		t.Error("the secret is shown")
	}
	b.expect(exitUsage, "key", "verify", "--subject", "x", "--header", "nonsense")
	b.env = nil
	b.expect(exitUsage, "key", "sign", "--subject", "x", body)
	b.advises("--key FILE or $" + keyVariable)
}

func TestOrdersAreSignedByWhomTheKeyIs(t *testing.T) {
	file, key := keyFile(t)
	by := "via signature"
	t.Run("by a flag or by the environment, and a name need not be said", func(t *testing.T) {
		for name, run := range map[string]func(b *bench, args ...string){
			"by a flag":          func(b *bench, args ...string) { b.expect(0, append(args, "--key", file)...) },
			"by the environment": func(b *bench, args ...string) { b.env[keyVariable] = file; b.expect(0, args...) },
		} {
			t.Run(name, func(t *testing.T) {
				b := newBench(t)
				b.desk.watches = []watcher.WatchView{asked()}
				run(b, "answer", "checkout", "keep")
				run(b, "cancel", "checkout")
				run(b, "disarm", "--reason", "moving", "--output", "json")
				if said := object[armState](b); said.By != key.Public() {
					t.Errorf("%+v", said)
				}
				run(b, "arm")
				if made := b.desk.made(); len(made) != 4 || !strings.Contains(made[0], by) || !strings.Contains(strings.Join(made[1:], " "), key.Public()) {
					t.Errorf("called %q", made)
				}
				for _, to := range b.dialed {
					if to.key == nil || to.key.Public() != key.Public() {
						t.Errorf("dialed %+v", to)
					}
				}
			})
		}
	})
	t.Run("a name that is said is nearer than the key of the environment", func(t *testing.T) {
		b := newBench(t)
		b.env[keyVariable] = file
		b.expect(0, "arm", "--as", "bea")
		if made := b.desk.made(); made[0] != `arm "" by bea` || b.dialed[0].key != nil {
			t.Errorf("called %q", made)
		}
		b.expect(exitUsage, "arm", "--as", "bea", "--key", file)
		b.advises("only one of --as and --key can be given")
	})
	t.Run("what only asks needs no key, and does not look for one", func(t *testing.T) {
		b := newBench(t)
		b.env[keyVariable] = "none.nk"
		b.expect(0, "list")
		b.expect(0, "disarm", "--local", "--store", t.TempDir(), "--reason", "NATS is down")
		b.expect(exitFailed, "arm")
		b.advises("read the key", "bakewatch key new")
	})
	t.Run("who is not believed is told to sign", func(t *testing.T) {
		b := newBench(t)
		b.desk.watches = []watcher.WatchView{asked()}
		b.desk.fails = fmt.Errorf("%w: local \"bea\" %w", watcher.ErrRefused, authority.ErrUnproved)
		b.expect(exitFailed, "disarm", "--reason", "x")
		b.advises("sign with --key FILE", "[person.NAME]")
		b.expect(exitFailed, "arm")
		b.advises("sign with --key FILE")
		b.expect(exitFailed, "cancel", "checkout")
		b.advises("sign with --key FILE")
		b.expect(exitFailed, "answer", "checkout", "keep", "--question", "23")
		b.advises("sign with --key FILE")
	})
}

func TestADaemonThatBelievesSignedEventsOnlyIsNotSentAnother(t *testing.T) {
	file, _ := keyFile(t)
	line := []string{"announce", "--service", "checkout", "--version", "2.4.0"}
	b := newBench(t)
	b.about = nats.About{Cluster: "main", Signed: true}
	b.expect(exitFailed, line...)
	b.advises("the daemon believes signed events only; nothing was sent", "--key FILE")
	if len(b.announced) != 0 {
		t.Errorf("announced %+v", b.announced)
	}
	b.expect(0, append(line, "--key", file)...)
	if len(b.announced) != 1 {
		t.Errorf("announced %+v", b.announced)
	}
}

func TestTheProgramSignsForARealDaemon(t *testing.T) {
	file, key := keyFile(t)
	d := startDaemon(t)
	d.watches = []watcher.WatchView{asked()}
	for _, args := range [][]string{
		{"answer", "checkout", "keep"}, {"cancel", "checkout"}, {"disarm", "--reason", "moving"}, {"arm"},
	} {
		if code, _, stderr := d.bakewatch(t.Context(), append(args, "--key", file)...); code != 0 {
			t.Errorf("%s: %s", args, stderr)
		}
	}
	for _, call := range d.made() {
		if !strings.Contains(call, key.Public()) {
			t.Errorf("called %q", call)
		}
	}
	began := time.Now()
	if code, _, stderr := d.bakewatch(t.Context(), "announce", "--service", "checkout", "--version", "2.4.1", "--key", file); code != 0 {
		t.Fatal(stderr)
	}
	stream, err := d.conn.JetStream().Stream(t.Context(), nats.StreamDeployments)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := stream.GetLastMsgForSubject(t.Context(), "deployments.production.checkout")
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signing.Verify(signing.Message{Subject: msg.Subject, Body: msg.Data}, msg.Header)
	if err = errors.Join(err, signed.Fresh(began)); err != nil || signed.Key != key.Public() {
		t.Errorf("%+v, %v", signed, err)
	}
}

func TestTheDocsPrintTheWorkedExampleThatIsTested(t *testing.T) {
	page, err := os.ReadFile(house + "/docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"key.nk", "body.json", "text", "headers"} {
		part, err := os.ReadFile(filepath.Join(house, "integrations", "nats", "signing", "testdata", "example", name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), strings.TrimSpace(string(part))) {
			t.Errorf("docs/security.md lacks the example's %s:\n%s", name, part)
		}
	}
}
