package doctor

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
)

func groups(f *Facts) []Finding {
	if why, missing := f.Missing["groups"]; missing {
		return []Finding{skipped("they cannot be read: %s", why)}
	}
	var found []Finding
	for _, g := range f.Groups {
		if err := g.Error(); err != nil && len(g.Lag) == 0 {
			found = append(found, skipped("group %s cannot be read: %v", g.Group, err))
			continue
		}
		if gone := f.goneOffsets(g.Lag); gone != "" {
			found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("group %s: committed offsets point to deleted records in %s", g.Group, gone),
				Fix: "ottla group reset " + g.Group + " --to start --dry-run shows what a reset would do"})
		}
		lag := g.Lag.Total()
		switch {
		case g.State == "Empty" && lag > 0:
			found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("group %s has no members and is %d records behind", g.Group, lag),
				Fix: "start its consumers, or \"ottla group delete " + g.Group + "\" when it is not used any more"})
		case g.State == "PreparingRebalance", g.State == "CompletingRebalance":
			found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("group %s is sharing its partitions anew (%s, %d members)", g.Group, g.State, len(g.Members)),
				Fix: "normal for seconds; when it lasts, a member does not answer: ottla group describe " + g.Group})
		}
	}
	if len(found) == 0 {
		found = append(found, well("%d groups", len(f.Groups)))
	}
	return found
}

// goneOffsets names partitions whose committed offset lies before the start of
// the log.
func (f *Facts) goneOffsets(lags kadm.GroupLag) string {
	var gone []string
	for _, l := range lags.Sorted() {
		start, ok := f.Starts.Lookup(l.Topic, l.Partition)
		if ok && start.Err == nil && l.Commit.At >= 0 && l.Commit.At < start.Offset {
			gone = append(gone, fmt.Sprintf("%s-%d", l.Topic, l.Partition))
		}
	}
	return few(gone)
}
