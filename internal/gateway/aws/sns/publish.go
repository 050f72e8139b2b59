package sns

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/sns"
	"ottla/internal/gateway/aws/protocol"
)

// value is an attribute of a message.
type value struct {
	DataType    string  `json:"DataType"`
	StringValue *string `json:"StringValue,omitempty"`
	BinaryValue []byte  `json:"BinaryValue,omitempty"`
}

// message is what Publish and the entries of PublishBatch have of it.
type message struct {
	Message    string
	Subject    string
	Structure  string
	Attributes map[string]value
	DedupID    string
	GroupID    string
}

// read makes a message of ours of it.
func (m *message) read() (sns.Message, error) {
	out := sns.Message{Body: m.Message, Subject: m.Subject, JSON: m.Structure == "json", Group: m.GroupID, DedupID: m.DedupID}
	if m.Structure != "" && m.Structure != "json" {
		return out, badParameter("MessageStructure", "%q is not json", m.Structure)
	}
	for _, k := range slices.Sorted(maps.Keys(m.Attributes)) {
		v := m.Attributes[k]
		a := plan.Attribute{Name: k, Type: v.DataType, Value: v.BinaryValue}
		base, _, _ := strings.Cut(v.DataType, ".")
		if (base == "Binary") != (v.StringValue == nil) {
			return out, fault("ParameterValueInvalid", http.StatusBadRequest, "The message attribute '%s' with type '%s' must use field '%s'.", k, v.DataType, valueField(base))
		}
		if v.StringValue != nil {
			a.Value = []byte(*v.StringValue)
		}
		out.Attributes = append(out.Attributes, a)
	}
	return out, nil
}

func valueField(base string) string {
	if base == "Binary" {
		return "BinaryValue"
	}
	return "StringValue"
}

type publishIn struct {
	TopicARN   string           `json:"TopicArn"`
	TargetARN  string           `json:"TargetArn"`
	Phone      string           `json:"PhoneNumber"`
	Message    string           `json:"Message"`
	Subject    string           `json:"Subject"`
	Structure  string           `json:"MessageStructure"`
	Attributes map[string]value `json:"MessageAttributes" query:"MessageAttributes.entry,Name,Value"`
	DedupID    string           `json:"MessageDeduplicationId"`
	GroupID    string           `json:"MessageGroupId"`
}

type publishOut struct {
	MessageID string `json:"MessageId"`
	Sequence  string `json:"SequenceNumber,omitempty"`
}

// topic is where a message is to go.
func (in *publishIn) topic() (name.Ref, error) {
	switch {
	case in.Phone != "":
		return name.Ref{}, badParameter("PhoneNumber", "Ottla sends no text messages")
	case in.TopicARN != "" && in.TargetARN != "":
		return name.Ref{}, badParameter("TargetArn", "TopicArn is given too")
	case in.TargetARN != "":
		return topicRef("TargetArn", in.TargetARN)
	}
	return topicRef("TopicArn", in.TopicARN)
}

func (d door) publish(ctx context.Context, _ *protocol.Call, in *publishIn) (*publishOut, error) {
	ref, err := in.topic()
	if err != nil {
		return nil, err
	}
	m, err := (&message{in.Message, in.Subject, in.Structure, in.Attributes, in.DedupID, in.GroupID}).read()
	if err != nil {
		return nil, err
	}
	sent, err := d.topics.Publish(ctx, ref, []sns.Message{m})
	if err == nil {
		err = sent[0].Err
	}
	if err != nil {
		return nil, refuse(theTopic, err)
	}
	return &publishOut{sent[0].ID, sent[0].Sequence}, nil
}

type batchEntry struct {
	ID         string           `json:"Id"`
	Message    string           `json:"Message"`
	Subject    string           `json:"Subject"`
	Structure  string           `json:"MessageStructure"`
	Attributes map[string]value `json:"MessageAttributes" query:"MessageAttributes.entry,Name,Value"`
	DedupID    string           `json:"MessageDeduplicationId"`
	GroupID    string           `json:"MessageGroupId"`
}

type publishBatchIn struct {
	TopicARN string       `json:"TopicArn"`
	Entries  []batchEntry `json:"PublishBatchRequestEntries" query:"PublishBatchRequestEntries.member"`
}

type batchSent struct {
	ID        string `json:"Id"`
	MessageID string `json:"MessageId"`
	Sequence  string `json:"SequenceNumber,omitempty"`
}

type batchFailed struct {
	ID          string `json:"Id"`
	Code        string `json:"Code"`
	Message     string `json:"Message"`
	SenderFault bool   `json:"SenderFault"`
}

type publishBatchOut struct {
	Successful []batchSent   `json:"Successful" query:"Successful.member"`
	Failed     []batchFailed `json:"Failed" query:"Failed.member"`
}

func (d door) publishBatch(ctx context.Context, _ *protocol.Call, in *publishBatchIn) (*publishBatchOut, error) {
	ref, err := topicRef("TopicArn", in.TopicARN)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(in.Entries); err != nil {
		return nil, err
	}
	t, err := d.topics.Get(ctx, ref)
	if err != nil {
		return nil, refuse(theTopic, err)
	}
	size := 0
	for i := range in.Entries {
		size += len(in.Entries[i].Message)
	}
	if size > t.MostBytes() {
		return nil, fault("BatchRequestTooLong", http.StatusBadRequest, "The length of all the messages put together is %d bytes, more than the limit of %d.", size, t.MostBytes())
	}
	out := &publishBatchOut{}
	fail := func(id string, err error) {
		e := protocol.AsError(refuse(theTopic, err))
		out.Failed = append(out.Failed, batchFailed{id, e.QueryCode(), e.Message, e.HTTPStatus() < 500})
	}
	var messages []sns.Message
	var ids []string
	for i := range in.Entries {
		e := &in.Entries[i]
		m, err := (&message{e.Message, e.Subject, e.Structure, e.Attributes, e.DedupID, e.GroupID}).read()
		if err != nil {
			fail(e.ID, err)
			continue
		}
		messages, ids = append(messages, m), append(ids, e.ID)
	}
	sent, err := d.topics.Publish(ctx, ref, messages)
	if err != nil {
		return nil, refuse(theTopic, err)
	}
	for i := range sent {
		if sent[i].Err != nil {
			fail(ids[i], sent[i].Err)
			continue
		}
		out.Successful = append(out.Successful, batchSent{ids[i], sent[i].ID, sent[i].Sequence})
	}
	return out, nil
}

// checkBatch checks how many entries a batch has and how they are called.
func checkBatch(entries []batchEntry) error {
	switch {
	case len(entries) == 0:
		return fault("EmptyBatchRequest", http.StatusBadRequest, "The batch request doesn't contain any entries.")
	case len(entries) > sns.MostPublished:
		return fault("TooManyEntriesInBatchRequest", http.StatusBadRequest, "The batch request contains more entries than permissible: %d, and %d are possible.", len(entries), sns.MostPublished)
	}
	seen := map[string]bool{}
	for i := range entries {
		id := entries[i].ID
		if id == "" || len(id) > 80 || strings.Trim(strings.ToLower(id), "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return fault("InvalidBatchEntryId", http.StatusBadRequest, "The Id of a batch entry has letters, digits, hyphens and underscores, 80 at most: %q.", id)
		}
		if seen[id] {
			return fault("BatchEntryIdsNotDistinct", http.StatusBadRequest, "Two or more batch entries in the request have the same Id: %s.", id)
		}
		seen[id] = true
	}
	return nil
}
