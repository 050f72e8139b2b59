package sqs

import (
	"context"
	"errors"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/queue"
	"ottla/internal/gateway/aws/protocol"
)

type deleteIn struct {
	QueueURL string `json:"QueueUrl"`
	Receipt  string `json:"ReceiptHandle"`
}

func (d door) deleteMessage(ctx context.Context, c *protocol.Call, in *deleteIn) (*protocol.Nothing, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	if in.Receipt == "" {
		return nil, missing("ReceiptHandle")
	}
	return nil, deleted(ref, in.Receipt, d.queues.Ack(ctx, ref, []string{in.Receipt})[0])
}

// deleted is what SQS says of an acknowledgement. A receipt that is not good
// any more deletes nothing; on a standard queue that is no error, on a FIFO queue
// it is.
func deleted(ref queue.Ref, receipt string, err error) error {
	if !errors.Is(err, queue.ErrStale) {
		return refuse(err)
	}
	if !strings.HasSuffix(ref.Name, name.FIFOSuffix) {
		return nil
	}
	return badParameter("Value %s for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.", receipt)
}

type deleteEntry struct {
	ID      string `json:"Id"`
	Receipt string `json:"ReceiptHandle"`
}

type deleteBatchIn struct {
	QueueURL string        `json:"QueueUrl"`
	Entries  []deleteEntry `json:"Entries" query:"DeleteMessageBatchRequestEntry"`
}

type deleteBatchOut struct {
	Successful []succeeded `json:"Successful,omitempty" query:"DeleteMessageBatchResultEntry"`
	Failed     []Failed    `json:"Failed,omitempty" query:"BatchResultErrorEntry"`
}

func (d door) deleteMessageBatch(ctx context.Context, c *protocol.Call, in *deleteBatchIn) (*deleteBatchOut, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("DeleteMessage", in.Entries, func(e deleteEntry) string { return e.ID }); err != nil {
		return nil, err
	}
	if _, err := d.queues.Get(ctx, ref); err != nil {
		return nil, refuse(err)
	}
	receipts := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		receipts[i] = e.Receipt
	}
	out := &deleteBatchOut{}
	for i, err := range d.queues.Ack(ctx, ref, receipts) {
		e := in.Entries[i]
		if err := deleted(ref, e.Receipt, err); err != nil {
			out.Failed = append(out.Failed, failed(e.ID, err))
			continue
		}
		out.Successful = append(out.Successful, succeeded{e.ID})
	}
	return out, nil
}
