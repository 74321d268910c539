package compare

import (
	"github.com/bakewatch/bakewatch/rules/eprocess"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// beyond keeps how many events were counted beyond the total that they are meant to be
// a share of. A few are chance: a use may be counted a look after its session.
type beyond struct{ over, total float64 }

const (
	// farBeyond is the share of the total from which on it is no chance any more.
	farBeyond = 0.05
	// fewestTotal is how many events it is judged on.
	fewestTotal = 100
)

// counts returns the counts of a look as a share.
func (b *beyond) counts(look threshold.Look) (eprocess.Counts, error) {
	counts, err := countsOf(look)
	if err == nil {
		b.over += max(0, look.Bad-look.Total)
		b.total += look.Total
	}
	return counts, err
}

// far says that what is counted is no share of the total.
func (b *beyond) far() bool { return b.total >= fewestTotal && b.over > farBeyond*b.total }
