package configs

import (
	"context"
	"fmt"
	"slices"

	"github.com/bakewatch/bakewatch/rules"
)

// LastGood keeps each plan file's last good version, also across restarts.
type LastGood interface {
	// Put keeps the plan under its File.
	Put(ctx context.Context, p rules.Plan) error
	// Get returns what was last kept for the file; ok is false if nothing was.
	Get(ctx context.Context, file string) (p rules.Plan, ok bool, err error)
}

// Set is what is in force after a load.
type Set struct {
	Daemon *Daemon
	Plans  []rules.Plan // fresh ones, and last good versions of broken files
	// Stale are the files, as in Plan.File, whose last good version is in force.
	Stale    []string
	Problems Problems

	written []rules.Plan // Plans, before the daemon's own shadow
	read    []summaryFile
	catalog Catalog
}

// Plan returns the plan for a service in an environment, with what its rules borrow from
// the others in force.
func (s Set) Plan(service, environment string) (rules.Plan, bool) {
	for _, p := range s.Plans {
		if p.Service == service && p.Covers(environment) {
			return s.catalog.borrow(p, environment, s.Plans), true
		}
	}
	return rules.Plan{}, false
}

// ProblemsOf returns what was found in one plan's file, as in Plan.File: its owner
// has nothing to do with what is wrong in other files, also the daemon's.
func (s Set) ProblemsOf(file string) (own Problems) {
	for _, p := range s.Problems {
		if s.Daemon.key(p.File) == file {
			own = append(own, p)
		}
	}
	return own
}

// LoadSet loads all plans and puts the last good version in the place of every
// broken one. previous is what was in force before (the zero Set at start); a
// broken file that is not in it is looked for in kept, which may be nil. Fresh
// plans are kept for the next time.
func LoadSet(ctx context.Context, d *Daemon, c Catalog, previous Set, kept LastGood) Set {
	w, problems := loadWritten(d, c)
	plans := w.plans
	if previous.written != nil {
		previous.Plans = previous.written // what is kept must not stay shadowed when the daemon no longer is
	}
	set := Set{Daemon: d, Plans: plans, Problems: append(problems, d.Missing()...), read: w.read, catalog: c}
	for _, file := range brokenFiles(d, plans, problems) {
		p, ok, err := lastGood(ctx, file, previous, kept)
		switch {
		case err != nil:
			set.note(d, file, fmt.Sprintf("its last good version could not be read: %v", err))
		case !ok:
			set.note(d, file, "there is no earlier good version: its service is not watched")
		default:
			set.adopt(d, c, p)
		}
	}
	if kept != nil {
		set.keep(ctx, d, previous, plans, kept)
	}
	set.Problems = append(set.Problems, c.unborrowed(w, set.Plans)...).Sorted()
	set.written, set.Plans = set.Plans, d.inForce(set.Plans)
	return set
}

// brokenFiles lists the plans' files, as in Plan.File, that gave no plan.
func brokenFiles(d *Daemon, plans []rules.Plan, problems Problems) []string {
	files, _ := d.planFiles()
	var broken []string
	for _, path := range files {
		file := d.key(path)
		loaded := slices.ContainsFunc(plans, func(p rules.Plan) bool { return p.File == file })
		named := slices.ContainsFunc(problems, func(p Problem) bool { return p.File == path && !p.Warning })
		if named && !loaded {
			broken = append(broken, file)
		}
	}
	return broken
}

func lastGood(ctx context.Context, file string, previous Set, kept LastGood) (rules.Plan, bool, error) {
	for _, p := range previous.Plans {
		if p.File == file {
			return p, true, nil
		}
	}
	if kept == nil {
		return rules.Plan{}, false, nil
	}
	return kept.Get(ctx, file)
}

// adopt takes a last good version, unless it no longer fits what is around it.
func (s *Set) adopt(d *Daemon, c Catalog, p rules.Plan) {
	if why := unfit(d, c, p); why != "" {
		s.note(d, p.File, "its last good version is of no use any more: "+why)
		return
	}
	for _, other := range s.Plans {
		if overlap(p, other) {
			s.note(d, p.File, fmt.Sprintf("its last good version has given way to %s, which is for the same service", other.File))
			return
		}
	}
	d.equip(&p) // its owner's words are old, but not those of the daemon's file
	if _, hash, err := asKept(p); err == nil {
		p.Hash = hash
	}
	s.Plans = append(s.Plans, p)
	s.Stale = append(s.Stale, p.File)
	s.note(d, p.File, "its last good version stays in force")
}

// unfit says why a plan that was good once cannot be used with this daemon's file.
func unfit(d *Daemon, c Catalog, p rules.Plan) string {
	if _, known := d.Prometheus[p.Source]; !known {
		return fmt.Sprintf("there is no [prometheus.%s]", p.Source)
	}
	for _, r := range p.Rollbacks {
		for _, executor := range []string{r.Use, r.Otherwise} {
			if _, known := d.Executors[executor]; !known && executor != "" {
				return fmt.Sprintf("there is no [executor.%s]", executor)
			}
		}
	}
	if missing := d.unnamed(p); missing != "" {
		return "there is no " + missing
	}
	for _, channel := range slices.Concat(p.Notify.Page, p.Notify.Chat, p.Notify.Stakeholders) {
		if _, known := d.Channels[channel]; !known && channel != LogChannel {
			return fmt.Sprintf("there is no [channel.%s]", channel)
		}
	}
	alone := slices.ContainsFunc(p.Authorities, func(a rules.Authority) bool { return a.Decide > rules.Ask })
	if alone && d.open() {
		return "it decides auto or veto on an external NATS whose messages are not signed"
	}
	if c.Build == nil {
		return ""
	}
	if _, err := c.Build(p); err != nil {
		return err.Error()
	}
	return ""
}

// unnamed says which group or calendar of the plan is not in the daemon's file any more.
func (d *Daemon) unnamed(p rules.Plan) string {
	p.Policies = nil // those are the daemon's own
	for _, group := range groupsOf(p) {
		if _, known := d.Groups[group]; !known {
			return fmt.Sprintf("[group.%s]", group)
		}
	}
	for _, calendar := range calendarsOf(p) {
		if _, known := d.Calendars[calendar]; !known {
			return fmt.Sprintf("[calendar.%s]", calendar)
		}
	}
	return ""
}

func (s *Set) note(d *Daemon, file, what string) {
	s.Problems = append(s.Problems, Problem{File: d.path(file), What: what, Warning: true})
}

// keep hands every plan that is new to the port.
func (s *Set) keep(ctx context.Context, d *Daemon, previous Set, fresh []rules.Plan, kept LastGood) {
	for _, p := range fresh {
		same := slices.ContainsFunc(previous.Plans, func(o rules.Plan) bool { return o.File == p.File && o.Hash == p.Hash })
		if same && !slices.Contains(previous.Stale, p.File) {
			continue
		}
		if err := kept.Put(ctx, p); err != nil {
			s.note(d, p.File, fmt.Sprintf("cannot be kept as the last good version: %v", err))
		}
	}
}
