package sqs

import (
	"context"
	"errors"

	"ottla/internal/event/queue"
	"ottla/internal/gateway/aws"
	"ottla/internal/gateway/aws/protocol"
)

// Queues is what the door asks of queues; internal/event/queue has it.
type Queues interface {
	Create(ctx context.Context, ref queue.Ref, spec queue.Spec) (q queue.Queue, created bool, err error)
	Get(ctx context.Context, ref queue.Ref) (queue.Queue, error)
	List(ctx context.Context, prefix queue.Ref, after string, most int) (queues []queue.Queue, next string, err error)
	SourcesOf(ctx context.Context, ref queue.Ref, after string, most int) (queues []queue.Queue, next string, err error)
	Update(ctx context.Context, ref queue.Ref, change func(*queue.Spec) error) (queue.Queue, error)
	Delete(ctx context.Context, ref queue.Ref) error
	Purge(ctx context.Context, ref queue.Ref) error
	Stats(ctx context.Context, ref queue.Ref) (queue.Stats, error)

	Send(ctx context.Context, ref queue.Ref, messages []queue.Message) ([]queue.Sent, error)
	Take(ctx context.Context, ref queue.Ref, o queue.TakeOptions) ([]queue.Taken, error)
	Ack(ctx context.Context, ref queue.Ref, receipts []string) []error
	Extend(ctx context.Context, ref queue.Ref, extensions []queue.Extension) []error

	StartMove(ctx context.Context, from queue.Ref, to *queue.Ref, ratePerSecond int32) (queue.Move, error)
	CancelMove(ctx context.Context, handle string) (queue.Move, error)
	ListMoves(ctx context.Context, from queue.Ref, most int) ([]queue.Move, error)
}

// door answers SQS's calls from queues.
type door struct{ queues Queues }

const namespace = "http://queue.amazonaws.com/doc/2012-11-05/"

// Service is SQS on queues.
func Service(queues Queues) *aws.Service {
	d := door{queues}
	const noPolicies = "policies are stored and told back (the attribute Policy) and mean nothing, since there are no users yet"
	return &aws.Service{
		Name: "sqs", Target: "AmazonSQS", Versions: []string{"2012-11-05", "2011-10-01", "2009-02-01"}, XMLNamespace: namespace,
		JSON: protocol.JSON{Type: "application/x-amz-json-1.0", Namespace: "com.amazonaws.sqs", QueryCompatible: true},
		Ops:  d.ops(),
		Refused: map[string]string{
			"AddPermission": noPolicies, "RemovePermission": noPolicies,
		},
	}
}

// ops is the table of operations, in the order of the documentation.
func (d door) ops() []protocol.Op {
	return []protocol.Op{
		protocol.Handle("CreateQueue", "encryption attributes are refused; a name can be used again at once", d.createQueue),
		protocol.Handle("GetQueueUrl", "", d.getQueueURL),
		protocol.Handle("ListQueues", "", d.listQueues),
		protocol.Handle("DeleteQueue", "at once", d.deleteQueue),
		protocol.Handle("PurgeQueue", "at once, and as often as you like", d.purgeQueue),
		protocol.Handle("GetQueueAttributes", "counts are exact", d.getQueueAttributes),
		protocol.Handle("SetQueueAttributes", "at once; Policy is stored and means nothing", d.setQueueAttributes),
		protocol.Handle("ListQueueTags", "", d.listQueueTags),
		protocol.Handle("TagQueue", "", d.tagQueue),
		protocol.Handle("UntagQueue", "", d.untagQueue),
		protocol.Handle("SendMessage", "answered when durable; a FIFO duplicate is answered with the first one's id and sequence number, but of a queue with a delay", d.sendMessage),
		protocol.Handle("SendMessageBatch", "answered when durable", d.sendMessageBatch),
		protocol.Handle("ReceiveMessage", "SenderId is the account; bodies that are no text come in base64 (ottla.encoding)", d.receiveMessage),
		protocol.Handle("DeleteMessage", "", d.deleteMessage),
		protocol.Handle("DeleteMessageBatch", "", d.deleteMessageBatch),
		protocol.Handle("ChangeMessageVisibility", "", d.changeVisibility),
		protocol.Handle("ChangeMessageVisibilityBatch", "", d.changeVisibilityBatch),
		protocol.Handle("ListDeadLetterSourceQueues", "", d.listDeadLetterSources),
		protocol.Handle("StartMessageMoveTask", "", d.startMove),
		protocol.Handle("CancelMessageMoveTask", "", d.cancelMove),
		protocol.Handle("ListMessageMoveTasks", "", d.listMoves),
	}
}

// refuse turns an error of queues into SQS's. What a door checks before it
// asks never comes back from there.
func refuse(err error) error {
	var ours *protocol.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return err
	case errors.Is(err, queue.ErrNotFound):
		return noQueue()
	case errors.Is(err, queue.ErrExists):
		return queueExists("A queue already exists with the same name and different attributes: " + err.Error())
	case errors.Is(err, queue.ErrTooLarge):
		return badParameter("One or more parameters are invalid. Reason: %v", err)
	case errors.Is(err, queue.ErrInvalid):
		return badParameter("%v", err)
	case errors.Is(err, queue.ErrReceipt):
		return badReceipt()
	case errors.Is(err, queue.ErrTooMany):
		e := protocol.Errorf("OverLimit", "%v", err)
		e.Status = 403
		return e
	case errors.Is(err, queue.ErrBusy):
		return badParameter("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	case errors.Is(err, queue.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &protocol.Error{Shape: "ServiceUnavailable", Status: 503, Message: "The queue cannot be reached at the moment; try again.", Cause: err}
	}
	return protocol.Internal(err)
}
