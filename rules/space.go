package rules

// Spatial is a rule, or evidence, that can say where a breach is: in which instances.
// It is asked only when the rule is about to breach.
type Spatial interface {
	// Instances returns what to ask for the counts of every instance over the span
	// before the look; none: versions, or instances, cannot be told apart.
	Instances(d Deployment, span Duration) []Query
	// ReadInstances reads the results of Instances. The error is a *SampleError.
	ReadInstances(got []Result) (Space, error)
}

// Space is where bad events are: in the instances of the new version, and in all
// others of the service.
type Space struct {
	New  []Instance `json:"new,omitempty"`
	Rest []Instance `json:"rest,omitempty"`
}

// Instance is what one instance has counted.
type Instance struct {
	Name  string  `json:"name"`
	Bad   float64 `json:"bad"`
	Total float64 `json:"total"`
}

// InstanceCounts is how one implements Spatial; the zero value cannot tell
// instances apart.
type InstanceCounts struct {
	Ask  func(d Deployment, span Duration) []Query
	Read func(got []Result) (Space, error)
}

// Instances is that of Spatial.
func (c InstanceCounts) Instances(d Deployment, span Duration) []Query {
	if c.Ask == nil || c.Read == nil {
		return nil
	}
	return c.Ask(d, span)
}

// ReadInstances is that of Spatial. A result with an error is never taken for an empty one.
func (c InstanceCounts) ReadInstances(got []Result) (Space, error) {
	for _, result := range got {
		if result.Err != nil {
			return Space{}, result.Err
		}
	}
	if c.Read == nil {
		return Space{}, nil
	}
	return c.Read(got)
}
