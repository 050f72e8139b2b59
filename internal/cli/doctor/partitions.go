package doctor

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// collect names the partitions for which bad says something.
func (f *Facts) collect(bad func(string, kadm.PartitionDetail) bool) (named []string, total int) {
	for _, t := range f.Metadata.Topics.Sorted() {
		for _, p := range t.Partitions.Sorted() {
			total++
			if bad(t.Topic, p) {
				named = append(named, fmt.Sprintf("%s-%d", t.Topic, p.Partition))
			}
		}
	}
	return named, total
}

func leaders(f *Facts) []Finding {
	bad, total := f.collect(func(_ string, p kadm.PartitionDetail) bool { return p.Leader < 0 || p.Err != nil && p.Leader < 0 })
	if len(bad) > 0 {
		return []Finding{{Status: Fail, Evidence: fmt.Sprintf("%d of %d partitions have no leader: %s", len(bad), total, few(bad)),
			Fix: "start the nodes that hold them (\"ottla topic describe NAME\" shows which)"}}
	}
	return []Finding{well("all of %d partitions", total)}
}

func inSync(f *Facts) []Finding {
	bad, total := f.collect(func(_ string, p kadm.PartitionDetail) bool { return len(p.ISR) < len(p.Replicas) })
	if len(bad) > 0 {
		return []Finding{{Status: Warn, Evidence: fmt.Sprintf("%d of %d partitions have replicas out of sync: %s", len(bad), total, few(bad)),
			Fix: "\"ottla cluster\" shows which nodes are behind; look at their logs and disks"}}
	}
	return []Finding{well("all of %d partitions", total)}
}

// logs are those that their leaders cannot open.
func logs(f *Facts) []Finding {
	if why, missing := f.Missing["end offsets"]; missing {
		return []Finding{skipped("the partitions' ends cannot be read: %s", why)}
	}
	bad, total := f.collect(func(topic string, p kadm.PartitionDetail) bool {
		return p.Leader >= 0 && errors.Is(f.Ends[topic][p.Partition].Err, kerr.KafkaStorageError)
	})
	if len(bad) > 0 {
		return []Finding{{Status: Fail, Evidence: fmt.Sprintf("%d of %d partitions have a leader that cannot open their log: %s", len(bad), total, few(bad)),
			Fix: "give the disk room or the node descriptors; \"ottla explain partition TOPIC-N\" and the node's log say why"}}
	}
	return []Finding{well("all of %d partitions are open", total)}
}

func minISR(f *Facts) []Finding {
	if why, missing := f.Missing["settings"]; missing {
		return []Finding{skipped("the topics' settings cannot be read: %s", why)}
	}
	least := map[string]int{}
	for _, t := range f.Topics {
		if n, err := strconv.Atoi(t.Values["min.insync.replicas"]); err == nil {
			least[t.Topic] = n
		}
	}
	never := map[string]bool{}
	var out []Finding
	for _, t := range f.Metadata.Topics.Sorted() {
		if n := t.Partitions.NumReplicas(); n > 0 && least[t.Topic] > n {
			never[t.Topic] = true
			out = append(out, Finding{Status: Fail,
				Evidence: fmt.Sprintf("%s has min.insync.replicas=%d and %d replicas: no record with acks=all is ever taken", t.Topic, least[t.Topic], n),
				Fix:      fmt.Sprintf("ottla config set min.insync.replicas=%d --topic %s", n, t.Topic)})
		}
	}
	bad, _ := f.collect(func(t string, p kadm.PartitionDetail) bool { return !never[t] && len(p.ISR) < least[t] })
	if len(bad) > 0 {
		out = append(out, Finding{Status: Fail, Evidence: fmt.Sprintf("%d partitions refuse acks=all for want of replicas: %s", len(bad), few(bad)),
			Fix: "start the nodes that are down"})
	}
	return out
}
