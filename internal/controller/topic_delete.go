package controller

import (
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// DeleteTopics by name or (Name empty) id; the reply is []DeletedTopic, one
// per reference, in order.
type DeleteTopics struct{ Topics []TopicRef }

// TopicRef names a topic, by one of the two.
type TopicRef struct {
	Name string
	ID   uuid.UUID
}

// DeletedTopic is the outcome for one reference, with both name and id where
// the topic was found.
type DeletedTopic struct {
	Result
	Name string
	ID   uuid.UUID
}

func (c *Controller) deleteTopics(cmd DeleteTopics) ([]metadata.Record, any, error) {
	named := make(map[TopicRef]int)
	for _, ref := range cmd.Topics {
		named[ref]++
	}
	var records []metadata.Record
	reply := make([]DeletedTopic, 0, len(cmd.Topics))
	gone := make(map[uuid.UUID]bool)
	for _, ref := range cmd.Topics {
		t, err := c.findTopic(ref, named[ref] > 1)
		if err == nil && gone[t.ID] {
			err = wire.Errorf(wire.InvalidRequest, "The provided topic name maps to an ID that was already supplied.")
		}
		done := DeletedTopic{Result: resultOf(err), Name: ref.Name, ID: ref.ID}
		if err == nil {
			gone[t.ID] = true
			done.Name, done.ID = t.Name, t.ID
			records = append(records, &metadata.RemoveTopicRecord{TopicID: t.ID})
		}
		reply = append(reply, done)
	}
	return records, reply, nil
}

// findTopic resolves a reference; twice tells that the command has it again.
func (c *Controller) findTopic(ref TopicRef, twice bool) (*metadata.Topic, error) {
	switch {
	case ref.Name != "" && !ref.ID.IsZero():
		return nil, wire.Errorf(wire.InvalidRequest, "You may not specify both topic name and topic id.")
	case twice && ref.Name != "":
		return nil, wire.Errorf(wire.InvalidRequest, "Duplicate topic name.")
	case twice && !ref.ID.IsZero():
		return nil, wire.Errorf(wire.InvalidRequest, "Duplicate topic id.")
	case ref.Name != "":
		if t := c.image().TopicByName(ref.Name); t != nil {
			return t, nil
		}
		return nil, wire.UnknownTopicOrPartition
	case !ref.ID.IsZero():
		if t := c.image().TopicByID(ref.ID); t != nil {
			return t, nil
		}
		return nil, wire.UnknownTopicID
	}
	return nil, wire.Errorf(wire.InvalidRequest, "Neither topic name nor id were specified.")
}
