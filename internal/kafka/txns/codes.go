package txns

import "ottla/internal/wire"

// codeOf is the code of an error as the transaction APIs answer it: what the
// storage says in its own words becomes what producers act on, and who knows no
// PRODUCER_FENCED is told INVALID_PRODUCER_EPOCH.
func codeOf(err error, knowsFenced bool) wire.Code {
	switch code := wire.CodeOf(err); code {
	case wire.UnknownTopicOrPartition, wire.NotEnoughReplicas, wire.NotEnoughReplicasAfterAppend, wire.RequestTimedOut:
		return wire.CoordinatorNotAvailable
	case wire.NotLeaderOrFollower, wire.FencedLeaderEpoch, wire.KafkaStorageError:
		return wire.NotCoordinator
	case wire.MessageTooLarge, wire.RecordListTooLarge, wire.InvalidFetchSize:
		return wire.UnknownServerError
	case wire.ProducerFenced:
		if !knowsFenced {
			return wire.InvalidProducerEpoch
		}
		return code
	default:
		return code
	}
}

// reply takes the machine's reply out of an answer; one of another type is a
// bug of ours and becomes an error.
func reply[R any](body any, err error, knowsFenced bool) (R, wire.Code) {
	r, ok := body.(R)
	switch {
	case err != nil:
		return r, codeOf(err, knowsFenced)
	case !ok:
		return r, wire.UnknownServerError
	}
	return r, wire.None
}
