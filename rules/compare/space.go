package compare

import "github.com/bakewatch/bakewatch/rules"

var (
	_ rules.Spatial = (*evidence)(nil)
	_ rules.Dated   = (*evidence)(nil)
)

// Instances implements rules.Spatial.
func (e *evidence) Instances(d rules.Deployment, span rules.Duration) []rules.Query {
	return e.space().Instances(d, span)
}

// ReadInstances implements rules.Spatial.
func (e *evidence) ReadInstances(got []rules.Result) (rules.Space, error) {
	return e.space().ReadInstances(got)
}

func (e *evidence) space() rules.InstanceCounts {
	if e.Space == nil || e.unmarked() || e.improves() { // where all are as before, none is apart
		return rules.InstanceCounts{}
	}
	return e.Space(e.mark)
}
