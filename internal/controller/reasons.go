package controller

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// Reason is one change of a partition and why it was made. It is kept by the
// node that decided, and only there: after a failover the history begins anew.
type Reason struct {
	At    time.Time
	Topic string
	Index int32
	// Why is a sentence's end: "node 1 silent for 2.1 s".
	Why string
	// From and To are the leaders before and after, LeaderEpoch the one after.
	From, To    int32
	LeaderEpoch int32
	// ISR and WasISR are the replicas in sync after and before, ELR those that
	// are eligible.
	ISR, WasISR, ELR []int32
	// Unclean tells that the leader may lack records that were acknowledged.
	Unclean bool
}

// String tells it in one line, with the time of day (UTC).
func (r Reason) String() string { return r.Tell(time.TimeOnly) }

// Tell is String with another layout of the time.
func (r Reason) Tell(layout string) string {
	var b strings.Builder
	switch {
	case r.From == r.To:
		b.WriteString("changed")
	case r.To < 0:
		fmt.Fprintf(&b, "leader %d lost, none left", r.From)
	case r.From < 0:
		fmt.Fprintf(&b, "leader is %d", r.To)
	default:
		fmt.Fprintf(&b, "leader moved %d -> %d", r.From, r.To)
	}
	fmt.Fprintf(&b, " at %s: %s", r.At.UTC().Format(layout), r.Why)
	if !slices.Equal(r.ISR, r.WasISR) {
		fmt.Fprintf(&b, "; in sync %v, before %v", r.ISR, r.WasISR)
	}
	if len(r.ELR) > 0 {
		fmt.Fprintf(&b, "; eligible %v", r.ELR)
	}
	if r.Unclean {
		b.WriteString("; UNCLEAN: records that only others had may be lost")
	}
	return b.String()
}

// ExplainPartition asks for the last changes of a partition; the reply is an
// Explained.
type ExplainPartition struct {
	Topic string
	Index int32
}

// Explained is what the node that decides knows of a partition's changes.
type Explained struct {
	// Node decides since SinceMs (milliseconds since 1970, of its clock); what it
	// knows from before that is from an older leadership of its own, and others may
	// have decided in between.
	Node    int32
	SinceMs int64
	Reasons []Reason // oldest first
}

func (c *Controller) explainPartition(cmd ExplainPartition) ([]metadata.Record, any, error) {
	t := c.image().TopicByName(cmd.Topic)
	if t == nil || cmd.Index < 0 || int(cmd.Index) >= len(t.Partitions) {
		return nil, nil, wire.UnknownTopicOrPartition
	}
	return nil, Explained{Node: c.options.NodeID, SinceMs: c.reasons.since.UnixMilli(), Reasons: c.Reasons(cmd.Topic, cmd.Index)}, nil
}

// ExplainLosses asks for the last change of every partition whose leader may lack
// records that were acknowledged; the reply is an Explained with the latest of them.
type ExplainLosses struct{}

func (c *Controller) explainLosses() Explained {
	out := Explained{Node: c.options.NodeID, SinceMs: c.reasons.since.UnixMilli()}
	seen := map[TopicIDPartition]bool{}
	ring := c.reasons.ring
	for i := len(ring) - 1; i >= 0 && len(out.Reasons) < maxLosses; i-- {
		r := &ring[(c.reasons.next+i)%len(ring)]
		t := c.image().TopicByName(r.Topic)
		if !r.Unclean || t == nil || seen[TopicIDPartition{t.ID, r.Index}] {
			continue
		}
		seen[TopicIDPartition{t.ID, r.Index}] = true
		out.Reasons = append(out.Reasons, *r)
	}
	slices.Reverse(out.Reasons)
	return out
}

const (
	// maxLosses bounds the answer to ExplainLosses.
	maxLosses = 1024
	// maxReasons bounds those of all partitions: a node that leads a thousand
	// dies a few times before the oldest are forgotten; about 2 MiB when full.
	maxReasons = 8192
	// maxPartitionReasons bounds an answer.
	maxPartitionReasons = 16
	// maxWhy bounds what a command may give as its reason.
	maxWhy = 200
)

// reasons is a ring of the last changes of all partitions.
type reasons struct {
	now time.Time // of the step at hand
	// since is the time of the first step of this leadership, zero before it.
	since time.Time
	why   string
	// doubt: the leader may lack records from now on, though it stays the same.
	doubt bool
	ring  []Reason
	next  int // where the next one goes once the ring is full
}

// begin is called at the begin of a step.
func (r *reasons) begin(now time.Time) {
	r.now, r.why, r.doubt = now, "the metadata log says so", false
	if r.since.IsZero() {
		r.since = now
	}
}

// because says why the step at hand changes partitions.
func (c *Controller) because(format string, args ...any) {
	why := fmt.Sprintf(format, args...)
	c.reasons.why = why[:min(len(why), maxWhy)]
}

// doubt is because for a leader that may lack records from now on: it is noted even
// where nothing else changes.
func (c *Controller) doubt(format string, args ...any) {
	c.because(format, args...)
	c.reasons.doubt = true
}

func (r *reasons) add(one Reason) {
	if len(r.ring) < maxReasons {
		r.ring = append(r.ring, one)
		return
	}
	r.ring[r.next] = one
	r.next = (r.next + 1) % maxReasons
}

// Reasons are the last changes of a partition, oldest first, as far as this node
// decided them since it leads. Only the controller's goroutine may ask;
// ExplainPartition is for others.
func (c *Controller) Reasons(topic string, index int32) []Reason {
	out := []Reason{}
	ring := c.reasons.ring
	for i := range ring {
		r := &ring[(c.reasons.next+i)%len(ring)]
		if r.Index == index && r.Topic == topic {
			out = append(out, *r)
		}
	}
	return out[max(0, len(out)-maxPartitionReasons):]
}

// partitionOf is the partition that a record changes, nil for other records.
func (c *Controller) partitionOf(r metadata.Record) *metadata.Partition {
	change, ok := r.(*metadata.PartitionChangeRecord)
	if !ok {
		return nil
	}
	return c.partition(TopicIDPartition{change.TopicID, change.Partition})
}

// partition finds one, nil where there is none.
func (c *Controller) partition(tp TopicIDPartition) *metadata.Partition {
	t := c.image().TopicByID(tp.TopicID)
	if t == nil || tp.Index < 0 || int(tp.Index) >= len(t.Partitions) {
		return nil
	}
	return t.Partitions[tp.Index]
}

// note keeps why a partition is another one than before. A new epoch of a leader
// that stays is no news: a node alone raises all of its at every start.
func (c *Controller) note(was *metadata.Partition) {
	is := c.partition(TopicIDPartition{was.Topic.ID, was.Index})
	if is == nil || !c.reasons.doubt && is.Leader == was.Leader && slices.Equal(is.ISR, was.ISR) && slices.Equal(is.ELR, was.ELR) && slices.Equal(is.Replicas, was.Replicas) {
		return
	}
	r := Reason{
		At: c.reasons.now, Topic: was.Topic.Name, Index: was.Index, Why: c.reasons.why,
		From: was.Leader, To: is.Leader, LeaderEpoch: is.LeaderEpoch,
		ISR: is.ISR, WasISR: was.ISR, ELR: is.ELR,
		Unclean: c.reasons.doubt || is.Recovering && is.Leader >= 0 && is.Leader != was.Leader && !slices.Contains(was.ISR, is.Leader) && !slices.Contains(was.ELR, is.Leader),
	}
	c.reasons.add(r)
	if c.options.OnReason != nil {
		c.options.OnReason(r)
	}
}
