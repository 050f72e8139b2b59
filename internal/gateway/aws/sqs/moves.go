package sqs

import (
	"context"
	"errors"

	"ottla/internal/event/queue"
	"ottla/internal/gateway/aws/protocol"
)

// Limits of move tasks.
const (
	maxMoveRate = 500
	maxMoves    = 10
)

type startMoveIn struct {
	Source      string `json:"SourceArn"`
	Destination string `json:"DestinationArn"`
	Rate        *int64 `json:"MaxNumberOfMessagesPerSecond"`
}

type handleOut struct {
	TaskHandle string `json:"TaskHandle"`
}

func (d door) startMove(ctx context.Context, _ *protocol.Call, in *startMoveIn) (*handleOut, error) {
	from, err := moveQueue("SourceArn", in.Source)
	if err != nil {
		return nil, err
	}
	if err := d.isDeadLetters(ctx, from); err != nil {
		return nil, err
	}
	var to *queue.Ref
	if in.Destination != "" {
		ref, err := moveQueue("DestinationArn", in.Destination)
		if err != nil {
			return nil, err
		}
		if ref == from {
			return nil, badParameter("Source queue arn and destination queue arn cannot be the same.")
		}
		if _, err := d.queues.Get(ctx, ref); err != nil {
			return nil, refuseMove("DestinationArn", err)
		}
		to = &ref
	}
	rate := int64(0)
	if in.Rate != nil {
		if rate = *in.Rate; rate < 1 || rate > maxMoveRate {
			return nil, badParameter("Value %d for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a value between 1 and %d.", rate, maxMoveRate)
		}
	}
	m, err := d.queues.StartMove(ctx, from, to, int32(rate))
	if err != nil {
		return nil, refuseMove("SourceArn", err)
	}
	return &handleOut{m.Handle}, nil
}

// isDeadLetters refuses a queue that no other names for its dead letters, as
// SQS does.
func (d door) isDeadLetters(ctx context.Context, ref queue.Ref) error {
	if _, err := d.queues.Get(ctx, ref); err != nil {
		return refuseMove("SourceArn", err)
	}
	sources, _, err := d.queues.SourcesOf(ctx, ref, "", 1)
	if err != nil {
		return refuse(err)
	}
	if len(sources) == 0 {
		return badParameter("Source queue must be configured as a Dead Letter Queue.")
	}
	return nil
}

func moveQueue(parameter, arn string) (queue.Ref, error) {
	if arn == "" {
		return queue.Ref{}, missing(parameter)
	}
	ref, err := fromARN(arn)
	if err != nil {
		return ref, badParameter("Value %s for parameter %s is invalid. Reason: %v.", arn, parameter, err)
	}
	return ref, nil
}

// refuseMove says ResourceNotFoundException where other operations say that
// there is no queue.
func refuseMove(parameter string, err error) error {
	if errors.Is(err, queue.ErrNotFound) {
		return noResource("The resource that you specified for the %s parameter doesn't exist.", parameter)
	}
	return refuse(err)
}

type cancelMoveIn struct {
	TaskHandle string `json:"TaskHandle"`
}

type cancelMoveOut struct {
	Moved int64 `json:"ApproximateNumberOfMessagesMoved"`
}

func (d door) cancelMove(ctx context.Context, _ *protocol.Call, in *cancelMoveIn) (*cancelMoveOut, error) {
	if in.TaskHandle == "" {
		return nil, missing("TaskHandle")
	}
	m, err := d.queues.CancelMove(ctx, in.TaskHandle)
	if errors.Is(err, queue.ErrNotFound) {
		return nil, noResource("Task does not exist.")
	}
	if err != nil {
		return nil, refuse(err)
	}
	return &cancelMoveOut{m.Moved}, nil
}

type listMovesIn struct {
	Source     string `json:"SourceArn"`
	MaxResults *int64 `json:"MaxResults"`
}

type moveTask struct {
	TaskHandle  string `json:"TaskHandle,omitempty"`
	Status      string `json:"Status"`
	Source      string `json:"SourceArn"`
	Destination string `json:"DestinationArn,omitempty"`
	Rate        int32  `json:"MaxNumberOfMessagesPerSecond,omitempty"`
	Moved       int64  `json:"ApproximateNumberOfMessagesMoved"`
	ToMove      int64  `json:"ApproximateNumberOfMessagesToMove"`
	Failure     string `json:"FailureReason,omitempty"`
	Started     int64  `json:"StartedTimestamp"`
}

type listMovesOut struct {
	Results []moveTask `json:"Results,omitempty" query:"ListMessageMoveTasksResultEntry"`
}

func (d door) listMoves(ctx context.Context, _ *protocol.Call, in *listMovesIn) (*listMovesOut, error) {
	from, err := moveQueue("SourceArn", in.Source)
	if err != nil {
		return nil, err
	}
	most := int64(1)
	if in.MaxResults != nil {
		if most = *in.MaxResults; most < 1 || most > maxMoves {
			return nil, badParameter("Value %d for parameter MaxResults is invalid. Reason: You must enter a value between 1 and %d.", most, maxMoves)
		}
	}
	if _, err := d.queues.Get(ctx, from); err != nil {
		return nil, refuseMove("SourceArn", err)
	}
	moves, err := d.queues.ListMoves(ctx, from, int(most))
	if err != nil {
		return nil, refuseMove("SourceArn", err)
	}
	out := &listMovesOut{}
	for _, m := range moves {
		t := moveTask{Status: m.Status, Source: in.Source, Rate: m.RatePerSecond, Moved: m.Moved, ToMove: m.ToMove, Failure: m.FailureReason, Started: m.StartedMs}
		if m.Status == queue.MoveRunning {
			t.TaskHandle = m.Handle // SQS tells it while there is something to cancel
		}
		if m.To != nil {
			t.Destination = m.To.ARN()
		}
		out.Results = append(out.Results, t)
	}
	return out, nil
}
