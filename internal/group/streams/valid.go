package streams

import (
	"slices"

	"ottla/internal/group/schema"
	"ottla/internal/wire"
)

// valid holds the forms of a heartbeat.
func valid(c *Heartbeat) error {
	bad := func(text string) error { return wire.Errorf(wire.InvalidRequest, "%s", text) }
	switch {
	case c.MemberID == "":
		return bad("MemberId can't be empty.")
	case c.Group == "":
		return bad("GroupId can't be empty.")
	case c.InstanceID != nil && *c.InstanceID == "":
		return bad("InstanceId can't be empty.")
	case c.RackID != nil && *c.RackID == "":
		return bad("RackId can't be empty.")
	case c.tooLong():
		return bad("A name in the request is longer than 32767 bytes.")
	case c.Epoch < leavingSoon:
		return wire.Errorf(wire.InvalidRequest, "MemberEpoch is %d, but must be greater than or equal to -2.", c.Epoch)
	case c.Epoch == leavingSoon && c.InstanceID == nil:
		return bad("InstanceId can't be null.")
	case c.Epoch == joining:
		return validJoin(c)
	case (c.SaidActive || c.SaidStandby || c.SaidWarmup) && !c.saidAll():
		return bad("If one task-type is non-null, all must be non-null.")
	case c.Topology != nil:
		return bad("Topology can only be provided when (re-)joining.")
	}
	return nil
}

func validJoin(c *Heartbeat) error {
	bad := func(text string) error { return wire.Errorf(wire.InvalidRequest, "%s", text) }
	switch {
	case c.RebalanceMs == -1:
		return bad("RebalanceTimeoutMs must be provided in first request.")
	case !c.SaidActive || len(c.Owned.Active) > 0:
		return bad("ActiveTasks must be empty when (re-)joining.")
	case !c.SaidStandby || len(c.Owned.Standby) > 0:
		return bad("StandbyTasks must be empty when (re-)joining.")
	case !c.SaidWarmup || len(c.Owned.Warmup) > 0:
		return bad("WarmupTasks must be empty when (re-)joining.")
	case c.Topology == nil:
		return bad("Topology must be non-null when (re-)joining.")
	}
	return validTopology(c.Topology)
}

// validTopology refuses what cannot be run: Kafka says no to regular
// expressions, we also to places that lead nowhere and to names that come
// twice.
func validTopology(t *schema.StreamsTopologyValue) error {
	seen := map[string]bool{}
	for i := range t.Subtopologies {
		s := &t.Subtopologies[i]
		switch {
		case seen[s.ID]:
			return wire.Errorf(wire.StreamsInvalidTopology, "Subtopology %s is there twice.", s.ID)
		case len(s.SourceRegex) > 0:
			return wire.Errorf(wire.InvalidRequest, "Regular expressions for source topics are not supported yet.")
		}
		seen[s.ID] = true
		for j := range s.Changelogs {
			if n := s.Changelogs[j].Partitions; n != 0 {
				return wire.Errorf(wire.StreamsInvalidTopology, "Changelog topic %s must have an undefined partition count, but it is set to %d.", s.Changelogs[j].Name, n)
			}
		}
		for _, c := range s.Copartitions {
			if out(c.Sources, len(s.Sources)) || out(c.SourceRegex, len(s.SourceRegex)) || out(c.Repartitions, len(s.Repartitions)) {
				return wire.Errorf(wire.StreamsInvalidTopology, "A copartition group of subtopology %s names a topic that is not there.", s.ID)
			}
		}
		for j := range s.Repartitions {
			if s.Repartitions[j].Partitions < 0 {
				return wire.Errorf(wire.StreamsInvalidTopology, "Repartition topic %s has %d partitions.", s.Repartitions[j].Name, s.Repartitions[j].Partitions)
			}
		}
	}
	return nil
}

func out(places []int16, n int) bool {
	return slices.ContainsFunc(places, func(i int16) bool { return i < 0 || int(i) >= n })
}

// ownsWhatThereIs refuses tasks that the topology does not have.
func (p *plan) ownsWhatThereIs(owned roleTasks) error {
	if !p.ready() {
		return nil
	}
	for _, list := range owned {
		for _, x := range list {
			n, ok := p.tasks[x.sub]
			switch {
			case !ok:
				return wire.Errorf(wire.InvalidRequest, "Subtopology %s does not exist in the topology.", x.sub)
			case x.partition < 0 || x.partition >= n:
				return wire.Errorf(wire.InvalidRequest, "Task %d for subtopology %s is invalid. Number of tasks for this subtopology: %d", x.partition, x.sub, n)
			}
		}
	}
	return nil
}

// maxText is what keys and texts of the log can hold.
const maxText = 1<<15 - 1

func (c *Heartbeat) tooLong() bool {
	long := func(s *string) bool { return s != nil && len(*s) > maxText }
	return len(c.Group) > maxText || len(c.MemberID) > maxText || long(c.InstanceID) || long(c.RackID) ||
		long(c.ProcessID) || len(c.ClientID) > maxText-64
}
