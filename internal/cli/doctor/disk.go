package doctor

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/out"
)

const (
	nearlyFull = 0.10 // of the disk free: warn
	full       = 0.03 // of the disk free: fail
	soonDays   = 7
	manyDays   = 3650
)

func directories(f *Facts) []Finding {
	if why, missing := f.Missing["log directories"]; missing {
		return []Finding{skipped("they cannot be read: %s", why)}
	}
	var found []Finding
	for _, d := range f.Dirs {
		if d.Err != nil {
			found = append(found, Finding{Status: Fail, Evidence: fmt.Sprintf("node %d: %s: %v", d.Broker, d.Dir, d.Err),
				Fix: "mend the disk and start the node again; its log says what failed"})
		}
	}
	if len(found) == 0 {
		found = append(found, well("%d online", len(f.Dirs)))
	}
	return found
}

// disk tells how full each directory's disk is, and when it will be.
func disk(f *Facts) []Finding {
	if why, missing := f.Missing["log directories"]; missing {
		return []Finding{skipped("the log directories cannot be read: %s", why)}
	}
	var found []Finding
	for _, d := range f.Dirs {
		if d.Err != nil {
			continue
		}
		if d.TotalBytes <= 0 {
			found = append(found, skipped("node %d does not tell how large the disk of %s is", d.Broker, d.Dir))
			continue
		}
		found = append(found, f.diskOf(d))
	}
	return found
}

func (f *Facts) diskOf(d kadm.DescribedLogDir) Finding {
	free := float64(d.UsableBytes) / float64(d.TotalBytes)
	growth := f.growthOf(d)
	evidence := fmt.Sprintf("node %d: %s: %s of %s free, data %s, %s", d.Broker, d.Dir, out.Bytes(d.UsableBytes), out.Bytes(d.TotalBytes), out.Bytes(d.Size()), growth)
	fix := "lower retention.ms of the largest topics (\"ottla cluster dirs\"), or give the node more disk"
	switch {
	case free < full:
		return Finding{Status: Fail, Evidence: evidence, Fix: fix}
	case free < nearlyFull, growth.days >= 0 && growth.days < soonDays:
		return Finding{Status: Warn, Evidence: evidence, Fix: fix}
	}
	return Finding{Status: OK, Evidence: evidence}
}

// growth is how a directory grows.
type growth struct {
	perDay int64   // bytes written in the last day
	days   float64 // until the disk is full; -1: retention deletes before
}

// String is the growth for people, per day.
func (g growth) String() string {
	switch {
	case g.perDay == 0:
		return "nothing written in the last day"
	case g.days < 0:
		return fmt.Sprintf("%s a day, which retention keeps within the disk", out.Bytes(g.perDay))
	}
	if g.days > manyDays {
		return fmt.Sprintf("%s a day: full in more than ten years", out.Bytes(g.perDay))
	}
	return fmt.Sprintf("%s a day: full in %.1f days", out.Bytes(g.perDay), g.days)
}

// growthOf reckons from the last day: the share of a partition's offsets that
// are younger than a day, times its size, is what a day writes. Retention by
// time caps a partition at so many days of that.
func (f *Facts) growthOf(d kadm.DescribedLogDir) growth {
	retention := map[string]time.Duration{}
	for _, t := range f.Topics {
		ms, err := strconv.ParseInt(t.Values["retention.ms"], 10, 64)
		if err == nil && ms > 0 && strings.Contains(t.Values["cleanup.policy"], "delete") {
			retention[t.Topic] = time.Duration(ms) * time.Millisecond
		}
	}
	var g growth
	var settled, unbounded float64 // what bounded partitions will still add; what unbounded ones add a day
	for topic, partitions := range d.Topics {
		for p, of := range partitions {
			start, okStart := f.Starts.Lookup(topic, p)
			end, okEnd := f.Ends.Lookup(topic, p)
			day, okDay := f.DayAgo.Lookup(topic, p)
			if !okStart || !okEnd || !okDay || end.Offset <= start.Offset || day.Offset < 0 || day.Err != nil {
				continue
			}
			perDay := float64(of.Size) * float64(end.Offset-max(day.Offset, start.Offset)) / float64(end.Offset-start.Offset)
			g.perDay += int64(perDay)
			if r := retention[topic]; r > 0 {
				settled += max(0, perDay*r.Hours()/24-float64(of.Size))
			} else {
				unbounded += perDay
			}
		}
	}
	switch {
	case g.perDay == 0, unbounded == 0 && settled < float64(d.UsableBytes):
		g.days = -1
	default:
		g.days = float64(d.UsableBytes) / float64(g.perDay)
	}
	return g
}
