package groups

import (
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// codeOf is the code of an error as the group APIs answer it: what the storage
// says in its own words becomes what consumers act on.
func codeOf(err error) int16 {
	switch code := wire.CodeOf(err); code {
	case wire.UnknownTopicOrPartition, wire.NotEnoughReplicas, wire.NotEnoughReplicasAfterAppend, wire.RequestTimedOut:
		return int16(wire.CoordinatorNotAvailable)
	case wire.NotLeaderOrFollower, wire.FencedLeaderEpoch, wire.KafkaStorageError:
		return int16(wire.NotCoordinator)
	case wire.MessageTooLarge, wire.RecordListTooLarge, wire.InvalidFetchSize:
		return int16(wire.UnknownServerError)
	default:
		return int16(code)
	}
}

// said is what a coordinator brought.
func said(body any, err error) api.Said { return api.Said{Body: body, Err: err} }

// reply takes the machine's reply out of an answer; one of another type is a
// bug of ours and becomes an error.
func reply[R any](s api.Said) (R, int16) {
	r, ok := s.Body.(R)
	switch {
	case s.Err != nil:
		return r, codeOf(s.Err)
	case !ok:
		return r, int16(wire.UnknownServerError)
	}
	return r, 0
}

// wordsOf is the message that goes with an error, nil where it would only say
// what the code says.
func wordsOf(err error) *string {
	if err == nil {
		return nil
	}
	text := wire.MessageOf(err)
	if text == "" || text == wire.CodeOf(err).Text() {
		return nil
	}
	return &text
}
