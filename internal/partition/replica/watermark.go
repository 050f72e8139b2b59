package replica

// Appended tells the new log end after a write.
func (s *State) Appended(end int64) {
	if end > s.end {
		s.end = end
		s.advance()
	}
}

// Durable tells that everything below offset is synced here. It may come
// before Appended has told of it.
func (s *State) Durable(offset int64) {
	if offset <= s.durable {
		return
	}
	s.durable = offset
	s.end = max(s.end, offset)
	s.advance()
}

// Started tells a higher log start offset: records were deleted.
func (s *State) Started(offset int64) {
	if offset <= s.start {
		return
	}
	s.start = offset
	s.high = max(s.high, offset)
}

// Truncated tells a lower log end: a follower has cut off what its leader does
// not have. What was committed is not among it unless an unclean election gave
// it up.
func (s *State) Truncated(end int64) {
	if end >= s.end {
		return
	}
	s.end = end
	s.durable = min(s.durable, end)
	s.high = min(s.high, end)
}

// Emptied tells that a follower's log begins again, without a record, at offset:
// its leader has nothing left where it stood.
func (s *State) Emptied(offset int64) {
	s.start, s.end, s.durable, s.high = offset, offset, offset, offset
	s.txns = Txns{}
}

// LeaderHigh is the high watermark that a follower learns from its leader.
func (s *State) LeaderHigh(high int64) {
	if s.role == Follower {
		s.high = max(s.high, min(high, s.end))
	}
}

// kept is the offset below which this replica alone counts records as kept.
func (s *State) kept() int64 {
	if s.rules.Synced {
		return s.durable
	}
	return s.end
}

// counted is the same of a follower, or unknown.
func (s *State) counted(f *follower) int64 {
	if s.rules.Synced {
		return f.synced
	}
	return f.appended
}

// advance moves a leader's high watermark up to what every member of the
// maximal ISR has. It stands still while the ISR is smaller than
// min.insync.replicas (KIP-966): fewer copies than that were promised.
func (s *State) advance() {
	if s.role != Leader || len(s.isr) < s.effectiveMin() {
		return
	}
	high := s.kept()
	for i := range s.followers {
		if f := &s.followers[i]; s.InSync(f.id) {
			high = min(high, s.counted(f))
		}
	}
	s.high = max(s.high, high)
}
