package course

// State is what is kept of a lane. It is kept as JSON: names of fields stay.
type State struct {
	// Packed are the deliveries (pack). Waiting had them before, and is read only.
	Packed  string    `json:"packed,omitempty"`
	Waiting []Waiting `json:"waiting,omitempty"`
	Behind  int64     `json:"behind"` // -1 for not
	Breaker *Breaker  `json:"breaker,omitempty"`
	HoldMs  int64     `json:"hold,omitempty"`
}

// Waiting is an Item that is kept.
type Waiting struct {
	Offset   int64  `json:"o"`
	PutMs    int64  `json:"p"`
	Key      uint64 `json:"k,omitempty"`
	Attempts int    `json:"n,omitempty"`
	DueMs    int64  `json:"d,omitempty"`
	Group    int64  `json:"g"`
	Code     string `json:"c,omitempty"`
	Why      string `json:"w,omitempty"`
	Spent    string `json:"s,omitempty"`
}

// State tells what is to be kept. Calls under way count as not made.
func (l *Lane) State() State {
	l.compact()
	s := State{Behind: l.Behind, HoldMs: l.HoldMs, Packed: pack(l.Items)}
	if !l.Breaker.Calm() {
		b := l.Breaker
		s.Breaker = &b
	}
	return s
}

// Restore makes the lane of a state: no payload is in memory, and no call under way.
func Restore(s State) (*Lane, error) {
	l := &Lane{Behind: s.Behind, HoldMs: s.HoldMs}
	var err error
	if l.Items, err = unpack(s.Packed); err != nil {
		return nil, err
	}
	if s.Breaker != nil {
		l.Breaker = *s.Breaker
	}
	for _, w := range s.Waiting {
		l.Items = append(l.Items, Item{
			Offset: w.Offset, PutMs: w.PutMs, Key: w.Key, Attempts: w.Attempts, DueMs: w.DueMs, Group: w.Group, Code: w.Code, Why: w.Why, Spent: w.Spent,
		})
	}
	return l, nil
}
