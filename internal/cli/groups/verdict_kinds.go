package groups

import (
	"fmt"
	"slices"
	"strings"
)

// Shared is what is known of a share group beside its members and offsets.
type Shared struct {
	// Held is what its members hold; nil when nobody could be asked.
	Held []Held
	// DeadTopic takes its dead letters, "" when it has none; Letters of them
	// wait there.
	DeadTopic string
	Letters   int64
}

// SharedVerdict says what holds a share group's records up.
func SharedVerdict(g *Group, s *Shared) []Note {
	var out []Note
	var sum Held
	var parked []string
	for _, h := range s.Held {
		sum.Acquired, sum.Redelivered = sum.Acquired+h.Acquired, sum.Redelivered+h.Redelivered
		sum.Delayed, sum.Parked, sum.Dying = sum.Delayed+h.Delayed, sum.Parked+h.Parked, sum.Dying+h.Dying
		if h.Parked > 0 {
			parked = append(parked, h.TopicPartition.String())
		}
	}
	if sum.Acquired > 0 {
		out = append(out, Note{Text: fmt.Sprintf("its members hold %d records", sum.Acquired)})
	}
	if sum.Redelivered > 0 {
		out = append(out, Note{fmt.Sprintf("%d records were given out before and come again, %d of them when their time has come", sum.Redelivered, sum.Delayed),
			"members release them, or take longer than share.record.lock.duration.ms: see their logs"})
	}
	if sum.Parked > 0 {
		out = append(out, Note{fmt.Sprintf("%d keys are parked in %s: their first record waits for another try, and all others of them for it", sum.Parked, strings.Join(parked, ", ")),
			"other keys go on; after share.delivery.count.limit tries the record is given up, and its key goes on"})
	}
	if sum.Dying > 0 {
		out = append(out, Note{fmt.Sprintf("%d records were given up and their dead letters are not written yet", sum.Dying),
			"when it lasts, " + s.DeadTopic + " cannot be written: see the server's log"})
	}
	switch {
	case s.DeadTopic == "":
		out = append(out, Note{"records that are given up are gone: it has no topic for dead letters",
			"ottla kafka configs --alter --entity-type groups --entity-name " + g.Name + " --add-config errors.deadletterqueue.topic.name=TOPIC"})
	case s.Letters > 0:
		out = append(out, Note{fmt.Sprintf("%d dead letters wait in %s", s.Letters, s.DeadTopic),
			"\"ottla dlq show " + g.Name + "\" tells why, \"ottla dlq redrive " + g.Name + "\" puts them back"})
	}
	return out
}

// StreamsVerdict says why an application of Kafka Streams does not run as it
// should.
func StreamsVerdict(g *Group) []Note {
	var out []Note
	if g.State == "NotReady" {
		text := "its internal topics are not there, or have not the partitions that its topology needs"
		if len(g.Missing) > 0 {
			text = "there is no topic " + strings.Join(g.Missing, ", ") + ", which it reads"
		}
		out = append(out, Note{text, "make the topics that it reads; internal ones are made by the server, whose log says why not"})
	}
	var old []string
	standing := 0
	for i := range g.Members {
		m := &g.Members[i]
		if m.TopologyEpoch != g.TopologyEpoch {
			old = append(old, m.ID)
		}
		standing += len(m.Tasks.Standby)
		if len(m.Tasks.Warmup) > 0 {
			out = append(out, Note{Text: fmt.Sprintf("member %s warms up %s", m.ID, strings.Join(m.Tasks.Warmup, ", "))})
		}
	}
	if len(old) > 0 {
		out = append(out, Note{fmt.Sprintf("%s run another topology than the group's (epoch %d) and get no new tasks", strings.Join(old, ", "), g.TopologyEpoch),
			"bring all instances to the same version of the application"})
	}
	stateful := slices.ContainsFunc(g.Topology, func(s Subtopology) bool { return len(s.Changelogs) > 0 })
	if stateful && standing == 0 && len(g.Members) > 1 {
		out = append(out, Note{"no task has a standby: when an instance is lost its state is read again from the changelogs",
			"ottla kafka configs --alter --entity-type groups --entity-name " + g.Name + " --add-config streams.num.standby.replicas=1"})
	}
	return out
}
