package shares

import (
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// codeOf is the code of an error as the share APIs answer it: what the storage
// and the coordinators say in their own words becomes what clients act on.
func codeOf(err error) int16 {
	if err == nil {
		return 0
	}
	switch code := wire.CodeOf(err); code {
	case wire.FencedStateEpoch, wire.FencedLeaderEpoch:
		return int16(wire.NotLeaderOrFollower)
	default:
		return int16(code)
	}
}

// stateCode is the code of an error as the share coordinator answers it.
func stateCode(err error) int16 {
	if err == nil {
		return 0
	}
	switch code := wire.CodeOf(err); code {
	case wire.NotLeaderOrFollower, wire.KafkaStorageError:
		return int16(wire.NotCoordinator)
	case wire.NotEnoughReplicas, wire.NotEnoughReplicasAfterAppend, wire.RequestTimedOut, wire.UnknownTopicOrPartition:
		return int16(wire.CoordinatorNotAvailable)
	default:
		return int16(code)
	}
}

// messageOf is the text that goes with an error, nil without one: its own, or
// Kafka's for the code where it has none.
func messageOf(err error) *string {
	if err == nil {
		return nil
	}
	text := wire.MessageOf(err)
	switch code := wire.CodeOf(err); code {
	case wire.FencedLeaderEpoch, wire.FencedStateEpoch, wire.NonEmptyGroup:
		text = api.KafkaText(code)
	default:
		if text == code.Text() {
			text = api.KafkaText(code)
		}
	}
	text = text[:min(len(text), maxMessage)]
	return &text
}

// ownMessage is the text of an error that has one, else nil.
func ownMessage(err error) *string {
	if err == nil || wire.MessageOf(err) == wire.CodeOf(err).Text() {
		return nil
	}
	return messageOf(err)
}
