package signing

// Len returns how many ids are remembered.
func (s *Seen) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.now) + len(s.before)
}

// SignAs signs under a given id and time.
func (k Key) SignAs(m Message, id, at string) (map[string][]string, error) { return k.sign(m, id, at) }
