package coordinator

import "ottla/internal/wire"

// What commands hear that are not taken. All are retriable for Kafka's clients.
var (
	errIdle    = wire.Errorf(wire.NotCoordinator, "this node does not lead the coordinator's partition")
	errDoubt   = wire.Errorf(wire.NotCoordinator, "this node has not heard from the controller for so long that another may coordinate by now")
	errLoading = wire.Errorf(wire.CoordinatorLoadInProgress, "the coordinator's partition is being read")
	errFailed  = wire.Errorf(wire.CoordinatorNotAvailable, "the coordinator's partition cannot be read; the broker's log says why, and it is tried again")
	errNoTopic = wire.Errorf(wire.CoordinatorNotAvailable, "the coordinator's topic does not exist yet")
	errFull    = wire.Errorf(wire.CoordinatorLoadInProgress, "more requests than %d wait for the coordinator: try again later", mailboxSize)
	errCrowded = wire.Errorf(wire.CoordinatorLoadInProgress, "more than %d requests wait for something to happen in their groups: try again later", maxWaiting)
	errSilent  = wire.Errorf(wire.RequestTimedOut, "the coordinator did not answer in time")
	errClosed  = wire.Errorf(wire.NotCoordinator, "the node is stopping")
)

// refusalOf tells why a shard in that phase takes no command; nil when it
// does.
func refusalOf(p phase) error {
	switch p {
	case active:
		return nil
	case loading:
		return errLoading
	case failed:
		return errFailed
	}
	return errIdle
}

// lost is what a caller hears whose command was taken up when everything was
// lost: it may have been carried out.
func lost(cause error) error {
	return &wire.Error{
		Code:    wire.NotCoordinator,
		Message: "the coordinator lost what it had not committed; the request may have been carried out: find the coordinator and ask again",
		Cause:   cause,
	}
}

// timedOut is what a caller hears whose context ended.
func timedOut(cause error) error {
	return wire.Errorf(wire.RequestTimedOut, "the coordinator did not answer in time: %w", cause)
}
