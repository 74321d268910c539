package configs

// missing says what the daemon's file names that is not on this machine now. It
// is looked for at every load, since a secret may arrive after the file. Programs
// are looked for only where they will be run.
func (d *Daemon) missing(programs bool) (problems Problems) {
	for _, need := range d.needs {
		if p, missing := need.Missing(); missing && (programs || !need.Program) {
			problems = append(problems, p)
		}
	}
	return problems
}
