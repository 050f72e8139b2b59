package shares

import "ottla/internal/wire"

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

// messageOf is the text that goes with an error, nil without one.
func messageOf(err error) *string {
	if err == nil {
		return nil
	}
	text := wire.MessageOf(err)
	text = text[:min(len(text), maxMessage)]
	return &text
}
