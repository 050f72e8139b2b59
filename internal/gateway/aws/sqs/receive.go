package sqs

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ottla/internal/event/queue"
	"ottla/internal/gateway/aws/protocol"
)

// encodingAttribute tells that a body is not the message's text but its bytes
// in base64.
const encodingAttribute = "ottla.encoding"

type receiveIn struct {
	QueueURL             string   `json:"QueueUrl"`
	AttributeNames       []string `json:"AttributeNames" query:"AttributeName"`
	SystemAttributeNames []string `json:"MessageSystemAttributeNames" query:"MessageSystemAttributeName"`
	UserAttributeNames   []string `json:"MessageAttributeNames" query:"MessageAttributeName"`
	MaxNumberOfMessages  *int64   `json:"MaxNumberOfMessages"`
	VisibilityTimeout    *int64   `json:"VisibilityTimeout"`
	WaitTimeSeconds      *int64   `json:"WaitTimeSeconds"`
	AttemptID            string   `json:"ReceiveRequestAttemptId"`
}

// received is a message as it is answered.
type received struct {
	MessageID     string               `json:"MessageId"`
	Receipt       string               `json:"ReceiptHandle"`
	BodySum       string               `json:"MD5OfBody"`
	Body          string               `json:"Body"`
	System        map[string]string    `json:"Attributes,omitempty" query:"Attribute,Name,Value"`
	AttributesSum string               `json:"MD5OfMessageAttributes,omitempty"`
	Attributes    map[string]Attribute `json:"MessageAttributes,omitempty" query:"MessageAttribute,Name,Value"`
}

// receiveOut leaves an empty list out, as SQS does.
type receiveOut struct {
	Messages []received `json:"Messages,omitempty" query:"Message"`
}

// systemNames are the system attributes that may be asked for.
var systemNames = []string{
	"SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp", "SequenceNumber",
	"MessageDeduplicationId", "MessageGroupId", "AWSTraceHeader", "DeadLetterQueueSourceArn",
}

func (d door) receiveMessage(ctx context.Context, c *protocol.Call, in *receiveIn) (*receiveOut, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	o, err := in.options()
	if err != nil {
		return nil, err
	}
	system := slices.Concat(in.AttributeNames, in.SystemAttributeNames)
	for _, n := range system {
		if n != "All" && !slices.Contains(systemNames, n) && find(n) == nil {
			return nil, unknownAttribute(n)
		}
	}
	if o.WaitMs < 0 {
		q, err := d.queues.Get(ctx, ref)
		if err != nil {
			return nil, refuse(err)
		}
		o.WaitMs = q.WaitMs
	}
	r := &receiving{d: d, c: c, ref: ref, o: o, system: system, user: in.UserAttributeNames}
	r.o.WaitMs = 0
	out, err := r.take(ctx)
	if err != nil || len(out.Messages) > 0 || o.WaitMs == 0 {
		return out, err
	}
	return nil, &protocol.Wait{
		Key: ref.Full().Key(), For: time.Duration(o.WaitMs) * time.Millisecond, Over: &receiveOut{},
		Do: func(ctx context.Context) (any, error) {
			r.o.WaitMs = leftMs(ctx)
			return r.take(ctx)
		},
	}
}

// receiving is a receive that may wait: what it holds meanwhile is little.
type receiving struct {
	d            door
	c            *protocol.Call
	ref          queue.Ref
	o            queue.TakeOptions
	system, user []string // attributes that were asked for
}

// take takes what there is, or comes.
func (r *receiving) take(ctx context.Context) (*receiveOut, error) {
	taken, err := r.d.queues.Take(ctx, r.ref, r.o)
	if err != nil {
		return nil, refuse(err)
	}
	out := &receiveOut{}
	if len(taken) > 0 {
		out.Messages = make([]received, 0, len(taken))
	}
	for i := range taken {
		out.Messages = append(out.Messages, answerTaken(r.c, &taken[i], r.system, r.user))
	}
	return out, nil
}

// leftMs is how long ctx lasts still.
func leftMs(ctx context.Context) int64 {
	end, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(0, time.Until(end).Milliseconds())
}

// options checks how to take.
func (in *receiveIn) options() (queue.TakeOptions, error) {
	o := queue.TakeOptions{Max: 1, WaitMs: -1, VisibilityMs: -1, AttemptID: in.AttemptID}
	if n := in.MaxNumberOfMessages; n != nil {
		if *n < 1 || *n > queue.MaxTake {
			return o, badParameter("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and %d, if provided.", *n, queue.MaxTake)
		}
		o.Max = int(*n)
	}
	if n := in.WaitTimeSeconds; n != nil {
		if *n < 0 || *n > queue.MaxWaitMs/1000 {
			return o, badParameter("Value %d for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= %d, if provided.", *n, queue.MaxWaitMs/1000)
		}
		o.WaitMs = *n * 1000
	}
	if n := in.VisibilityTimeout; n != nil {
		if err := checkVisibility(*n); err != nil {
			return o, err
		}
		o.VisibilityMs = *n * 1000
	}
	return o, checkAttempt(in.AttemptID)
}

func checkAttempt(id string) error {
	if err := checkID("ReceiveRequestAttemptId", id); err != nil {
		return err
	}
	return nil
}

// answerTaken makes a message's answer with the attributes that were asked for.
func answerTaken(c *protocol.Call, t *queue.Taken, system, user []string) received {
	m := received{MessageID: t.ID, Receipt: t.Receipt, Body: string(t.Body)}
	for name, a := range t.Attributes {
		if asked(user, name) {
			m.put(name, shown(a))
		}
	}
	if permitted(m.Body) {
		m.BodySum = checksum(t.Body)
	} else {
		m.Body = base64.StdEncoding.EncodeToString(t.Body)
		m.BodySum = checksum([]byte(m.Body))
		how := "base64"
		m.put(encodingAttribute, Attribute{DataType: "String", StringValue: &how})
	}
	m.AttributesSum = checksumAttributes(m.Attributes)
	m.System = systemAttributes(c, t, system)
	return m
}

func (m *received) put(name string, a Attribute) {
	if m.Attributes == nil {
		m.Attributes = map[string]Attribute{}
	}
	m.Attributes[name] = a
}

// shown is an attribute as it is answered. What a Kafka producer wrote as a
// header may be anything: what is no text is Binary.
func shown(a queue.Attribute) Attribute {
	text := string(a.Value)
	if isBinary(a.Type) || !permitted(text) {
		kind := a.Type
		if !isBinary(kind) {
			kind = "Binary"
		}
		return Attribute{DataType: kind, BinaryValue: a.Value}
	}
	kind := a.Type
	if kind == "" {
		kind = "String"
	}
	return Attribute{DataType: kind, StringValue: &text}
}

// asked tells whether an attribute is among those that were asked for: All, .*,
// a name, or the beginning of names before .*
func asked(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		if n == "All" || n == name {
			return true
		}
		prefix, ok := strings.CutSuffix(n, ".*")
		return ok && strings.HasPrefix(name, prefix)
	})
}

func systemAttributes(c *protocol.Call, t *queue.Taken, names []string) map[string]string {
	if len(names) == 0 {
		return nil
	}
	have := map[string]string{
		"SenderId":                         c.Account,
		"SentTimestamp":                    strconv.FormatInt(t.SentMs, 10),
		"ApproximateReceiveCount":          strconv.Itoa(int(t.Count)),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(t.FirstTakenMs, 10),
		"SequenceNumber":                   t.Sequence,
		"MessageDeduplicationId":           t.DedupID,
		"MessageGroupId":                   t.Group,
		"AWSTraceHeader":                   t.System["AWSTraceHeader"],
		"DeadLetterQueueSourceArn":         t.DeadLetterSource,
	}
	if !strings.HasPrefix(t.DeadLetterSource, "arn:") { // the topic of a Kafka share group
		delete(have, "DeadLetterQueueSourceArn")
	}
	if t.FirstTakenMs == 0 {
		delete(have, "ApproximateFirstReceiveTimestamp")
	}
	all := slices.Contains(names, "All")
	maps.DeleteFunc(have, func(name, value string) bool {
		return value == "" || !all && !slices.Contains(names, name)
	})
	if len(have) == 0 {
		return nil
	}
	return have
}
