package sqs

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"ottla/internal/event/queue"
	"ottla/internal/gateway/aws/protocol"
)

// attribute is one attribute of queues. Times are seconds on the wire and
// milliseconds inside.
type attribute struct {
	name string
	// get tells its value; "" leaves it out.
	get func(*queue.Queue) string
	// set checks a value and puts it into a Spec; nil for what only AWS sets.
	set func(s *queue.Spec, value string) error
	// made says that only CreateQueue may set it, fifo that only FIFO queues have
	// it.
	made, fifo bool
	// count tells it from the counts instead.
	count func(queue.Stats) int64
}

// attributes are all that queues have.
var attributes = []attribute{
	seconds("VisibilityTimeout", 0, queue.MaxVisibilityMs/1000, func(s *queue.Spec) *int64 { return &s.VisibilityMs }),
	seconds("DelaySeconds", 0, maxDelay, func(s *queue.Spec) *int64 { return &s.DelayMs }),
	seconds("MessageRetentionPeriod", queue.MinRetentionMs/1000, queue.MaxRetentionMs/1000, func(s *queue.Spec) *int64 { return &s.RetentionMs }),
	seconds("ReceiveMessageWaitTimeSeconds", 0, queue.MaxWaitMs/1000, func(s *queue.Spec) *int64 { return &s.WaitMs }),
	{
		name: "MaximumMessageSize",
		get:  func(q *queue.Queue) string { return strconv.Itoa(int(q.MaxMessageBytes)) },
		set: func(s *queue.Spec, value string) error {
			n, err := whole("MaximumMessageSize", value, queue.MinMessageBytes, queue.MaxMessageBytes)
			s.MaxMessageBytes = int32(n)
			return err
		},
	},
	{name: "FifoQueue", made: true,
		get: func(q *queue.Queue) string {
			if !q.FIFO {
				return "" // told of FIFO queues alone, as at AWS
			}
			return "true"
		},
		set: func(s *queue.Spec, value string) error { return truth("FifoQueue", value, &s.FIFO) }},
	{name: "ContentBasedDeduplication", fifo: true,
		get: func(q *queue.Queue) string { return strconv.FormatBool(q.ContentDedup) },
		set: func(s *queue.Spec, value string) error {
			return truth("ContentBasedDeduplication", value, &s.ContentDedup)
		}},
	oneOf("DeduplicationScope", []string{queue.ScopeQueue, queue.ScopeGroup}, func(s *queue.Spec) *string { return &s.DedupScope }),
	oneOf("FifoThroughputLimit", []string{queue.PerQueue, queue.PerGroup}, func(s *queue.Spec) *string { return &s.ThroughputLimit }),
	{name: "RedrivePolicy", get: redrivePolicy, set: setRedrivePolicy},
	{name: "RedriveAllowPolicy", get: allowPolicy, set: setAllowPolicy},
	{name: "Policy", get: func(q *queue.Queue) string { return q.Policy }, set: setPolicy},
	{name: "KmsMasterKeyId", get: nothing, set: func(_ *queue.Spec, value string) error {
		if value != "" {
			return badAttribute("KmsMasterKeyId", "there is no encryption of queues here")
		}
		return nil
	}},
	{name: "KmsDataKeyReusePeriodSeconds", get: nothing, set: func(_ *queue.Spec, value string) error {
		_, err := whole("KmsDataKeyReusePeriodSeconds", value, 60, 86_400)
		return err
	}},
	{name: "SqsManagedSseEnabled", get: func(*queue.Queue) string { return "false" }, set: func(_ *queue.Spec, value string) error {
		var on bool
		if err := truth("SqsManagedSseEnabled", value, &on); err != nil || !on {
			return err
		}
		return badAttribute("SqsManagedSseEnabled", "there is no encryption of queues here")
	}},
	{name: "QueueArn", get: func(q *queue.Queue) string { return q.Ref.ARN() }},
	{name: "CreatedTimestamp", get: func(q *queue.Queue) string { return strconv.FormatInt(q.Created.Unix(), 10) }},
	{name: "LastModifiedTimestamp", get: func(q *queue.Queue) string { return strconv.FormatInt(q.Modified.Unix(), 10) }},
	{name: "ApproximateNumberOfMessages", count: func(s queue.Stats) int64 { return s.Waiting }},
	{name: "ApproximateNumberOfMessagesNotVisible", count: func(s queue.Stats) int64 { return s.InFlight }},
	{name: "ApproximateNumberOfMessagesDelayed", count: func(s queue.Stats) int64 { return s.Delayed }},
}

func nothing(*queue.Queue) string { return "" }

func seconds(name string, least, most int64, field func(*queue.Spec) *int64) attribute {
	return attribute{
		name: name,
		get:  func(q *queue.Queue) string { return strconv.FormatInt(*field(&q.Spec)/1000, 10) },
		set: func(s *queue.Spec, value string) error {
			n, err := whole(name, value, least, most)
			*field(s) = n * 1000
			return err
		},
	}
}

func oneOf(name string, values []string, field func(*queue.Spec) *string) attribute {
	return attribute{
		name: name, fifo: true,
		get: func(q *queue.Queue) string {
			if v := *field(&q.Spec); v != "" {
				return v
			}
			return values[0]
		},
		set: func(s *queue.Spec, value string) error {
			if !slices.Contains(values, value) {
				return badAttribute(name, "it is one of %v", values)
			}
			*field(s) = value
			return nil
		},
	}
}

func whole(name, value string, least, most int64) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < least || n > most {
		return least, badAttribute(name, "it is a whole number from %d to %d, not %q", least, most, value)
	}
	return n, nil
}

func truth(name, value string, into *bool) error {
	b, err := strconv.ParseBool(value)
	if err != nil {
		return badAttribute(name, "it is true or false, not %q", value)
	}
	*into = b
	return nil
}

func find(name string) *attribute {
	for i := range attributes {
		if attributes[i].name == name {
			return &attributes[i]
		}
	}
	return nil
}

// apply puts values into a Spec.
func apply(s *queue.Spec, values map[string]string, making bool) error {
	for _, name := range sorted(values) {
		a := find(name)
		switch {
		case a == nil || a.set == nil:
			return unknownAttribute(name)
		case a.made && !making:
			if err := unchanged(a, s, values[name]); err != nil {
				return err
			}
			continue
		case a.fifo && !s.FIFO && values["FifoQueue"] != "true":
			return unknownAttribute(name)
		}
		if err := a.set(s, values[name]); err != nil {
			return err
		}
	}
	return checkTogether(s)
}

// unchanged refuses another value of what only CreateQueue sets.
func unchanged(a *attribute, s *queue.Spec, value string) error {
	was := a.get(&queue.Queue{Spec: *s})
	if was == "" {
		return unknownAttribute(a.name) // a queue of this kind has none
	}
	if was != value {
		return badAttribute(a.name, "Modifying queue type is not supported")
	}
	return nil
}

// checkTogether checks what attributes ask of each other.
func checkTogether(s *queue.Spec) error {
	if s.FIFO && s.ThroughputLimit == queue.PerGroup && s.DedupScope != queue.ScopeGroup {
		return badAttribute("FifoThroughputLimit", "perMessageGroupId needs DeduplicationScope messageGroup")
	}
	return nil
}

type getAttributesIn struct {
	QueueURL       string   `json:"QueueUrl"`
	AttributeNames []string `json:"AttributeNames" query:"AttributeName"`
}

type getAttributesOut struct {
	Attributes map[string]string `json:"Attributes,omitempty" query:"Attribute,Name,Value"`
}

func (d door) getQueueAttributes(ctx context.Context, c *protocol.Call, in *getAttributesIn) (*getAttributesOut, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	for _, n := range in.AttributeNames {
		if n != "All" && find(n) == nil {
			return nil, unknownAttribute(n)
		}
	}
	q, err := d.queues.Get(ctx, ref)
	if err != nil {
		return nil, refuse(err)
	}
	all := slices.Contains(in.AttributeNames, "All")
	wanted := func(a attribute) bool { return all || slices.Contains(in.AttributeNames, a.name) }
	var stats queue.Stats
	if slices.ContainsFunc(attributes, func(a attribute) bool { return a.count != nil && wanted(a) }) {
		if stats, err = d.queues.Stats(ctx, ref); err != nil {
			return nil, refuse(err)
		}
	}
	out := map[string]string{}
	for _, a := range attributes {
		if !wanted(a) || a.fifo && !q.FIFO {
			continue
		}
		if a.count != nil {
			out[a.name] = strconv.FormatInt(a.count(stats), 10)
		} else if v := a.get(&q); v != "" {
			out[a.name] = v
		}
	}
	return &getAttributesOut{out}, nil
}

type setAttributesIn struct {
	QueueURL   string            `json:"QueueUrl"`
	Attributes map[string]string `json:"Attributes" query:"Attribute,Name,Value"`
}

func (d door) setQueueAttributes(ctx context.Context, c *protocol.Call, in *setAttributesIn) (*protocol.Nothing, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	if len(in.Attributes) == 0 {
		return nil, missing("Attribute.Name")
	}
	_, err = d.queues.Update(ctx, ref, func(s *queue.Spec) error { return apply(s, in.Attributes, false) })
	return nil, refuse(err)
}

// compact gives JSON without spaces, so that what was put equals what is told.
func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
