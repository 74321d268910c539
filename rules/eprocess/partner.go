package eprocess

// partner is a control beside the version that it must be better than.
type partner struct {
	*Versus         // bets that it is not
	proof   *lead   // bets that it is
	effect  *Versus // what would be seen of no change in this traffic
	// Of the looks at which both are known.
	version, control Counts
}

func newPartner(s Setup, version, control Model) *partner {
	p := &partner{Versus: NewVersus(version, control, s.Bets), effect: NewVersus(version, control, s.Bets)}
	p.effect.own, p.untold = nil, !s.Known
	p.asked, p.effect.asked = &asked{s.Better, 1}, &asked{s.Better, 1}
	p.proof = &lead{model: version, asked: asked{s.Better, 1}}
	return p
}

// expect folds one look for all but the bets themselves, which the judge folds.
func (p *partner) expect(version, control Counts) {
	if !version.Known() || !control.Known() {
		p.effect.See(version, control)
		return
	}
	p.proof.See(version, control, p.control)
	p.version, p.control = p.version.plus(version), p.control.plus(control)
	share := p.control.share()
	p.effect.See(Counts{version.Total, version.Total * share}, Counts{control.Total, control.Total * share})
}

// thin says that the control has so little traffic beside the version that not even no
// change at all would show, up to now.
func (p *partner) thin() bool {
	return p.control.Total < thinShare*p.version.Total && p.effect.Wealth() < enoughAgainst && p.Wealth() < enoughAgainst
}

// short says that the version is not as much better in all.
func (p *partner) short() bool {
	return p.version.Total > 0 && p.model.timesWorse(p.version.share(), p.asked.better(p.control.share())) > 1
}

// standing is what the control shows, by the onset that the detector sees.
func (p *partner) standing(d *Detector) Beside {
	b := Beside{Seen: p.Seen(), Wealth: p.Wealth(), Speaks: p.Speaks(d), Shared: p.Suffers()}
	switch {
	case !b.Speaks:
	case !p.model.reachable(p.asked.better(p.control.share())):
		b.Speaks, b.Beyond = false, true
	case p.thin():
		b.Speaks, b.Thin = false, true
	}
	return b
}

// lead bets that the version is as much better than a control as is asked, and as much
// again: the ratio test of Well, on how the events are split.
type lead struct {
	model        Model
	asked        asked
	block, other Counts
	filled       int
	proof
}

// enoughToLead is how many events of a control tell how good it is. Points asked of one
// that had fewer could be any number of times better.
const enoughToLead = 30

// See folds one look at both arms, both of them known. Seen is what was seen of the
// control before it.
func (l *lead) See(version, control, seen Counts) {
	if seen.Bad < enoughToLead {
		return
	}
	if l.filled == 0 || l.filled >= max(1, l.model.Block) {
		l.block, l.other, l.filled, l.before = Counts{}, Counts{}, 0, 0
		l.asked.most(l.model, seen)
	}
	l.filled++
	l.block, l.other = l.block.plus(version), l.other.plus(control)
	if l.block.Total == 0 || l.other.Total == 0 {
		return
	}
	events := Counts{Bad: l.block.Bad, Total: l.block.Bad + l.other.Bad}
	split := func(better float64) float64 { return l.model.split(1/better, l.block, l.other) }
	l.add(logRatio(events, split(l.asked.factor*l.asked.factor), split(l.asked.factor), precision(events.Total, l.model.Dispersion)))
}
