package producer

// Last is what a log must keep so that a producer is known again when the log
// is read anew: its last batch, or, when a marker began a new epoch and no
// batch came since, that marker.
type Last struct {
	Offset int64 // of the last record of its last batch, -1 when none is remembered
	Epoch  int16
}

// Lasts gives the last batch of each producer.
func (s *State) Lasts() map[int64]Last {
	out := make(map[int64]Last, len(s.producers))
	for id, e := range s.producers {
		out[id] = Last{Offset: e.last().lastOffset, Epoch: e.epoch}
	}
	return out
}
