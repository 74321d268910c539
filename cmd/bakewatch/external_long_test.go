//go:build long

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	client "github.com/nats-io/nats.go"

	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/watchertest"
)

// started starts a process of somebody else's, which ends with the test.
func started(t *testing.T, ready func() bool, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(name, args...), log: &lines{}, gone: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.gone) }()
	t.Cleanup(p.kill)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s's last words:\n%s", filepath.Base(name), p.log.last(10))
		}
	})
	within(t, time.Minute, filepath.Base(name)+" is ready", ready)
	return p
}

// realNATS builds the server of the module that we embed and runs it by itself.
func realNATS(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	binary := filepath.Join(folder, "nats-server")
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/nats-io/nats-server/v2").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var url string
	started(t, func() bool {
		files, err := filepath.Glob(filepath.Join(folder, "*.ports"))
		if err != nil || len(files) == 0 {
			return false
		}
		text, err := os.ReadFile(files[0])
		var ports struct {
			NATS []string `json:"nats"`
		}
		if err != nil || json.Unmarshal(text, &ports) != nil || len(ports.NATS) == 0 {
			return false
		}
		url = ports.NATS[0]
		return true
	}, binary, "-a", "127.0.0.1", "-p", "-1", "-js", "-sd", filepath.Join(folder, "js"), "--ports_file_dir", folder)
	return url
}

// realPrometheus is the server of the distribution.
type realPrometheus struct {
	*process
	t    *testing.T
	args []string
	url  string
}

// needPrometheus finds the binary. Only a person's own machine may do without.
func needPrometheus(t *testing.T) string {
	t.Helper()
	binary, err := exec.LookPath("prometheus")
	switch {
	case err == nil:
		return binary
	case os.Getenv("CI") != "":
		t.Fatal("there is no prometheus on PATH; the CI brings it")
	}
	t.Skip("there is no prometheus on PATH; install the package of that name, its service need not run")
	return ""
}

func newPrometheus(t *testing.T, jobs map[string][]string) *realPrometheus {
	t.Helper()
	binary, folder := needPrometheus(t), t.TempDir()
	var config strings.Builder
	config.WriteString("global: { scrape_interval: 1s }\nscrape_configs:\n")
	for job, targets := range jobs {
		fmt.Fprintf(&config, "- job_name: %s\n  static_configs:\n  - targets: [%s]\n", job, `"`+strings.Join(targets, `", "`)+`"`)
	}
	file := filepath.Join(folder, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	p := &realPrometheus{t: t, url: "http://" + address, args: []string{
		binary, "--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(folder, "data"), "--web.listen-address=" + address,
	}}
	p.start()
	return p
}

func (p *realPrometheus) start() {
	p.t.Helper()
	p.process = started(p.t, func() bool {
		reply, err := http.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		defer reply.Body.Close()
		return reply.StatusCode == http.StatusOK
	}, p.args[0], p.args[1:]...)
}

func (p *realPrometheus) end() {
	p.stop()
	<-p.gone
}

// stage is Bakewatch as an operator runs it: their NATS, their Prometheus, their services.
type stage struct {
	*scene
	Exec, Webhook *shop.Shop
	prometheus    *realPrometheus
	daemon        *process
}

func newStage(t *testing.T) *stage {
	t.Helper()
	needPrometheus(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{scene: &scene{T: t, Dir: t.TempDir(), Tool: self, log: &lines{}, secret: newSecret()}}
	s.Exec, s.Webhook = trading(t, "by-exec"), trading(t, "by-webhook")
	s.prometheus = newPrometheus(t, map[string][]string{"by-exec": s.Exec.Targets(), "by-webhook": s.Webhook.Targets()})
	s.NATS, s.Prometheus = realNATS(t), s.prometheus.url
	if err := os.Mkdir(filepath.Join(s.Dir, "plans"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.write("secret", s.secret)
	s.fill("bakewatch.toml", "external.toml", s)
	s.fill("plans/by-exec.toml", "external-plan.toml", "by-exec")
	s.fill("plans/by-webhook.toml", "external-plan.toml", "by-webhook")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the daemon's last words:\n%s\n%s", s.log.last(40), story(s.journaled()))
		}
	})
	s.daemon = s.start("")
	s.daemon.http()
	return s
}

func (s *stage) fill(name, from string, values any) {
	s.Helper()
	var text strings.Builder
	if err := template.Must(template.ParseFiles("testdata/faults/"+from)).Execute(&text, values); err != nil {
		s.Fatal(err)
	}
	s.write(name, text.String())
}

func trading(t *testing.T, service string) *shop.Shop {
	t.Helper()
	s, closeShop, err := trade(service)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeShop)
	return s
}

// trade opens a shop until it is closed.
func trade(service string) (s *shop.Shop, closeShop func(), err error) {
	ctx, stop := context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			stop()
		}
	}()
	if s, err = shop.Open(ctx, shop.Config{Service: service, Instances: 2}); err != nil {
		return nil, nil, err
	}
	if err = s.Deploy("1.0.0", shop.Good); err != nil {
		return nil, nil, err
	}
	customers, err := s.Traffic(60)
	if err != nil {
		return nil, nil, err
	}
	go customers.Run(ctx)
	return s, func() { stop(); s.Wait() }, nil
}

// deploy replaces a shop's version and announces it as a person does, by the command.
func (s *stage) deploy(at *shop.Shop, service, version string, behaviour shop.Behaviour) {
	s.Helper()
	if err := at.Deploy(version, behaviour); err != nil {
		s.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	args := []string{"announce", "--nats", s.NATS, "--service", service, "--version", version, "--by", "ana"}
	if code := run(s.Context(), args, strings.NewReader(""), &stdout, &stderr); code != 0 {
		s.Fatalf("announce: exit %d\n%s", code, &stderr)
	}
}

// published replaces a shop's version, and publishes what a CDEvents tool does.
func (s *stage) published(at *shop.Shop, service, version, previous string, behaviour shop.Behaviour) {
	s.Helper()
	if err := at.Deploy(version, behaviour); err != nil {
		s.Fatal(err)
	}
	event, err := json.Marshal(map[string]any{
		"context": map[string]any{
			"specversion": "0.5.0", "version": "0.5.0", "id": service + "/" + version, "source": "/ci/deploys",
			"type": "dev.cdevents.service.upgraded.0.3.0", "timestamp": time.Now().UTC().Format(time.RFC3339Nano),
		},
		"subject": map[string]any{
			"id": service, "source": "/ci/deploys",
			"content": map[string]any{
				"environment": map[string]any{"id": "production"}, "artifactId": "pkg:oci/" + service + "@sha256%3A0b31?tag=" + version,
			},
		},
	})
	if err != nil {
		s.Fatal(err)
	}
	plain, err := client.Connect(s.NATS)
	if err != nil {
		s.Fatal(err)
	}
	defer plain.Close()
	if err := plain.Publish("dev.cdevents.service.upgraded.0.3.0", event); err != nil {
		s.Fatal(err)
	}
	if err := plain.Flush(); err != nil {
		s.Fatal(err)
	}
}

// outcome waits for the end of the watch of a version.
func (s *stage) outcome(service, version string) (past watcher.PastWatch) {
	s.Helper()
	within(s.T, 90*time.Second, service+" "+version+" is judged", func() bool {
		for _, lane := range s.list() {
			i := slices.IndexFunc(lane.Past, func(p watcher.PastWatch) bool { return p.Version == version })
			if lane.Lane.Service == service && i >= 0 {
				past = lane.Past[i]
				return true
			}
		}
		return false
	})
	return past
}

func (s *stage) expect(service, version string, want watcher.Outcome) {
	s.Helper()
	if past := s.outcome(service, version); past.Outcome != want {
		s.Errorf("%s %s: %s (%s), want %s", service, version, past.Outcome, past.Reason, want)
	}
}

func TestBakewatchAmongAnOperatorsOwnServers(t *testing.T) {
	s := newStage(t)
	s.deploy(s.Exec, "by-exec", "1.1.0", shop.Good)
	s.published(s.Webhook, "by-webhook", "1.1.0", "1.0.0", shop.Good)
	s.expect("by-exec", "1.1.0", watcher.Passed)
	s.expect("by-webhook", "1.1.0", watcher.Passed)

	s.deploy(s.Exec, "by-exec", "1.2.0", shop.Errors)
	s.published(s.Webhook, "by-webhook", "1.2.0", "1.1.0", shop.Errors)
	s.expect("by-exec", "1.2.0", watcher.RolledBack)
	s.expect("by-webhook", "1.2.0", watcher.RolledBack)
	for name, at := range map[string]*shop.Shop{"by-exec": s.Exec, "by-webhook": s.Webhook} {
		if at.Live() != "1.1.0" {
			t.Errorf("%s: %s is live", name, at.Live())
		}
	}
	s.whole()
}

func TestAPrometheusThatIsGoneForAWhileRollsNothingBack(t *testing.T) {
	s := newStage(t)
	s.deploy(s.Exec, "by-exec", "1.1.0", shop.Good)
	s.noted(watcher.Opened, "")
	s.prometheus.end()
	s.noted(watcher.Noted, watcher.WentBlind)
	if !strings.Contains(s.log.String(), string(watcher.WentBlind)) {
		t.Error("nobody was told")
	}
	s.prometheus.start()
	s.noted(watcher.Noted, watcher.SeesAgain)
	s.expect("by-exec", "1.1.0", watcher.Passed)
	if s.Exec.Live() != "1.1.0" {
		t.Errorf("%s is live", s.Exec.Live())
	}
	s.whole()
}

// noted waits for an entry.
func (s *stage) noted(kind watcher.Kind, topic watcher.Topic) {
	s.Helper()
	within(s.T, time.Minute, fmt.Sprintf("%s %s", kind, topic), func() bool {
		return slices.ContainsFunc(s.journaled(), func(e watcher.Entry) bool { return e.Kind == kind && e.Topic == topic })
	})
}

// whole stops the daemon and checks every promise.
func (s *stage) whole() {
	s.Helper()
	lanes := s.list()
	s.daemon.drained()
	conn, err := nats.Dial(s.Context(), nats.Config{URL: s.NATS})
	if err != nil {
		s.Fatal(err)
	}
	defer conn.NATS().Close()
	journal, err := conn.Journal(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	s.audit(conn, journal, watchertest.Record{Lanes: lanes})
}
