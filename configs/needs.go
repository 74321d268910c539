package configs

import "github.com/bakewatch/bakewatch/configs/internal/strict"

// Missing says, as warnings with their place, what the daemon's file names that is
// not on this machine now: files, variables, programs. It is looked for at every
// load, since a secret may arrive after the file.
func (d *Daemon) Missing() Problems { return lacking(d.needs) }

// missingFiles leaves programs out: a machine that only checks need not have them.
func (d *Daemon) missingFiles() Problems {
	var files []strict.Need
	for _, need := range d.needs {
		if !need.Program {
			files = append(files, need)
		}
	}
	return lacking(files)
}

func lacking(needs []strict.Need) (problems Problems) {
	for _, need := range needs {
		if p, missing := need.Missing(); missing {
			problems = append(problems, p)
		}
	}
	return problems
}
