package queues

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"ottla/internal/gateway/rest"
)

// Note is one thing that is true of a queue, and what to do about it ("" for
// nothing).
type Note struct{ Text, Fix string }

// OftenTaken is how often a message that is not done was taken before that is
// worth a word.
const OftenTaken = 5

// Verdict says where the messages of a queue are and what holds them.
func Verdict(x *rest.Explained) []Note {
	var out []Note
	add := func(fix, text string, args ...any) { out = append(out, Note{fmt.Sprintf(text, args...), fix}) }
	c := x.Counts
	if c == nil {
		c = &rest.Counts{}
	}
	if c.Waiting+c.InFlight+c.Delayed == 0 {
		add("", "nothing is in the queue")
	}
	behind := int64(0)
	for i := range x.Partitions {
		for _, h := range x.Partitions[i].Holds {
			if h.Condition == "behind" {
				behind += h.Last - h.First + 1
			}
		}
	}
	if free := c.Waiting - behind; free > 0 {
		add("ottla queue take "+x.Name, "%s can be taken now", messages(free))
	}
	for i := range x.Partitions {
		p := &x.Partitions[i]
		out = append(out, part{x, p}.notes()...)
	}
	if x.MostTaken >= OftenTaken && x.DeadLetter == nil {
		add("ottla queue alter "+x.Name+" --dead-letters QUEUE --max-receives N puts it aside", "a message came back again and again: it was taken %d times, and the queue has no dead letters", x.MostTaken)
	}
	return out
}

// part is a partition of a queue.
type part struct {
	x *rest.Explained
	p *rest.ExplainedPart
}

func (a part) notes() []Note {
	var out []Note
	add := func(fix, text string, args ...any) { out = append(out, Note{fmt.Sprintf(text, args...), fix}) }
	p := a.p
	place := fmt.Sprintf("%s-%d", a.x.Topic, p.Partition)
	if p.Leader < 0 {
		add("ottla explain partition "+place, "partition %d has no leader: nobody gets its messages", p.Partition)
	}
	if p.MostLocked > 0 && p.Locked >= p.MostLocked {
		add("acknowledge messages that were taken", "%d messages of partition %d are in flight, and no more may be", p.Locked, p.Partition)
	}
	if p.Uncommitted > 0 {
		add("ottla explain partition "+place+" and ottla txn list say whose it is", "%d offsets of partition %d wait for the end of a transaction", p.Uncommitted, p.Partition)
	}
	out = append(out, a.timed("in_flight", "in flight", "is free again")...)
	out = append(out, a.timed("delayed", "delayed", "can be taken")...)
	out = append(out, a.groups()...)
	if n := a.count("dying"); n > 0 {
		add("see that the dead-letter queue is there (ottla queue describe "+a.x.Name+"); the node's log says what is in the way", "%s given up in partition %d, and the dead letters are not written yet", were(n), p.Partition)
	}
	return out
}

func (a part) count(condition string) (n int64) {
	for i := range a.p.Holds {
		if h := &a.p.Holds[i]; h.Condition == condition {
			n += h.Last - h.First + 1
		}
	}
	return n
}

// timed tells of messages that are held until a time: how many, and which of them
// is free first.
func (a part) timed(condition, word, then string) []Note {
	var first *rest.Hold
	for i := range a.p.Holds {
		if h := &a.p.Holds[i]; h.Condition == condition && (first == nil || h.UntilMs < first.UntilMs) {
			first = h
		}
	}
	if first == nil {
		return nil
	}
	n := a.count(condition)
	more := ""
	if a.p.More {
		more = "at least "
	}
	text := fmt.Sprintf("%s%s of partition %d %s %s: the one at offset %d %s %s", more, messages(n), a.p.Partition, be(n), word, first.First, then, a.in(first.UntilMs))
	if first.Member != "" {
		text += ", held by the share consumer " + first.Member
	}
	if first.Taken > 1 {
		text += fmt.Sprintf(" (taken %d times)", first.Taken)
	}
	fix := ""
	if condition == "in_flight" && first.Member == "" {
		fix = "who took it acknowledges it, or gives it back with \"ottla queue nack " + a.x.Name + " RECEIPT\""
	}
	return []Note{{text, fix}}
}

// mostGroups is how many message groups are told of.
const mostGroups = 5

// groups tells which message groups stand still, and for what.
func (a part) groups() []Note {
	waiting, names := map[int64]int64{}, map[int64]string{}
	for i := range a.p.Holds {
		if h := &a.p.Holds[i]; h.Behind != nil {
			waiting[*h.Behind] += h.Last - h.First + 1
			names[*h.Behind] = h.Group
		}
	}
	var heads []int64
	for at := range waiting {
		heads = append(heads, at)
	}
	slices.SortFunc(heads, func(a, b int64) int { return cmp.Or(cmp.Compare(waiting[b], waiting[a]), cmp.Compare(a, b)) })
	var out []Note
	for _, at := range heads[:min(len(heads), mostGroups)] {
		n := waiting[at]
		verb := "wait"
		if n == 1 {
			verb = "waits"
		}
		out = append(out, Note{Text: fmt.Sprintf("%s of group %q %s for the one at offset %d, which %s", messages(n), names[at], verb, at, a.why(at))})
	}
	if more := len(heads) - mostGroups; more > 0 {
		out = append(out, Note{Text: fmt.Sprintf("%d other groups stand still, too", more)})
	}
	return out
}

// why says what holds the message at an offset.
func (a part) why(at int64) string {
	for i := range a.p.Holds {
		h := &a.p.Holds[i]
		if at < h.First || at > h.Last {
			continue
		}
		switch h.Condition {
		case "in_flight":
			return "is in flight: it is free again " + a.in(h.UntilMs)
		case "delayed":
			return "is delayed: it can be taken " + a.in(h.UntilMs)
		case "dying":
			return "was given up, its dead letter is not written yet"
		}
	}
	return "can be taken"
}

// in says how far away a time is.
func (a part) in(ms int64) string {
	d := time.Duration(ms-a.p.NowMs) * time.Millisecond
	if d <= 0 {
		return "now"
	}
	if d >= time.Second {
		d = d.Round(100 * time.Millisecond)
	}
	return "in " + d.String()
}

func messages(n int64) string {
	if n == 1 {
		return "1 message"
	}
	return fmt.Sprintf("%d messages", n)
}

func be(n int64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func were(n int64) string {
	if n == 1 {
		return "1 message was"
	}
	return fmt.Sprintf("%d messages were", n)
}
