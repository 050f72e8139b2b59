package doctor

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Losses says what acknowledged records of one topic some misfortunes would
// cost now, those that were written with acks=all. A topic is as safe as its
// worst partition.
type Losses struct {
	Topic      string
	Partitions int
	Replicas   int // the fewest that a partition has
	InSync     int // the fewest that are in sync
	MinISR     int
	Durability string // fsync, replicated or memory
	Racks      int    // the fewest racks that replicas in sync of a partition are in; 0 when racks are not known

	// One and Two are what the loss of any one or two nodes with their disks
	// costs, All of all nodes with theirs, Power a power cut of all at once.
	One, Two, All, Power string
	// Writes is what becomes of writes with acks=all when one node is lost.
	Writes string
	// Safe: neither the loss of one node nor of power costs anything.
	Safe bool
}

// nothing is what is lost in the good case.
const nothing = "nothing"

// Durability tells of every topic, by name, what losses would cost. The error
// is a fact that could not be had.
func Durability(f *Facts) ([]Losses, error) {
	if why, missing := f.Missing["settings"]; missing {
		return nil, fmt.Errorf("the topics' settings cannot be read: %s", why)
	}
	values := map[string]map[string]string{}
	for _, t := range f.Topics {
		values[t.Topic] = t.Values
	}
	racks := map[int32]string{}
	for _, b := range f.Metadata.Brokers {
		if b.Rack != nil {
			racks[b.NodeID] = *b.Rack
		}
	}
	var out []Losses
	for _, t := range f.Metadata.Topics.Sorted() {
		if len(t.Partitions) > 0 {
			out = append(out, lossesOf(t, values[t.Topic], racks))
		}
	}
	return out, nil
}

func lossesOf(t kadm.TopicDetail, values map[string]string, racks map[int32]string) Losses {
	l := Losses{Topic: t.Topic, Partitions: len(t.Partitions), Replicas: -1, Durability: values["durability"], MinISR: 1}
	if n, err := strconv.Atoi(values["min.insync.replicas"]); err == nil {
		l.MinISR = n
	}
	if l.Durability == "" {
		l.Durability = "fsync"
	}
	counts := map[int]int{} // partitions by the number of replicas in sync
	racksKnown := len(racks) > 0
	for _, p := range t.Partitions.Sorted() {
		counts[len(p.ISR)]++
		if l.Replicas < 0 || len(p.Replicas) < l.Replicas {
			l.Replicas = len(p.Replicas)
		}
		seen := map[string]bool{}
		for _, id := range p.ISR {
			if racks[id] == "" {
				racksKnown = false
			}
			seen[racks[id]] = true
		}
		if l.Racks == 0 || len(seen) < l.Racks {
			l.Racks = len(seen)
		}
	}
	if !racksKnown {
		l.Racks = 0
	}
	l.InSync = fewest(counts)
	l.One, l.Two = cost(counts, l.Partitions, 1), cost(counts, l.Partitions, 2)
	l.All = "everything"
	l.Power = powerCost(l.Durability)
	l.Writes = writesAfter(l)
	l.Safe = l.One == nothing && l.Power == nothing
	return l
}

func fewest(counts map[int]int) int {
	least := -1
	for n := range counts {
		if least < 0 || n < least {
			least = n
		}
	}
	return max(least, 0)
}

// cost is what the loss of any so many nodes takes: every partition that has no
// more replicas in sync than that, if it is those nodes.
func cost(counts map[int]int, total, lost int) string {
	gone := 0
	for n, partitions := range counts {
		if n <= lost {
			gone += partitions
		}
	}
	switch gone {
	case 0:
		return nothing
	case total:
		return "all records of the partitions that lie on " + which(lost)
	}
	return fmt.Sprintf("all records of up to %d of %d partitions", gone, total)
}

func which(lost int) string {
	if lost == 1 {
		return "that node"
	}
	return "those nodes"
}

// powerCost is what a power cut of all nodes costs.
func powerCost(durability string) string {
	switch durability {
	case "replicated":
		return "the last moments: what no node had synced yet"
	case "memory":
		return "what the system had not written back by itself, up to half a minute and more"
	}
	return nothing
}

// writesAfter is what happens to acks=all when one more node is lost.
func writesAfter(l Losses) string {
	switch {
	case l.InSync < l.MinISR:
		return fmt.Sprintf("refused already: %d in sync, min.insync.replicas is %d", l.InSync, l.MinISR)
	case l.InSync == 1:
		return "stop"
	case l.InSync-1 < l.MinISR:
		return "stop"
	}
	return "go on"
}

// Advice says what would make a topic safer, "" when nothing is needed.
func (l Losses) Advice(nodes int) string {
	var out []string
	switch {
	case l.Replicas < 2 && nodes < 2:
		out = append(out, "one node cannot outlive its disk: let others join, then give the topic 3 replicas")
	case l.Replicas < 3 && nodes >= 3:
		out = append(out, fmt.Sprintf("ottla cluster spread %s: it was made with fewer nodes, or for fewer, and has %d of 3 replicas", l.Topic, l.Replicas))
	case l.InSync < l.Replicas:
		out = append(out, "\"ottla cluster\" says which replicas are not in sync, and why")
	}
	if l.Replicas >= 3 && l.MinISR < 2 {
		out = append(out, fmt.Sprintf("ottla config set min.insync.replicas=2 --topic %s: else a record may be acknowledged by one node", l.Topic))
	}
	if l.Durability != "fsync" {
		out = append(out, fmt.Sprintf("ottla config set durability=fsync --topic %s, where a power cut must cost nothing", l.Topic))
	}
	return strings.Join(out, "; ")
}
