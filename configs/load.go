package configs

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// LogChannel is the channel that always exists: the daemon's own log.
const LogChannel = "log"

// Load reads and checks the daemon's file. It is all or nothing: if any of the
// problems is more than a warning, there is no daemon.
func Load(path string, c Catalog) (*Daemon, Problems) {
	file, ok := strict.Read(path)
	if !ok {
		return nil, file.Problems
	}
	d := defaults(path)
	root := file.Root()
	root.Decode(d)
	d.loadParts(root, c)
	known, problems := builtin(c)
	for name, own := range readPresets(root, c) {
		known[name] = own
	}
	d.presets, d.needs = known, file.Needs
	problems = append(file.Problems, problems...).Sorted()
	if problems.Failed() {
		return nil, problems
	}
	return d, problems
}

// defaults returns a daemon's file that says nothing.
func defaults(path string) *Daemon {
	return &Daemon{
		File: path, Cluster: "bakewatch", Defaults: settings(),
		NATS: NATS{Listen: "127.0.0.1:4222"}, HTTP: HTTP{Listen: "127.0.0.1:9595"},
		Prometheus: map[string]Prometheus{},
	}
}

func (d *Daemon) loadParts(root strict.Table, c Catalog) {
	if len(d.Plans) == 0 {
		root.Fail("plans", "plans is required", `write plans = ["plans/**/*.toml"]`)
	}
	checkGlobs(root, d.Plans)
	if !validName(d.Cluster) {
		root.Fail("cluster", "cluster must be a name", nameHint)
	}
	checkSettings(root.Table("defaults").In("defaults"), d.Defaults)
	d.loadNATS(root.Table("nats").In("nats"))
	for name, t := range root.Named("prometheus") {
		d.loadSource(name, t)
	}
	if len(d.Prometheus) == 0 {
		root.Fail("prometheus", "there is no Prometheus to ask", "write [prometheus.main] with url = …, or embedded = true")
	}
	d.loadHTTP(root.Table("http").In("http"), c)
	d.Channels = loadTools(root, "channel", c.Channels, c.LaterChannels, c.every)
	d.addLog(c)
	d.Executors = loadTools(root, "executor", c.Executors, c.LaterExecutors, func() rules.Options { return &noOptions{} })
	d.loadSchedules(root, c)
	d.loadPeople(root)
	d.checkReaches(root.Named("channel"))
	d.loadCalendars(root)
	d.loadPolicies(root)
	d.loadTrust(root.Table("trust").In("trust"))
	if deaf(d.Notify) {
		d.Notify = rules.Notification{Chat: []string{LogChannel}}
	}
	d.checkChannels(root.Table("notify").In("notify"), d.Notify)
	d.checkChannels(root.Table("defaults").Table("notify").In("defaults"), d.Defaults.Notify)
}

// loadTools reads every [channel.NAME] or [executor.NAME]; every makes the options that
// each has besides those of its kind.
func loadTools(root strict.Table, key string, kinds []rules.Kind, later []string, every func() rules.Options) map[string]Tool {
	tools := map[string]Tool{}
	for name, t := range root.Named(key) {
		kind, ok := pick(t, "use", kinds, later)
		if !ok {
			continue
		}
		if name == LogChannel && key == "channel" && kind.Name != LogChannel {
			t.Fail("use", `the channel "log" is Bakewatch's own log`, "choose another name")
		}
		options, common := kind.New(), every()
		t.Later(kind.Later...).Decode(&struct {
			Use string `toml:"use"`
		}{}, options, common)
		t.Blame(options.Check())
		t.Blame(common.Check())
		t.NeedProgram("command")
		t.NeedProgram("live")
		tools[name] = Tool{Kind: kind, Options: options, Common: common}
	}
	return tools
}

func (d *Daemon) loadNATS(t strict.Table) {
	n := &d.NATS
	checkPair(t.Table("tls"), n.TLS)
	if n.Embedded() {
		for _, key := range []string{"creds_file", "nkey_file", "tls", "create_streams", "replicas"} {
			if t.Has(key) {
				t.Fail(key, key+" is for an external cluster", "set url, or remove it")
			}
		}
		if n.Store == "" {
			n.Store = filepath.Join("data", "nats")
		}
		n.Store = t.Path(n.Store)
		checkListen(t, n.Listen)
		checkLocal(t, n.Listen)
		return
	}
	for _, key := range []string{"store", "listen"} {
		if t.Has(key) {
			t.Fail(key, key+" is for the embedded server", "remove it, or remove url")
		}
	}
	if t.Has("replicas") && !slices.Contains([]int{1, 3, 5}, n.Replicas) {
		t.Fail("replicas", "replicas must be 1, 3 or 5", "as many servers of the cluster hold each stream")
	}
	if n.CredsFile != "" && n.NKeyFile != "" {
		t.Fail("nkey_file", "creds_file and nkey_file exclude each other", "keep one of them")
	}
	for server := range strings.SplitSeq(n.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(server))
		if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			t.Fail("url", "url must name servers", `such as "nats://nats-1:4222, nats://nats-2:4222"`)
		}
	}
}

func checkPair(t strict.Table, pair TLS) {
	if (pair.CertFile == "") != (pair.KeyFile == "") {
		t.Fail("", "cert_file and key_file belong together", "set both, or neither")
	}
}

func checkListen(t strict.Table, listen string) {
	if _, port, err := net.SplitHostPort(listen); err != nil || port == "" {
		t.Fail("listen", fmt.Sprintf("listen must be an address with a port, not %q", strict.Shorten(listen)), `such as "127.0.0.1:9595"`)
	}
}

// checkLocal warns of a listener that opens the journal to the network. Its one key
// lets in whoever has it, to write anything, and nothing is encrypted.
func checkLocal(t strict.Table, listen string) {
	host, _, err := net.SplitHostPort(listen)
	if err == nil && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		t.Warn("listen", fmt.Sprintf("listen: %q is reached from other machines, unencrypted, and who has the store's key may write everything", strict.Shorten(listen)),
			`write "127.0.0.1:4222", or run a NATS of your own and set url`)
	}
}

// addLog makes the daemon's own log a channel, whether a file names it or not.
func (d *Daemon) addLog(c Catalog) {
	if _, named := d.Channels[LogChannel]; named {
		return
	}
	for _, kind := range c.Channels {
		if kind.Name == LogChannel {
			d.Channels[LogChannel] = Tool{Kind: kind, Options: kind.New(), Common: c.every()}
		}
	}
}

// checkChannels says which of the channels do not exist.
func (d *Daemon) checkChannels(t strict.Table, n rules.Notification) {
	names := slices.Sorted(maps.Keys(d.Channels))
	if !slices.Contains(names, LogChannel) {
		names = append(names, LogChannel)
	}
	for key, channels := range map[string][]string{"page": n.Page, "chat": n.Chat, "stakeholders": n.Stakeholders} {
		for i, channel := range channels {
			if !slices.Contains(names, channel) {
				t.Fail(fmt.Sprintf("%s.%d", key, i), fmt.Sprintf("%s: there is no [channel.%s] in the daemon's file", key, strict.Shorten(channel)), strict.Guess(channel, names))
			}
		}
	}
}
