package course

import (
	"maps"
	"slices"
	"strings"

	"ottla/internal/event/plan"
)

// Never is a From that no event reaches: the target is not in the pass.
const Never = int64(1<<63 - 1)

// Table tells for each rule of a source, by its index, and each of the rule's targets,
// from which offset on the pass gives it events.
type Table [][]int64

// Taken is what a source means for a runner.
type Taken struct {
	Table Table
	// Notes are to be written with the pass's next turn.
	Notes []Note
	// Run are branches that are to run, Hold those whose rules are paused, and End
	// those whose targets are gone.
	Run, Hold, End []Name
}

// Take takes a source up: s becomes what is known then. ill are targets that failed in
// the pass, with why: they leave it. end is where the log ends that has no Main yet and
// no rule that says where it begins.
func (s *State) Take(seat Seat, src *plan.Source, topic string, ill map[string]string, nowMs, end int64) Taken {
	t := taking{s: s, seat: seat, src: src, nowMs: nowMs, keep: map[string]bool{}}
	t.before = s.standing(src, topic, ill)
	t.begin(topic, end)
	for i, r := range src.Rules {
		if !t.stands(i) {
			t.rule(r, ill)
		}
	}
	for _, r := range src.Replays {
		if r.Only != nil {
			for _, g := range r.Only.Targets {
				t.keep[g.Key] = true
			}
		}
	}
	t.forget()
	t.out.Table = make(Table, len(src.Rules))
	for i, r := range src.Rules {
		if t.stands(i) {
			t.out.Table[i] = s.last.table[i]
		} else {
			t.out.Table[i] = t.row(r)
		}
	}
	s.last = last{src.Rules, t.out.Table}
	return t.out
}

// last are the rules that were taken up last, and their rows.
type last struct {
	rules []*plan.Rule
	table Table
}

// standing are the rules of which nothing need be looked at where they are in their
// place again: what is taken up costs what has changed, however many rules there are. It
// is nil where something else may have changed than rules.
func (s *State) standing(src *plan.Source, topic string, ill map[string]string) []*plan.Rule {
	if s.Main == nil || topic != "" && s.Main.Topic != topic || len(ill)+len(s.Branches) > 0 {
		return nil
	}
	return s.last.rules[:min(len(s.last.rules), len(src.Rules))]
}

type taking struct {
	s     *State
	seat  Seat
	src   *plan.Source
	nowMs int64
	out   Taken
	keep  map[string]bool // keys of targets that are there
	// before are rules that were taken up last; of those that are in the same place
	// nothing has changed.
	before []*plan.Rule
}

// stands tells whether nothing has changed of a rule.
func (t *taking) stands(i int) bool { return i < len(t.before) && t.before[i] == t.src.Rules[i] }

func (t *taking) note(key string, value any) { t.out.Notes = append(t.out.Notes, Note{key, value}) }

// From is where something holds in a partition.
func From(of []int64, partition int32) int64 {
	if int(partition) < len(of) {
		return of[partition]
	}
	return 0
}

// begin finds the cursor of the pass. Without one, and where nothing is in it, it is
// where the first target begins.
func (t *taking) begin(topic string, end int64) {
	s := t.s
	if s.Main != nil && topic != "" && s.Main.Topic != "" && s.Main.Topic != topic {
		// The topic was made anew: what was known of its offsets is void.
		s.Main = &Main{Topic: topic}
		for key, r := range s.Rules {
			r.Targets = maps.Clone(r.Targets)
			for id := range r.Targets {
				r.Targets[id] = 0
			}
			s.Rules[key] = r
			t.note(t.seat.RuleKey(key), r)
		}
		for n, b := range s.Branches {
			if n.Replay == "" {
				b.At = 0
				s.Branches[n] = b
				t.note(t.seat.BranchKey(n), b)
			}
		}
		t.note(t.seat.Key(), *s.Main)
	}
	first, known := Never, false
	for i, r := range t.src.Rules {
		if t.stands(i) && len(r.Targets) > 0 {
			known = true
			break
		}
		was, ok := s.Rules[r.Ref.Key()]
		for _, g := range r.Targets {
			if _, ok2 := was.Targets[g.ID]; ok && was.ID == r.ID && ok2 {
				known = true
			}
			first = min(first, max(From(g.From, t.seat.Partition), From(r.From, t.seat.Partition)))
		}
	}
	if first == Never {
		first = end
	}
	switch {
	case s.Main == nil:
		s.Main = &Main{At: first, Topic: topic}
		t.note(t.seat.Key(), *s.Main)
	case !known && first > s.Main.At && len(t.src.Rules) > 0:
		s.Main.At = first // nothing was in the pass
	}
	if s.Main.Topic == "" {
		s.Main.Topic = topic
	}
}

// rule takes one rule up.
func (t *taking) rule(r *plan.Rule, ill map[string]string) {
	key := r.Ref.Key()
	was, ok := t.s.Rules[key]
	same := ok && was.ID == r.ID
	changed := !same || was.Version != r.Version
	now := Rule{ID: r.ID, Version: r.Version, Targets: make(map[string]int64, len(r.Targets))}
	for _, g := range r.Targets {
		t.keep[g.Key] = true
		from, known := was.Targets[g.ID]
		if !same || !known {
			from = max(From(g.From, t.seat.Partition), From(r.From, t.seat.Partition))
			known, changed = false, true
		}
		now.Targets[g.ID] = from
		t.target(r, g, known, from, ill)
	}
	if changed || len(now.Targets) != len(was.Targets) {
		t.s.Rules[key] = now
		t.note(t.seat.RuleKey(key), now)
	}
}

// target finds out where a target is.
func (t *taking) target(r *plan.Rule, g *plan.Target, known bool, from int64, ill map[string]string) {
	n := Name{Target: g.Key}
	b, away := t.s.Branches[n]
	why, failed := ill[g.Key]
	switch at := t.s.Main.At; {
	case away:
	case !known && from < at:
		b, away = Branch{At: from}, true // it is owed what lies between
	case failed:
		b, away = Branch{At: at, SinceMs: t.nowMs, Attempts: 1, Why: why}, true
	case r.Paused:
		b, away = Branch{At: at}, true
	}
	if !away {
		return
	}
	if old, was := t.s.Branches[n]; !was || old != b {
		t.s.Branches[n] = b
		t.note(t.seat.BranchKey(n), b)
	}
	if r.Paused {
		t.out.Hold = append(t.out.Hold, n)
	} else {
		t.out.Run = append(t.out.Run, n)
	}
}

// forget takes back what is of rules, targets and replays that are gone.
func (t *taking) forget() {
	if len(t.s.Rules) > len(t.src.Rules) { // all that are there were noted
		rules := map[string]bool{}
		for _, r := range t.src.Rules {
			rules[r.Ref.Key()] = true
		}
		for _, key := range slices.Sorted(maps.Keys(t.s.Rules)) {
			if !rules[key] {
				delete(t.s.Rules, key)
				t.note(t.seat.RuleKey(key), nil)
			}
		}
	}
	replays := map[string]bool{}
	for _, r := range t.src.Replays {
		if !r.Cancelled {
			replays[r.ID] = true
		}
	}
	for _, n := range sortedNames(t.s.Branches) {
		switch {
		case t.keep[n.Target] && n.Replay == "":
		case t.keep[n.Target] && replays[n.Replay]:
			if !t.s.Branches[n].Over() {
				t.out.Run = append(t.out.Run, n)
			}
		default:
			delete(t.s.Branches, n)
			t.note(t.seat.BranchKey(n), nil)
			t.out.End = append(t.out.End, n)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(t.s.Replays)) {
		if !replays[id] {
			delete(t.s.Replays, id)
			t.note(t.seat.ReplayKey(id), nil)
		}
	}
}

func sortedNames(of map[Name]Branch) []Name {
	return slices.SortedFunc(maps.Keys(of), func(a, b Name) int {
		if c := strings.Compare(a.Replay, b.Replay); c != 0 {
			return c
		}
		return strings.Compare(a.Target, b.Target)
	})
}

// row is a rule's row in the table.
func (t *taking) row(r *plan.Rule) []int64 {
	out := make([]int64, len(r.Targets))
	known := t.s.Rules[r.Ref.Key()].Targets
	for i, g := range r.Targets {
		if out[i] = known[g.ID]; r.Paused {
			out[i] = Never
		}
		if _, away := t.s.Branches[Name{Target: g.Key}]; away {
			out[i] = Never
		}
	}
	return out
}

// Rejoin takes a live branch back into the pass, whose cursor it has reached.
func (s *State) Rejoin(seat Seat, n Name) Note {
	delete(s.Branches, n)
	return Note{seat.BranchKey(n), nil}
}
