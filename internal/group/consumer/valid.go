package consumer

import (
	"slices"
	"strings"

	"ottla/internal/wire"
)

// valid holds the forms of a heartbeat.
func (k *Kind) valid(c *Heartbeat) error {
	bad := func(text string) error { return wire.Errorf(wire.InvalidRequest, "%s", text) }
	switch {
	case c.MemberID == "" && (c.Version >= 1 || c.Epoch != joining):
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
		return bad("MemberEpoch is invalid.")
	case c.Epoch == leavingSoon && c.InstanceID == nil:
		return bad("InstanceId can't be null.")
	case c.Epoch == joining && c.RebalanceMs == -1:
		return bad("RebalanceTimeoutMs must be provided in first request.")
	case c.Epoch == joining && (!c.SaidOwned || len(c.Owned) > 0):
		return bad("TopicPartitions must be empty when (re-)joining.")
	case c.Epoch == joining && !c.SaidTopics && c.Regex == nil:
		return bad("Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.")
	case c.Assignor != nil && !slices.Contains(k.s.Assignors, *c.Assignor):
		return wire.Errorf(wire.UnsupportedAssignor, "ServerAssignor %s is not supported. Supported assignors: %s.", *c.Assignor, strings.Join(k.s.Assignors, ", "))
	}
	return nil
}

// maxText is what keys and texts of the log can hold.
const maxText = 1<<15 - 1

func (c *Heartbeat) tooLong() bool {
	long := func(s *string) bool { return s != nil && len(*s) > maxText }
	return len(c.Group) > maxText || len(c.MemberID) > maxText || long(c.InstanceID) || long(c.RackID) ||
		long(c.Regex) || len(c.ClientID) > maxText-64 ||
		slices.ContainsFunc(c.Topics, func(s string) bool { return len(s) > maxText })
}
