package mapping

import (
	"crypto/md5" //nolint:gosec // md5OfBody is what Lambda tells
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
)

// encodingAttribute tells that a body, or a text, comes in base64: it is none that JSON
// could have.
const encodingAttribute = "ottla.encoding"

// sqsRecord is a message as functions get it.
type sqsRecord struct {
	MessageID  string                  `json:"messageId"`
	Receipt    string                  `json:"receiptHandle"`
	Body       string                  `json:"body"`
	System     map[string]string       `json:"attributes"`
	Attributes map[string]sqsAttribute `json:"messageAttributes"`
	BodySum    string                  `json:"md5OfBody"`
	Source     string                  `json:"eventSource"`
	ARN        string                  `json:"eventSourceARN"`
	Region     string                  `json:"awsRegion"`
}

type sqsAttribute struct {
	Text   *string  `json:"stringValue,omitempty"`
	Bytes  []byte   `json:"binaryValue,omitempty"`
	Texts  []string `json:"stringListValues"`
	Binary []string `json:"binaryListValues"`
	Type   string   `json:"dataType"`
}

// sqsEvent are the messages of a call, of a queue.
func sqsEvent(of queue.Ref, taken []queue.Taken) ([]byte, error) {
	out := struct{ Records []sqsRecord }{}
	for i := range taken {
		out.Records = append(out.Records, sqsRecordOf(of, &taken[i]))
	}
	return json.Marshal(out)
}

func sqsRecordOf(of queue.Ref, t *queue.Taken) sqsRecord {
	r := sqsRecord{
		MessageID: t.ID, Receipt: t.Receipt, Body: string(t.Body), System: systemOf(t), Attributes: map[string]sqsAttribute{},
		Source: "aws:sqs", ARN: of.ARN(), Region: of.Full().Region,
	}
	for called, a := range t.Attributes {
		r.Attributes[called] = sqsAttributeOf(a)
	}
	if !utf8.Valid(t.Body) {
		r.Body = base64.StdEncoding.EncodeToString(t.Body)
		encoding := "base64"
		r.Attributes[encodingAttribute] = sqsAttribute{Text: &encoding, Texts: []string{}, Binary: []string{}, Type: "String"}
	}
	sum := md5.Sum([]byte(r.Body)) //nolint:gosec // see above
	r.BodySum = hex.EncodeToString(sum[:])
	return r
}

func sqsAttributeOf(a queue.Attribute) sqsAttribute {
	out := sqsAttribute{Texts: []string{}, Binary: []string{}, Type: a.Type}
	if strings.HasPrefix(a.Type, "Binary") || !utf8.Valid(a.Value) {
		out.Bytes = a.Value
		return out
	}
	text := string(a.Value)
	out.Text = &text
	return out
}

// systemOf are SQS's own attributes of a message.
func systemOf(t *queue.Taken) map[string]string {
	out := map[string]string{
		"ApproximateReceiveCount": strconv.Itoa(int(t.Count)), "SentTimestamp": strconv.FormatInt(t.SentMs, 10), "SenderId": t.System["SenderId"],
	}
	for called, v := range map[string]string{
		"MessageGroupId": t.Group, "MessageDeduplicationId": t.DedupID, "SequenceNumber": t.Sequence, "AWSTraceHeader": t.System["AWSTraceHeader"],
		"DeadLetterQueueSourceArn": t.DeadLetterSource,
	} {
		if v != "" {
			out[called] = v
		}
	}
	if t.FirstTakenMs > 0 {
		out["ApproximateFirstReceiveTimestamp"] = strconv.FormatInt(t.FirstTakenMs, 10)
	}
	return out
}

// kafkaRecord is a record as functions get it. Bytes are base64, those of headers
// numbers with a sign, as Lambda has them.
type kafkaRecord struct {
	Topic         string              `json:"topic"`
	Partition     int32               `json:"partition"`
	Offset        int64               `json:"offset"`
	Timestamp     int64               `json:"timestamp"`
	TimestampType string              `json:"timestampType"`
	Key           []byte              `json:"key"`
	Value         []byte              `json:"value"`
	Headers       []map[string][]int8 `json:"headers"`
}

// kafkaEvent are the records of a call, of one partition.
func kafkaEvent(address string, records []*kgo.Record) ([]byte, error) {
	out := struct {
		Source  string                   `json:"eventSource"`
		Address string                   `json:"bootstrapServers"`
		Records map[string][]kafkaRecord `json:"records"`
	}{"aws:SelfManagedKafka", address, map[string][]kafkaRecord{}}
	for _, r := range records {
		k := kafkaRecordOf(r)
		for _, h := range r.Headers {
			signed := make([]int8, len(h.Value))
			for i, b := range h.Value {
				signed[i] = int8(b)
			}
			k.Headers = append(k.Headers, map[string][]int8{h.Key: signed})
		}
		of := partitionName(r.Topic, r.Partition)
		out.Records[of] = append(out.Records[of], k)
	}
	return json.Marshal(out)
}

// kafkaRecordOf is a record without its headers.
func kafkaRecordOf(r *kgo.Record) kafkaRecord {
	k := kafkaRecord{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), TimestampType: "CREATE_TIME",
		Key: r.Key, Value: r.Value, Headers: []map[string][]int8{},
	}
	if r.Attrs.TimestampType() == 1 {
		k.TimestampType = "LOG_APPEND_TIME"
	}
	return k
}

func partitionName(topic string, partition int32) string {
	return topic + "-" + strconv.Itoa(int(partition))
}
