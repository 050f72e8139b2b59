package sqs

import (
	"context"
	"errors"

	"ottla/internal/event/queue"
	"ottla/internal/gateway/aws/protocol"
)

const maxVisibility = queue.MaxVisibilityMs / 1000

func checkVisibility(seconds int64) error {
	if seconds < 0 || seconds > maxVisibility {
		return badParameter("Value %d for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= %d, if provided.", seconds, maxVisibility)
	}
	return nil
}

type visibilityIn struct {
	QueueURL          string `json:"QueueUrl"`
	Receipt           string `json:"ReceiptHandle"`
	VisibilityTimeout *int64 `json:"VisibilityTimeout"`
}

func (d door) changeVisibility(ctx context.Context, c *protocol.Call, in *visibilityIn) (*protocol.Nothing, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	x, err := extension(in.Receipt, in.VisibilityTimeout)
	if err != nil {
		return nil, err
	}
	return nil, changed(x.Receipt, d.queues.Extend(ctx, ref, []queue.Extension{x})[0])
}

// changed is what SQS says of a change. That the time is over is no error on a
// standard queue while nobody else got the message; of a receipt that is void it
// says this, although it has a shape MessageNotInflight.
func changed(receipt string, err error) error {
	if !errors.Is(err, queue.ErrStale) {
		return refuse(err)
	}
	return badParameter("Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", receipt)
}

func extension(receipt string, seconds *int64) (queue.Extension, error) {
	switch {
	case receipt == "":
		return queue.Extension{}, missing("ReceiptHandle")
	case seconds == nil:
		return queue.Extension{}, missing("VisibilityTimeout")
	}
	return queue.Extension{Receipt: receipt, ForMs: *seconds * 1000}, checkVisibility(*seconds)
}

type visibilityEntry struct {
	ID                string `json:"Id"`
	Receipt           string `json:"ReceiptHandle"`
	VisibilityTimeout *int64 `json:"VisibilityTimeout"`
}

type visibilityBatchIn struct {
	QueueURL string            `json:"QueueUrl"`
	Entries  []visibilityEntry `json:"Entries" query:"ChangeMessageVisibilityBatchRequestEntry"`
}

type visibilityBatchOut struct {
	Successful []succeeded `json:"Successful,omitempty" query:"ChangeMessageVisibilityBatchResultEntry"`
	Failed     []Failed    `json:"Failed,omitempty" query:"BatchResultErrorEntry"`
}

func (d door) changeVisibilityBatch(ctx context.Context, c *protocol.Call, in *visibilityBatchIn) (*visibilityBatchOut, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("ChangeMessageVisibility", in.Entries, func(e visibilityEntry) string { return e.ID }); err != nil {
		return nil, err
	}
	if _, err := d.queues.Get(ctx, ref); err != nil {
		return nil, refuse(err)
	}
	out := &visibilityBatchOut{}
	var ids []string
	var all []queue.Extension
	for _, e := range in.Entries {
		x, err := extension(e.Receipt, e.VisibilityTimeout)
		if err != nil {
			out.Failed = append(out.Failed, failed(e.ID, err))
			continue
		}
		ids, all = append(ids, e.ID), append(all, x)
	}
	if len(all) == 0 {
		return out, nil
	}
	for i, err := range d.queues.Extend(ctx, ref, all) {
		if err := changed(all[i].Receipt, err); err != nil {
			out.Failed = append(out.Failed, failed(ids[i], err))
			continue
		}
		out.Successful = append(out.Successful, succeeded{ids[i]})
	}
	return out, nil
}
