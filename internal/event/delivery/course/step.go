package course

// Call is what begins: one delivery, or those of a batch.
type Call struct {
	Offsets []int64
	// Probe tells a call that tries whether the endpoint is there again.
	Probe bool
}

// Letter is a delivery that was given up.
type Letter struct {
	Item
	// Exhausted is which bound was met; "" where trying again would be no use.
	Exhausted string
}

// Step decides what begins at a moment, of at most room calls, and what is given up.
// Payloads of both are in memory.
func (l *Lane) Step(lim Limits, nowMs int64, room int) (calls []Call, letters []Letter) {
	s := stepping{l: l, lim: lim, nowMs: nowMs, room: room}
	if l.easy(lim, nowMs) {
		for i := 0; i < len(l.Items) && s.open(); i++ { // nothing else is to be decided of what is behind
			s.look(&l.Items[i])
		}
		if l.gone > len(l.Items)/8 {
			l.compact()
		}
		return s.calls, nil
	}
	l.compact()
	for i := range l.Items {
		s.look(&l.Items[i])
	}
	s.flush()
	l.ease.find(l.Items, lim)
	return s.calls, s.letters
}

// stepping is a Step under way.
type stepping struct {
	l       *Lane
	lim     Limits
	nowMs   int64
	room    int
	calls   []Call
	letters []Letter
	batch   []*Item         // fresh ones that may go together
	blocked map[uint64]bool // keys of which an earlier delivery is not finished
}

// look takes up one delivery, in the order of offsets.
func (s *stepping) look(it *Item) {
	if it.flying {
		s.block(it)
		return
	}
	if it.done { // begun in this step, with others of its group
		return
	}
	if s.spend(it) {
		return
	}
	if s.lim.Ordered && s.blocked[it.Key] || it.DueMs > s.nowMs || !it.Loaded || !s.open() {
		s.block(it)
		return
	}
	switch {
	case s.lim.Batch.Size <= 1:
		s.begin([]*Item{it})
	case it.Group >= 0:
		if group := s.group(it); s.free(group) {
			s.begin(group)
		} else {
			s.block(it)
		}
	default:
		if s.batch = append(s.batch, it); len(s.batch) >= s.lim.Batch.Size {
			s.flush()
		}
	}
}

// spend gives a delivery up whose time is over; it tells whether that is so.
func (s *stepping) spend(it *Item) bool {
	if it.Spent == "" {
		switch {
		case s.lim.Disabled:
			it.Spent, it.DueMs = spentFinal, 0
			it.Code, it.Why = CodeDisabled, "the target is disabled"
		case s.nowMs-it.PutMs > s.lim.maxAgeMs():
			it.Spent, it.DueMs = ExhaustedAge, 0
			if it.Why == "" {
				it.Code, it.Why = "NO_RESPONSE", "it could not be tried before it was too old: the target did not answer"
			}
		default:
			return false
		}
	}
	if it.Loaded && it.DueMs <= s.nowMs {
		letter := Letter{Item: *it}
		if it.Spent != spentFinal {
			letter.Exhausted = it.Spent
		}
		s.letters = append(s.letters, letter)
		s.l.end(it)
	}
	return true
}

// open tells whether one more call may begin.
func (s *stepping) open() bool {
	l := s.l
	switch {
	case s.room <= 0, l.flying >= s.lim.concurrency(), l.HoldMs > s.nowMs:
		return false
	case l.Breaker.UntilMs > 0 && (l.probing || l.Breaker.UntilMs > s.nowMs):
		return false
	}
	return s.lim.Rate <= 0 || l.count(s.lim.Rate, s.nowMs) >= 1
}

// begin begins a call; it is asked for when open has said so.
func (s *stepping) begin(items []*Item) {
	l := s.l
	call := Call{Probe: l.Breaker.UntilMs > 0}
	for _, it := range items {
		it.flying = true
		call.Offsets = append(call.Offsets, it.Offset)
		s.block(it)
	}
	l.probing = l.probing || call.Probe
	l.flying++
	s.room--
	if s.lim.Rate > 0 {
		l.tokens--
	}
	s.calls = append(s.calls, call)
}

func (s *stepping) block(it *Item) {
	if !s.lim.Ordered || it.Key == 0 {
		return
	}
	if s.blocked == nil {
		s.blocked = map[uint64]bool{}
	}
	s.blocked[it.Key] = true
}

// count brings the tokens up to date: those of one second are saved at most.
func (l *Lane) count(rate float64, nowMs int64) float64 {
	most := max(1, rate)
	if l.tokensMs == 0 {
		l.tokens = most
	} else if nowMs > l.tokensMs {
		l.tokens = min(most, l.tokens+rate*float64(nowMs-l.tokensMs)/1000)
	}
	l.tokensMs = max(nowMs, 1)
	return l.tokens
}
