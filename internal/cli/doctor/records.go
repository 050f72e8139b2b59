package doctor

import (
	"fmt"
	"slices"
	"time"
)

// future is how far ahead a record may be dated before it is told.
const future = time.Hour

func recordTimes(f *Facts) []Finding {
	if why, missing := f.Missing["newest times"]; missing {
		return []Finding{skipped("they cannot be read: %s", why)}
	}
	var ahead []string
	var furthest time.Duration
	for topic, partitions := range f.Newest {
		for p, o := range partitions {
			if o.Err != nil || o.Offset < 0 || o.Timestamp <= 0 {
				continue
			}
			if by := time.UnixMilli(o.Timestamp).Sub(f.Now); by > future {
				ahead = append(ahead, fmt.Sprintf("%s-%d", topic, p))
				furthest = max(furthest, by)
			}
		}
	}
	if len(ahead) == 0 {
		return nil
	}
	slices.Sort(ahead)
	return []Finding{{Status: Warn, Evidence: fmt.Sprintf("records dated up to %v ahead in %s", furthest.Round(time.Minute), few(ahead)),
		Fix: "check the producers' clocks and that times are in milliseconds; message.timestamp.after.max.ms refuses such records"}}
}

func openTransactions(f *Facts) []Finding {
	if why, missing := f.Missing["committed offsets"]; missing {
		return []Finding{skipped("they cannot be read: %s", why)}
	}
	var held []string
	for topic, partitions := range f.Committed {
		for p, stable := range partitions {
			end, ok := f.Ends.Lookup(topic, p)
			if ok && stable.Err == nil && end.Err == nil && stable.Offset >= 0 && stable.Offset < end.Offset {
				held = append(held, fmt.Sprintf("%s-%d (%d records)", topic, p, end.Offset-stable.Offset))
			}
		}
	}
	if len(held) == 0 {
		return nil
	}
	slices.Sort(held)
	return []Finding{{Status: Warn, Evidence: "readers with read_committed wait in " + few(held),
		Fix: "normal for a moment; when it lasts, find the producer that neither commits nor aborts (it is aborted after its transaction.timeout.ms)"}}
}
