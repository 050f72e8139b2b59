package own

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

// The keys of the requests between nodes. Numbers are never used again.
const (
	First              = wire.OwnFirst
	KeyCommand         = wire.OwnFirst + iota - 1 // to the controller (package control)
	KeyReplicaProgress                            // how far a follower has synced (package replicate)
	KeyJoinQuorum                                 // a node wants into the metadata quorum (package quorum)
	KeyNodeHeartbeat                              // a node is alive, and how far it got (package liveness)
	KeyTimers                                     // to the coordinator of timers (package kafka/timers)
	KeyQueueTake                                  // messages of a queue by receipts (package kafka/queues)
	KeyQueueRedeem                                // what shall be done with them (package kafka/queues)
	KeyQueueAsk                                   // where a queue stands (package kafka/queues)
	KeyQueueContents                              // what of a queue is not done (package kafka/queues)
	KeyQueueHold                                  // particular messages of a queue by receipts (package kafka/queues)
	KeyQueueFirsts                                // which messages of a queue repeat others (package kafka/queues)
)

// RequestForKey makes an empty request, nil when the key is none of ours.
func RequestForKey(key int16) kmsg.Request {
	switch key {
	case KeyCommand:
		return &CommandRequest{}
	case KeyReplicaProgress:
		return &ProgressRequest{}
	case KeyJoinQuorum:
		return &JoinQuorumRequest{}
	case KeyNodeHeartbeat:
		return &HeartbeatRequest{}
	case KeyQueueTake:
		return &QueueTakeRequest{}
	case KeyQueueRedeem:
		return &QueueRedeemRequest{}
	case KeyQueueAsk:
		return &QueueAskRequest{}
	case KeyQueueContents:
		return &QueueContentsRequest{}
	case KeyQueueHold:
		return &QueueHoldRequest{}
	case KeyQueueFirsts:
		return &QueueFirstsRequest{}
	case KeyTimers:
		return &TimersRequest{}
	}
	return nil
}

// Unanswered is implemented by requests that get no answer.
type Unanswered interface {
	kmsg.Request
	// NoAnswer says so.
	NoAnswer()
}
