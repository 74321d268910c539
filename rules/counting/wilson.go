package counting

import "math"

// Wilson returns the 95 % score interval of a share of which hits of n were seen
// (Wilson 1927); 0 to 1 where n is 0.
func Wilson(hits, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959964
	p, m := float64(hits)/float64(n), float64(n)
	middle := p + z*z/(2*m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	whole := 1 + z*z/m
	return max(0, (middle-half)/whole), min(1, (middle+half)/whole)
}
