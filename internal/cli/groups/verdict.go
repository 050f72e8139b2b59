package groups

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Note is one thing worth knowing of a group, and what to do about it ("" when
// nothing is).
type Note struct{ Text, Fix string }

// Verdict says why a group is where it is, from two looks at it that lie apart
// by elapsed. after may be before itself: then nothing is said of speed.
func Verdict(before, after *Group, elapsed time.Duration) []Note {
	var out []Note
	switch after.State {
	case "Empty":
		out = append(out, Note{"it has no members: nobody reads", "start its consumers"})
	case "PreparingRebalance", "CompletingRebalance":
		out = append(out, Note{fmt.Sprintf("its %d members are sharing the partitions anew; nobody reads meanwhile", len(after.Members)),
			"normal for seconds; when it lasts, a member takes long to join: see its log, and max.poll.interval.ms"})
	}
	if after.Type == "streams" {
		out = append(out, StreamsVerdict(after)...)
	}
	out = append(out, unsettledMembers(after)...)
	out = append(out, idleMembers(after)...)
	out = append(out, positions(after)...)
	if elapsed > 0 && before != after {
		return append(out, speed(before, after, elapsed)...)
	}
	return out
}

// unsettledMembers tells who keeps others waiting in a group that the server
// assigns: members that have not given up what they shall not have any more.
func unsettledMembers(g *Group) []Note {
	if g.State != "Reconciling" && g.State != "Assigning" {
		return nil
	}
	var out []Note
	for _, m := range g.Members {
		var kept []string
		for _, p := range m.Assigned {
			if !slices.Contains(m.Target, p) {
				kept = append(kept, p.String())
			}
		}
		if len(kept) > 0 {
			out = append(out, Note{fmt.Sprintf("member %s at %s has not given up %s yet, for which others wait", m.ID, m.Host, strings.Join(kept, ", ")),
				"it does with its next poll, or is out after its max.poll.interval.ms: see its log"})
		}
	}
	if len(out) == 0 {
		out = append(out, Note{fmt.Sprintf("its %d members are on their way to epoch %d", len(g.Members), g.Epoch), "normal for seconds"})
	}
	return out
}

func idleMembers(g *Group) []Note {
	if g.State != "Stable" {
		return nil
	}
	var out []Note
	idle := 0
	for _, m := range g.Members {
		if len(m.Assigned) == 0 {
			idle++
		}
	}
	switch {
	case idle > 0 && g.Type == "streams":
		out = append(out, Note{fmt.Sprintf("%d of %d members have no task", idle, len(g.Members)), "more threads than tasks stand by; there is a task for each partition that a subtopology reads"})
	case idle > 0:
		out = append(out, Note{fmt.Sprintf("%d of %d members have no partition to read", idle, len(g.Members)), "more members than partitions stand by; add partitions to use them"})
	}
	var alone []string
	for _, p := range g.Partitions {
		if p.Member == nil && p.Lag > 0 && g.Type != "share" { // there several may read a partition
			alone = append(alone, p.String())
		}
	}
	if len(alone) > 0 {
		out = append(out, Note{"no member reads " + strings.Join(alone, ", "), "the members do not subscribe to it any more; \"ottla group delete " + g.Name + " --topic NAME\" forgets its offsets"})
	}
	return out
}

// positions says where the group stands.
func positions(g *Group) []Note {
	var out []Note
	var lag, lost int64
	var oldest time.Duration
	var gone []string
	for _, p := range g.Partitions {
		lag += max(0, p.Lag)
		oldest = max(oldest, p.Behind)
		if p.Committed >= 0 && p.Start > p.Committed {
			gone = append(gone, p.String())
			lost += p.Start - p.Committed
		}
	}
	if len(gone) > 0 {
		out = append(out, Note{fmt.Sprintf("%d records were deleted before they were read, in %s", lost, strings.Join(gone, ", ")),
			"raise retention.ms of the topic, or read sooner; auto.offset.reset decides where the members go on"})
	}
	switch {
	case len(g.Partitions) == 0 && g.Type == "share":
		out = append(out, Note{Text: "it stands nowhere yet"})
	case len(g.Partitions) == 0:
		out = append(out, Note{Text: "it has committed no offsets"})
	case lag == 0:
		out = append(out, Note{Text: "it has read everything"})
	default:
		text := fmt.Sprintf("it is %d records behind", lag)
		if oldest > 0 {
			text += fmt.Sprintf(", the oldest of them %v old", oldest.Round(time.Second))
		}
		out = append(out, Note{Text: text})
	}
	return out
}

// speed compares what was committed with what was written between two looks.
func speed(before, after *Group, elapsed time.Duration) []Note {
	then := map[TopicPartition]Partition{}
	for _, p := range before.Partitions {
		then[p.TopicPartition] = p
	}
	var read, written, lag int64
	var stuck []string
	for _, p := range after.Partitions {
		b, ok := then[p.TopicPartition]
		if !ok || p.Committed < 0 || b.Committed < 0 || p.End < 0 || b.End < 0 {
			continue
		}
		read += p.Committed - b.Committed
		written += p.End - b.End
		lag += max(0, p.Lag)
		if b.Lag > 0 && p.Committed == b.Committed && p.Member != nil {
			stuck = append(stuck, fmt.Sprintf("%s (%s at %s)", p, p.Member.Client, p.Member.Host))
		}
	}
	if lag == 0 {
		return nil
	}
	seconds := elapsed.Seconds()
	did := "committed"
	if after.Type == "share" {
		did = "did"
	}
	out := []Note{{Text: fmt.Sprintf("in %v it %s %.0f records a second while %.0f were written", elapsed.Round(time.Second), did, float64(read)/seconds, float64(written)/seconds)}}
	switch {
	case read > written:
		left := time.Duration(float64(lag) / (float64(read-written) / seconds) * float64(time.Second))
		out = append(out, Note{Text: fmt.Sprintf("at that speed it catches up in %v", left.Round(time.Second))})
	case len(after.Members) > 0 && (read > 0 || written > 0):
		out = append(out, Note{"at that speed it never catches up", "let each member do less per record, or add members up to the number of partitions"})
	}
	if len(stuck) > 0 {
		out = append(out, Note{"nothing was committed in " + strings.Join(stuck, ", "), "a member may hang on a record, or commits rarely; see its log"})
	}
	return out
}
