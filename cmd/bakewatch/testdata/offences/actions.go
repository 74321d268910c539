// Read by a test as if it stood in actions/: a Grant that no journal has acknowledged.
package actions

func filling() (g Grant) {
	g.seq = 1
	return g
}

func pointing(g *Grant) *uint64 { return &g.seq }
