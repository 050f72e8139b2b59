package beside

// mostOthers is how many cores others may take during a pair.
const mostOthers = 0.5

// Pair is one run of each.
type Pair struct{ Other, Ours Outcome }

// busy tells that the machine did too much else.
func (p Pair) busy() bool { return max(p.Other.Others, p.Ours.Others) > mostOthers }

// Gathered is what came of a measure.
type Gathered struct {
	Pairs  []Pair
	Thrown int
}

// Run is a run of one side; n counts the pairs, those that are thrown away too.
type Run func(n int) (Outcome, error)

// Alternate measures pairs, the other first, until there are enough. Those
// during which others took more than half a core are thrown away, as many as are
// wanted at most, unless keepBusy.
func Alternate(pairs int, keepBusy bool, other, ours Run) (Gathered, error) {
	var g Gathered
	for n := 0; len(g.Pairs) < pairs && g.Thrown <= pairs; n++ {
		var p Pair
		var err error
		if p.Other, err = other(n); err != nil {
			return g, err
		}
		if p.Ours, err = ours(n); err != nil {
			return g, err
		}
		if p.busy() && !keepBusy {
			g.Thrown++
			continue
		}
		g.Pairs = append(g.Pairs, p)
	}
	return g, nil
}
