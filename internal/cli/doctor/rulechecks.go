package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ottla/internal/event/bus"
	"ottla/internal/event/lookback"
	"ottla/internal/event/name"
	"ottla/internal/gateway/rest"
)

// eachReviewed calls a function for each rule of which it is known what it made of the
// last events, in the order of rules; those of archives aside.
func (f *Facts) eachReviewed(do func(r *rest.Rule, review *lookback.Review, x *lookback.Reviewed)) {
	for i := range f.Rules.Rules {
		r := &f.Rules.Rules[i]
		review, known := f.Rules.Reviews[r.Bus]
		if !known || r.ManagedBy != "" || review.Read == 0 {
			continue
		}
		for k := range review.Rules {
			if review.Rules[k].Name == r.Name {
				do(r, &review, &review.Rules[k])
			}
		}
	}
}

// neverMatched looks for rules that took none of the last events of their bus.
func neverMatched(f *Facts) []Finding {
	if none := f.noRules(); none != nil {
		return none
	}
	var found []Finding
	n := 0
	f.eachReviewed(func(r *rest.Rule, review *lookback.Review, x *lookback.Reviewed) {
		if n++; x.Matched > 0 || r.Pattern == "" {
			return
		}
		found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("rule %s/%s takes none of the last %d events of its bus%s", r.Bus, r.Name, review.Read, sinceOf(review)),
			Fix: "ottla event tail " + r.Bus + " --from -1 --exit shows an event; ottla rule explain " + r.Name + ofBus(r.Bus) + " --event - says which field does not fit"})
	})
	return f.told(found, well("%d rules took events", n))
}

// unseenFields looks for fields that rules ask for and no event has.
func unseenFields(f *Facts) []Finding {
	if none := f.noRules(); none != nil {
		return none
	}
	var found []Finding
	f.eachReviewed(func(r *rest.Rule, review *lookback.Review, x *lookback.Reviewed) {
		if len(x.Unseen) > 0 {
			found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("rule %s/%s asks for %s, which none of the last %d events has%s", r.Bus, r.Name, few(x.Unseen), review.Read, sinceOf(review)),
				Fix: "look for a slip: ottla event tail " + r.Bus + " --from -1 --exit shows what an event has"})
		}
	})
	return f.told(found, well("all that rules ask for is in events"))
}

// forward is a rule that sends events of a bus to another.
type forward struct{ to, rule string }

// rounds looks for buses that send events round.
func rounds(f *Facts) []Finding {
	if none := f.noRules(); none != nil {
		return none
	}
	next := map[string][]forward{}
	for i := range f.Rules.Rules {
		r := &f.Rules.Rules[i]
		for k := range r.Targets {
			if to := busOf(r.Targets[k].To); to != "" && !r.Disabled {
				next[r.Bus] = append(next[r.Bus], forward{to, r.Bus + "/" + r.Name})
			}
		}
	}
	var found []Finding
	done := map[string]bool{}
	for _, b := range slices.Sorted(maps.Keys(next)) {
		path := round(next, b, done)
		if done[b] = true; path == nil {
			continue
		}
		buses, rules := []string{b}, []string{}
		for _, step := range path {
			buses, rules = append(buses, step.to), append(rules, step.rule)
		}
		found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("events that fit all of the rules %s go round: %s", few(rules), strings.Join(buses, " -> ")),
			Fix: "an event goes over 16 buses at most and is given up then: have one of the patterns leave out what came from the other bus, or ottla rule disable one"})
	}
	return f.told(found, well("none goes round"))
}

// round is a shortest way from a bus to itself that leads over none that is done.
func round(next map[string][]forward, begin string, done map[string]bool) []forward {
	ways := [][]forward{nil}
	seen := map[string]bool{}
	for len(ways) > 0 {
		way := ways[0]
		ways = ways[1:]
		at := begin
		if len(way) > 0 {
			at = way[len(way)-1].to
		}
		for _, step := range next[at] {
			longer := append(slices.Clone(way), step)
			if step.to == begin {
				return longer
			}
			if !seen[step.to] && !done[step.to] {
				seen[step.to] = true
				ways = append(ways, longer)
			}
		}
	}
	return nil
}

// busOf is the bus that a target is, by its name; "" where it is none, or of another
// place.
func busOf(to string) string {
	called, _ := strings.CutPrefix(to, "bus:")
	if strings.HasPrefix(called, "arn:") {
		if ref, err := name.ParseARN(called); err == nil && ref.Kind == name.Bus && ref.Home() {
			return ref.Name
		}
		return ""
	}
	if called == to {
		return ""
	}
	return called
}

// withoutLetters looks for targets whose events vanish when they are given up.
func withoutLetters(f *Facts) []Finding {
	if none := f.noRules(); none != nil {
		return none
	}
	letters := map[string]string{}
	for _, b := range f.Rules.Buses {
		letters[b.Name] = b.DeadLetters
	}
	var found []Finding
	n := 0
	for i := range f.Rules.Rules {
		r := &f.Rules.Rules[i]
		for k := range r.Targets {
			t := &r.Targets[k]
			n++
			if t.DeadLetters != "" || letters[r.Bus] != "" || r.ManagedBy != "" {
				continue
			}
			found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("target %s of rule %s/%s has no dead letters, and its bus has none: what %s does not take is dropped", t.ID, r.Bus, r.Name, t.To),
				Fix: "ottla bus alter " + r.Bus + " --dead-letters QUEUE for all of the bus, or ottla target set " + r.Name + " " + t.ID + ofBus(r.Bus) + " --dead-letters QUEUE"})
		}
	}
	return f.told(found, well("%d targets", n))
}

// mostLag is from when on a target that is behind is worth a word.
const mostLag = time.Minute

// targets looks for targets that fail, are behind, or are disabled.
func targets(f *Facts) []Finding {
	if none := f.noRules(); none != nil {
		return none
	}
	var found []Finding
	n := 0
	for i := range f.Rules.Rules {
		r := &f.Rules.Rules[i]
		for k := range r.Targets {
			n++
			if x, ill := f.target(r, &r.Targets[k]); ill {
				found = append(found, x)
			}
		}
	}
	return f.told(found, well("%d targets get their events", n))
}

// target judges one target.
func (f *Facts) target(r *rest.Rule, t *rest.Target) (Finding, bool) {
	called := fmt.Sprintf("target %s (%s) of rule %s/%s", t.ID, t.To, r.Bus, r.Name)
	describe := "ottla rule describe " + r.Name + ofBus(r.Bus)
	if t.Disabled != "" {
		return Finding{Status: Warn, Evidence: called + " is disabled: " + t.Disabled, Fix: "ottla target set " + r.Name + " " + t.ID + ofBus(r.Bus) + " --to " + t.To + " sets it free when the address is well"}, true
	}
	if s := t.Stands; s != nil && !r.Disabled && !r.Paused {
		lag := time.Duration(s.LagMs) * time.Millisecond
		switch {
		case s.State == bus.StandsFailing:
			return Finding{Status: Fail, Evidence: fmt.Sprintf("%s fails, and %d events wait for it: %s", called, s.Behind, s.LastError), Fix: describe + " shows when it goes on"}, true
		case s.Behind > 0 && (s.State == bus.StandsBehind || lag >= mostLag):
			return Finding{Status: Warn, Evidence: fmt.Sprintf("%s is %d events behind%s", called, s.Behind, waited(lag)), Fix: describe + " shows whether it catches up"}, true
		case s.Dropped > 0:
			return Finding{Status: Warn, Evidence: fmt.Sprintf("%s was given %d events that are dropped, at the node that was asked: %s", called, s.Dropped, s.LastError), Fix: "give it dead letters: ottla target set " + r.Name + " " + t.ID + ofBus(r.Bus) + " --dead-letters QUEUE"}, true
		}
	}
	for _, x := range f.Rules.Reviews[r.Bus].Rules {
		at := slices.IndexFunc(x.Calls, func(c lookback.Calls) bool { return x.Name == r.Name && c.Target == t.ID && c.Failed > 0 })
		if at < 0 {
			continue
		}
		c := &x.Calls[at]
		out := Finding{Status: Warn, Evidence: fmt.Sprintf("%s: %d of %d calls within the last hour failed, the last so: %s", called, c.Failed, c.Failed+c.OK, c.LastError),
			Fix: "ottla webhook attempts --rule " + r.Bus + "/" + r.Name + " --target " + t.ID + " --failed -o json"}
		if c.LastErrorMs > c.LastOKMs {
			out.Status = Fail
		}
		return out, true
	}
	return Finding{}, false
}

func waited(lag time.Duration) string {
	if lag < time.Second {
		return ""
	}
	return ", for " + lag.Round(time.Second).String()
}

// ofBus is the flag of a rule's bus, where it needs one.
func ofBus(called string) string {
	if called == bus.Default {
		return ""
	}
	return " --bus " + called
}
