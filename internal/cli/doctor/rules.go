package doctor

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/event/lookback"
	"ottla/internal/gateway/rest"
)

// Rules are buses with their rules, as a node tells of them over HTTP.
type Rules struct {
	Buses   []rest.Bus
	Rules   []rest.Rule                // with where their targets stand
	Reviews map[string]lookback.Review // by bus
	Last    int                        // events of each partition that were looked at
}

// Bounds of what is asked.
const (
	DefaultLast = 1000 // events of each partition
	maxRules    = 200  // rules whose targets are asked for
	maxBuses    = 50   // buses whose events are looked at
)

// EventChecks are the codes of the checks of the event layer.
func EventChecks() []string {
	return []string{"D19", "D20", "D21", "D22", "D23", "D24", "D25", "D26", "D27"}
}

// GatherEvents is Gather of what EventChecks want. All that they find is told one by
// one.
func GatherEvents(ctx context.Context, s Sources) (*Facts, error) {
	f := &Facts{Now: s.Now(), Whole: true, Missing: map[string]string{}}
	var err error
	if f.Metadata, err = s.Admin.Metadata(ctx); err != nil {
		return nil, err
	}
	f.process(ctx, s)
	f.events(ctx, s)
	f.rules(ctx, s)
	return f, nil
}

// rules asks the node; one that is of an earlier release, or refuses, has none.
func (f *Facts) rules(ctx context.Context, s Sources) {
	if s.HTTP == "" {
		f.Missing["rules"] = "the node's HTTP address is not known: give --http HOST:PORT"
		return
	}
	r := &Rules{Reviews: map[string]lookback.Review{}, Last: s.Last}
	if r.Last == 0 {
		r.Last = DefaultLast
	}
	c := native.New(s.HTTP, s.Timeout)
	ask := func(path string, query url.Values, into any) error {
		ctx, cancel := context.WithTimeout(ctx, s.Timeout)
		defer cancel()
		return c.Do(ctx, "ask for "+path, http.MethodGet, path, query, nil, into)
	}
	if err := r.gather(ask); err != nil {
		f.Missing["rules"] = err.Error()
		return
	}
	f.Rules = r
}

func (r *Rules) gather(ask func(path string, query url.Values, into any) error) error {
	var buses rest.Buses
	if err := ask("/bus", url.Values{"max": {"1000"}}, &buses); err != nil {
		return err
	}
	var rules rest.Rules
	if err := ask("/rule", nil, &rules); err != nil {
		return err
	}
	r.Buses, r.Rules = buses.Buses, rules.Rules
	for i := range min(len(r.Rules), maxRules) {
		x := &r.Rules[i]
		var full rest.Rule
		err := ask(native.Path("bus", x.Bus, "rules", x.Name), nil, &full)
		switch {
		case err == nil:
			*x = full
		case fail.CodeOf(err) != fail.NotFound: // else it was deleted meanwhile
			return err
		}
	}
	for _, b := range r.Buses {
		if len(r.Reviews) == maxBuses || !slices.ContainsFunc(r.Rules, func(x rest.Rule) bool { return x.Bus == b.Name }) {
			continue
		}
		var x lookback.Review
		err := ask(native.Path("bus", b.Name, "review"), url.Values{"last": {strconv.Itoa(r.Last)}}, &x)
		switch {
		case err == nil:
			r.Reviews[b.Name] = x
		case fail.CodeOf(err) != fail.NotFound:
			return err
		}
	}
	return nil
}

// noRules is the finding where nothing is known of them.
func (f *Facts) noRules() []Finding {
	if f.Rules != nil {
		return nil
	}
	return []Finding{skipped("buses and rules are not told: %s", f.Missing["rules"])}
}

// told is what a check found: where not all is wanted, the worst, and how much more
// there is.
func (f *Facts) told(found []Finding, otherwise Finding) []Finding {
	if len(found) == 0 {
		return []Finding{otherwise}
	}
	if f.Whole || len(found) == 1 {
		return found
	}
	worst := found[0]
	for _, x := range found {
		if x.Status == Fail && worst.Status != Fail {
			worst = x
		}
	}
	worst.Evidence += "; and " + strconv.Itoa(len(found)-1) + " more: see \"ottla doctor events\""
	return []Finding{worst}
}

// since says of how many events is spoken, and of which time.
func sinceOf(x *lookback.Review) string {
	if x.FirstMs == 0 {
		return ""
	}
	return " (since " + time.UnixMilli(x.FirstMs).UTC().Format(time.RFC3339) + ")"
}
