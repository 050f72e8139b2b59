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
	Leaderless int // partitions that have no leader, so nobody reads or writes them
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

// Holders is what tells, beside the topics' metadata, who has what.
type Holders struct {
	// Eligible are replicas that are not in sync and have all that was
	// acknowledged all the same (KIP-966); nil where that is not known.
	Eligible func(topic string, index int32) []int32
	// Voters have the metadata of the cluster, Serving of them are there; none
	// where that is not known.
	Voters, Serving int
}

// Durability tells of every topic, by name, what losses would cost, and in the
// end of the cluster's metadata. The error is a fact that could not be had.
func Durability(f *Facts, h Holders) ([]Losses, error) {
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
			out = append(out, lossesOf(t, values[t.Topic], racks, h.Eligible))
		}
	}
	if h.Voters > 0 {
		out = append(out, lossesOfMetadata(h))
	}
	return out, nil
}

func lossesOf(t kadm.TopicDetail, values map[string]string, racks map[int32]string, eligible func(string, int32) []int32) Losses {
	l := Losses{Topic: t.Topic, Partitions: len(t.Partitions), Replicas: -1, InSync: -1, Durability: values["durability"], MinISR: 1}
	if n, err := strconv.Atoi(values["min.insync.replicas"]); err == nil {
		l.MinISR = n
	}
	if l.Durability == "" {
		l.Durability = "fsync"
	}
	unclean := values["unclean.leader.election.enable"] == "true"
	var all []copies
	racksKnown := len(racks) > 0
	for _, p := range t.Partitions.Sorted() {
		all = append(all, copiesOf(&p, eligible))
		l.InSync = least(l.InSync, len(p.ISR))
		l.Replicas = least(l.Replicas, len(p.Replicas))
		l.Leaderless += btoi(p.Leader < 0)
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
	l.One, l.Two = cost(all, 1, unclean), cost(all, 2, unclean)
	l.All = "everything"
	l.Power = powerCost(l.Durability)
	l.Writes = writesAfter(l)
	l.Safe = l.One == nothing && l.Power == nothing
	return l
}

// least is the smaller of two, so far being -1 at first.
func least(soFar, n int) int {
	if soFar < 0 {
		return n
	}
	return min(soFar, n)
}

func btoi(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// copies are the replicas of a partition: full has all that was acknowledged,
// behind may lack some of it.
type copies struct{ full, behind int }

func copiesOf(p *kadm.PartitionDetail, eligible func(string, int32) []int32) copies {
	has := map[int32]bool{}
	for _, id := range p.ISR {
		has[id] = true
	}
	if eligible != nil {
		for _, id := range eligible(p.Topic, p.Partition) {
			has[id] = true
		}
	}
	return copies{len(has), max(len(p.Replicas)-len(has), 0)}
}

// cost is what the loss of any so many nodes takes: every partition that no more
// than those have whole.
func cost(all []copies, lost int, unclean bool) string {
	gone, behind := 0, 0
	for _, c := range all {
		switch {
		case c.full > lost:
		case c.full+c.behind > lost:
			behind++
		default:
			gone++
		}
	}
	if gone+behind == 0 {
		return nothing
	}
	which := "that node"
	if lost > 1 {
		which = "those nodes"
	}
	what := "all records of the partitions that lie on " + which
	switch {
	case gone > 0:
	case unclean:
		what = "what the replicas that are behind lack, without a word (unclean.leader.election.enable)"
	default:
		what = "what the replicas that are behind lack, by an unclean election; until then they stand still"
	}
	if gone+behind < len(all) {
		return fmt.Sprintf("up to %d of %d partitions: %s", gone+behind, len(all), what)
	}
	return what
}

// lossesOfMetadata says the same of what tells the cluster which topics there are.
func lossesOfMetadata(h Holders) Losses {
	majority := h.Voters/2 + 1
	after := func(lost int) string {
		switch {
		case h.Voters-lost < majority:
			return fmt.Sprintf("the cluster: no majority of its %d voters would be left", h.Voters)
		case h.Serving-lost < majority:
			return fmt.Sprintf("nothing, and the cluster stands still until %d of its %d voters are there", majority, h.Voters)
		}
		return nothing
	}
	l := Losses{
		Topic: MetadataLog, Partitions: 1, Replicas: h.Voters, InSync: h.Serving, MinISR: majority, Durability: "fsync",
		One: after(1), Two: after(2), All: "everything", Power: nothing,
	}
	l.Writes = writesAfter(l)
	l.Safe = l.One == nothing
	return l
}

// MetadataLog is the name under which the cluster's metadata are shown.
const MetadataLog = "__cluster_metadata"

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
	case l.Leaderless > 0:
		return fmt.Sprintf("stand still already in %d of %d partitions: no leader", l.Leaderless, l.Partitions)
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
	case l.Topic == MetadataLog:
		switch {
		case l.Safe || nodes < 2:
			return ""
		case l.InSync < l.Replicas:
			return "bring back the voters that are away; \"ottla cluster\" shows them"
		}
		return "three voters outlive one: the first three nodes become voters by themselves, unless they are started with --no-vote"
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
