package configs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// maxPlan is the most bytes of a resolved plan's JSON: it travels in every
// journal entry that opens a watch.
const maxPlan = 64 << 10

// LoadPlans loads the plans that the daemon's file names. Each stands alone: a
// broken one is only missing from the plans, and Problems names it.
func LoadPlans(d *Daemon, c Catalog) ([]rules.Plan, Problems) {
	w, problems := loadWritten(d, c)
	problems = append(problems, c.unborrowed(w, w.plans)...)
	return d.inForce(w.plans), append(problems, d.missingFiles()...).Sorted()
}

// written are plans as their owners wrote them.
type written struct {
	plans   []rules.Plan
	read    []summaryFile        // the summaries of load tests that were read for them
	weather map[string][]Problem // by Plan.File: where each of the services stands that it borrows
}

// loadWritten loads the plans as their owners wrote them.
func loadWritten(d *Daemon, c Catalog) (written, Problems) {
	files, problems := d.planFiles()
	w, more := checkWritten(files, d, c)
	if !more.Failed() { // else a plan may only be missing because it is broken
		more = append(more, d.missed(w.plans)...)
	}
	return w, append(problems, more...).Sorted()
}

// CheckPlans loads plans by the names of their files. d may be nil: then what
// only the daemon's file says (executors, channels, groups, other plans) is not checked,
// which a warning says.
func CheckPlans(files []string, d *Daemon, c Catalog) ([]rules.Plan, Problems) {
	w, problems := checkWritten(files, d, c)
	if d != nil && slices.ContainsFunc(w.plans, func(p rules.Plan) bool { return len(p.Weather) > 0 }) {
		all, _ := loadWritten(d, c)
		problems = append(problems, c.unborrowed(w, append(slices.Clone(w.plans), all.plans...))...).Sorted()
	}
	return d.inForce(w.plans), problems
}

func checkWritten(files []string, d *Daemon, c Catalog) (written, Problems) {
	presets, problems := builtin(c)
	if d != nil {
		presets = d.presets
	}
	var plans []loaded
	w := written{weather: map[string][]Problem{}}
	for _, file := range files {
		l := &loader{daemon: d, catalog: c, presets: presets}
		if plan, ok := l.load(file); ok {
			plans = append(plans, plan)
			w.weather[plan.plan.File] = plan.weather
		}
		problems, w.read = append(problems, l.problems...), append(w.read, l.read...)
	}
	if d == nil && len(files) > 0 {
		problems = append(problems, Problem{
			File: files[0], Warning: true,
			What: "without a daemon's file that has no errors, the names of executors, groups, channels and Prometheus servers were not checked",
		})
	}
	kept, doubles := distinct(plans)
	w.plans = kept
	return w, append(problems, doubles...).Sorted()
}

// loaded is a plan and where its service stands, and those that it borrows, for problems.
type loaded struct {
	plan    rules.Plan
	path    string
	service Problem
	weather []Problem
}

// distinct drops plans that two files give for the same service and environment.
// Neither can be preferred: the order of names must not decide what guards production.
func distinct(plans []loaded) (kept []rules.Plan, problems Problems) {
	byService := map[string][]loaded{}
	for _, l := range plans {
		byService[l.plan.Service] = append(byService[l.plan.Service], l)
	}
	for _, l := range plans {
		rival := slices.IndexFunc(byService[l.plan.Service], func(o loaded) bool { return o.path != l.path && overlap(l.plan, o.plan) })
		if rival < 0 {
			kept = append(kept, l.plan)
			continue
		}
		other := byService[l.plan.Service][rival]
		p := l.service
		p.What = fmt.Sprintf("service %q has another plan for the same environment in %s", l.plan.Service, other.path)
		p.Hint = "remove one of them, or give each its own environments"
		problems = append(problems, p)
	}
	return kept, problems
}

// overlap says whether two plans of one service are for the same environment.
func overlap(a, b rules.Plan) bool {
	if a.Service != b.Service {
		return false
	}
	return len(a.Environments) == 0 || slices.ContainsFunc(a.Environments, b.Covers) || len(b.Environments) == 0
}

// loader loads one plan.
type loader struct {
	daemon   *Daemon // nil: not known
	catalog  Catalog
	presets  map[string]preset
	problems Problems
	read     []summaryFile

	root      strict.Table
	unsettled bool // the plan's settings are wrong, so that rules cannot be tried in them
	file      planFile
	plan      rules.Plan
}

func (l *loader) load(path string) (loaded, bool) {
	file, ok := strict.Read(path)
	if !ok {
		l.problems = file.Problems
		return loaded{}, false
	}
	l.root = file.Root()
	l.resolve(path)
	l.finish(file)
	l.problems = file.Problems.Sorted()
	all := loaded{plan: l.plan, path: path, service: l.root.Place("service")}
	for i := range l.plan.Weather {
		all.weather = append(all.weather, l.root.Place(fmt.Sprintf("weather.%d", i)))
	}
	return all, !l.problems.Failed()
}

func (l *loader) resolve(path string) {
	l.file = planFile{Settings: settings()}
	if l.daemon != nil {
		l.file.Settings = l.daemon.Defaults.clone()
	}
	if s := &l.file.Select; l.ownWay() {
		s.Version, s.Join, s.Slots = "", nil, nil
	}
	l.root.Decode(&l.file)
	l.settle()
	f := l.file
	l.plan = rules.Plan{
		Service: f.Service, Owner: f.Owner, File: l.daemon.key(path),
		Environments: f.Environments, Tier: f.Tier, Labels: f.Labels,
		Source: f.Source, Settle: rules.Duration(5 * time.Second), Interval: f.Interval,
		Bake: f.Bake, BakeMin: f.BakeMin, RollOut: f.RollOut, BlindFor: f.BlindFor, FalseAlarms: f.FalseAlarms, DependsOn: f.DependsOn, Weather: f.Weather,
		Select: f.Select, Notify: f.Notify,
	}
	l.findSource()
	l.loadRules()
	l.checkWeather()
	l.loadStages()
	l.loadRollbacks()
	l.loadAuthorities()
	if l.daemon != nil {
		l.daemon.equip(&l.plan)
	}
	l.checkReach()
}

// settle fills in what depends on other keys, and checks the plan's own.
func (l *loader) settle() {
	f := &l.file
	for key, value := range map[string]string{"service": f.Service, "owner": f.Owner} {
		if value == "" {
			l.root.Fail(key, key+" is required", "")
		}
	}
	if f.Service != "" && !validName(f.Service) {
		l.root.Fail("service", fmt.Sprintf("service: %q is no name", strict.Shorten(f.Service)), nameHint)
	}
	checkServices(l.root, "depends_on", f.Service, "a service does not depend on itself", f.DependsOn)
	if !l.root.Has("bake_min") {
		f.BakeMin = min(f.BakeMin, f.Bake)
	}
	if !l.root.Has("warm_up") {
		f.WarmUp = min(f.WarmUp, f.Bake/4)
	}
	f.Select = l.findPreset(f.Preset).fill(f.Select)
	before := l.root.Errors()
	checkSettings(l.root, f.Settings)
	l.unsettled = l.root.Errors() > before
	checkTimes(l.root, f.Settings)
}

// ownWay says whether the plan itself says how versions differ; then the
// defaults' way is not mixed with it.
func (l *loader) ownWay() bool {
	own := l.root.Table("select")
	return own.Has("version") || own.Has("join") || own.Has("slots")
}

func (l *loader) findSource() {
	if l.daemon == nil {
		return
	}
	names := slices.Sorted(maps.Keys(l.daemon.Prometheus))
	if l.plan.Source == "" && len(names) == 1 {
		l.plan.Source = names[0]
	}
	source, known := l.daemon.Prometheus[l.plan.Source]
	switch {
	case known:
		l.plan.Settle = source.Settle
	case l.plan.Source == "":
		l.root.Fail("source", "source is required: there are several Prometheus servers", "one of "+strict.Words(names))
	default:
		l.root.Fail("source", fmt.Sprintf("source: there is no [prometheus.%s] in the daemon's file", strict.Shorten(l.plan.Source)), strict.Guess(l.plan.Source, names))
	}
}

// finish makes the plan what the journal will give back, and checks its size.
func (l *loader) finish(file *strict.File) {
	if file.Problems.Failed() {
		return
	}
	text, hash, err := asKept(l.plan)
	if err != nil {
		l.root.Fail("", fmt.Sprintf("the plan cannot be kept: %v", err), "")
		return
	}
	if len(text) > maxPlan {
		l.root.Fail("", fmt.Sprintf("the resolved plan takes %d KiB, more than %d", len(text)>>10, maxPlan>>10), "split it by environment")
		return
	}
	back := rules.Plan{}
	if err := json.Unmarshal(text, &back); err != nil {
		l.root.Fail("", fmt.Sprintf("the plan cannot be kept: %v", err), "")
		return
	}
	back.File, back.Hash = l.plan.File, hash
	l.plan = back
}

// asKept returns what is kept of a plan, its names aside, and the hash of that.
func asKept(p rules.Plan) (text []byte, hash string, err error) {
	p.File, p.Hash = "", ""
	if text, err = json.Marshal(p); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(text)
	return text, hex.EncodeToString(sum[:16]), nil
}
