package sqs

import (
	"context"

	"ottla/internal/event/queue"
	"ottla/internal/gateway/aws/protocol"
)

// entry is a message to be sent, alone or in a batch.
type entry struct {
	ID               string               `json:"Id,omitempty"`
	Body             *string              `json:"MessageBody"`
	DelaySeconds     *int64               `json:"DelaySeconds"`
	Attributes       map[string]Attribute `json:"MessageAttributes" query:"MessageAttribute,Name,Value"`
	SystemAttributes map[string]Attribute `json:"MessageSystemAttributes" query:"MessageSystemAttribute,Name,Value"`
	Dedup            string               `json:"MessageDeduplicationId"`
	Group            string               `json:"MessageGroupId"`
	sum              string               // of the body, once it was checked
}

type sendIn struct {
	QueueURL         string               `json:"QueueUrl"`
	Body             *string              `json:"MessageBody"`
	DelaySeconds     *int64               `json:"DelaySeconds"`
	Attributes       map[string]Attribute `json:"MessageAttributes" query:"MessageAttribute,Name,Value"`
	SystemAttributes map[string]Attribute `json:"MessageSystemAttributes" query:"MessageSystemAttribute,Name,Value"`
	Dedup            string               `json:"MessageDeduplicationId"`
	Group            string               `json:"MessageGroupId"`
}

// sent is the answer for one message.
type sent struct {
	ID               string `json:"Id,omitempty"`
	MessageID        string `json:"MessageId"`
	BodySum          string `json:"MD5OfMessageBody"`
	AttributesSum    string `json:"MD5OfMessageAttributes,omitempty"`
	SystemAttributes string `json:"MD5OfMessageSystemAttributes,omitempty"`
	SequenceNumber   string `json:"SequenceNumber,omitempty"`
}

func (d door) sendMessage(ctx context.Context, c *protocol.Call, in *sendIn) (*sent, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	q, err := d.queues.Get(ctx, ref)
	if err != nil {
		return nil, refuse(err)
	}
	e := entry{Body: in.Body, DelaySeconds: in.DelaySeconds, Attributes: in.Attributes, SystemAttributes: in.SystemAttributes, Dedup: in.Dedup, Group: in.Group}
	m, _, err := e.message(&q)
	if err != nil {
		return nil, err
	}
	done, err := d.queues.Send(ctx, ref, []queue.Message{m})
	if err != nil {
		return nil, refuse(err)
	}
	if err := done[0].Err; err != nil {
		return nil, refuse(err)
	}
	out := e.answer(done[0])
	return &out, nil
}

type sendBatchIn struct {
	QueueURL string  `json:"QueueUrl"`
	Entries  []entry `json:"Entries" query:"SendMessageBatchRequestEntry"`
}

// sendBatchOut, as the answers to all batches, leaves empty lists out, as SQS does
// whatever its model says: SDKs tell by that whether any entry failed.
type sendBatchOut struct {
	Successful []sent   `json:"Successful,omitempty" query:"SendMessageBatchResultEntry"`
	Failed     []Failed `json:"Failed,omitempty" query:"BatchResultErrorEntry"`
}

func (d door) sendMessageBatch(ctx context.Context, c *protocol.Call, in *sendBatchIn) (*sendBatchOut, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("SendMessage", in.Entries, func(e entry) string { return e.ID }); err != nil {
		return nil, err
	}
	q, err := d.queues.Get(ctx, ref)
	if err != nil {
		return nil, refuse(err)
	}
	if err := checkBatchIDs(in.Entries, &q); err != nil {
		return nil, err
	}
	out := &sendBatchOut{}
	good, messages := make([]*entry, 0, len(in.Entries)), make([]queue.Message, 0, len(in.Entries))
	total := 0
	for i := range in.Entries {
		e := &in.Entries[i]
		m, size, err := e.message(&q)
		total += size
		if err != nil {
			out.Failed = append(out.Failed, failed(e.ID, err))
			continue
		}
		good, messages = append(good, e), append(messages, m)
	}
	if total > maxBytes {
		return nil, refusal("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxBytes, total)
	}
	if len(messages) == 0 {
		return out, nil
	}
	done, err := d.queues.Send(ctx, ref, messages)
	if err != nil {
		return nil, refuse(err)
	}
	out.Successful = make([]sent, 0, len(good))
	for i, e := range good {
		if done[i].Err != nil {
			out.Failed = append(out.Failed, failed(e.ID, refuse(done[i].Err)))
			continue
		}
		out.Successful = append(out.Successful, e.answer(done[i]))
	}
	return out, nil
}

// checkBatchIDs refuses the whole batch for a FIFO queue when an entry has no group,
// or nothing by which repeats are told, as SQS does.
func checkBatchIDs(entries []entry, q *queue.Queue) error {
	if !q.FIFO {
		return nil
	}
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Group == "":
			return badParameter("The request must contain the parameter MessageGroupId.")
		case e.Dedup == "" && !q.ContentDedup:
			return noDedup()
		}
	}
	return nil
}

func noDedup() *protocol.Error {
	return badParameter("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
}

// message checks an entry as its queue wants it. The size counts for the batch
// even where the entry is refused.
func (e *entry) message(q *queue.Queue) (queue.Message, int, error) {
	var m queue.Message
	if e.Body == nil || *e.Body == "" {
		return m, 0, missing("MessageBody")
	}
	size := len(*e.Body)
	if !permitted(*e.Body) {
		return m, size, badContents("Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
	}
	more, bad := checkAttributes(e.Attributes)
	if bad != nil {
		return m, size, bad
	}
	size += more
	if size > int(q.MaxMessageBytes) {
		return m, size, badParameter("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.MaxMessageBytes)
	}
	bytes := []byte(*e.Body)
	e.sum = checksum(bytes)
	m = queue.Message{Body: bytes, Attributes: stored(e.Attributes), Group: e.Group, DedupID: e.Dedup, DelayMs: -1}
	var err error
	if m.System, err = e.system(); err != nil {
		return m, size, err
	}
	if m.DelayMs, err = e.delay(q); err != nil {
		return m, size, err
	}
	return m, size, e.checkIDs(q)
}

// system are the system attributes: tracing is the only one that is sent.
func (e *entry) system() (map[string]string, error) {
	if len(e.SystemAttributes) == 0 {
		return nil, nil
	}
	out := map[string]string{}
	for _, name := range sorted(e.SystemAttributes) {
		a := e.SystemAttributes[name]
		if name != "AWSTraceHeader" {
			return nil, badParameter("Message system attribute name '%s' is invalid.", name)
		}
		if a.DataType != "String" || a.StringValue == nil || *a.StringValue == "" || !permitted(*a.StringValue) {
			return nil, badParameter("Message system attribute '%s' is a String that is not empty.", name)
		}
		out[name] = *a.StringValue
	}
	return out, nil
}

func (e *entry) delay(q *queue.Queue) (int64, error) {
	if e.DelaySeconds == nil {
		return -1, nil
	}
	n := *e.DelaySeconds
	if n < 0 || n > maxDelay {
		return 0, badParameter("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= %d.", n, maxDelay)
	}
	if !q.FIFO {
		return n * 1000, nil
	}
	if n != 0 && n*1000 != q.DelayMs { // a delay of its own would let others of its group overtake
		return 0, badParameter("Value %d for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.", n)
	}
	return -1, nil
}

func (e *entry) checkIDs(q *queue.Queue) error {
	if err := checkID("MessageGroupId", e.Group); err != nil {
		return err
	}
	if err := checkID("MessageDeduplicationId", e.Dedup); err != nil {
		return err
	}
	switch {
	case q.FIFO && e.Group == "":
		return missing("MessageGroupId")
	case q.FIFO && e.Dedup == "" && !q.ContentDedup:
		return noDedup()
	case !q.FIFO && e.Dedup != "":
		return badParameter("Value %s for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for this queue type.", e.Dedup)
	}
	return nil
}

// stored are attributes as queues keep them.
func stored(all map[string]Attribute) map[string]queue.Attribute {
	if len(all) == 0 {
		return nil
	}
	out := make(map[string]queue.Attribute, len(all))
	for name, a := range all {
		out[name] = queue.Attribute{Type: a.DataType, Value: a.bytes()}
	}
	return out
}

func (e *entry) answer(s queue.Sent) sent {
	return sent{
		ID: e.ID, MessageID: s.ID, SequenceNumber: s.Sequence,
		BodySum: e.sum, AttributesSum: checksumAttributes(e.Attributes), SystemAttributes: checksumAttributes(e.SystemAttributes),
	}
}
