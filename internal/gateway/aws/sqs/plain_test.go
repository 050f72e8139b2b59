package sqs

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"ottla/internal/gateway/aws/protocol"
)

// inputs are the inputs that read themselves, each with bodies as clients write
// them.
var inputs = []struct {
	make   func() protocol.Scanned
	bodies []string
}{
	{func() protocol.Scanned { return new(sendIn) }, []string{
		`{"QueueUrl":"http://127.0.0.1:8080/123456789012/q","MessageBody":"hello"}`,
		`{ "MessageBody" : "{\"a\":\"b\\\\c\",\t\"d\":[1, 2]}\n" , "QueueUrl":"q", "DelaySeconds": 7 }`,
		"\r\n{\"DelaySeconds\":-1,\"MessageBody\":\"gr\u00fcn \\u00e4 \\u2028 \U0001f642 \\/\\b\\f\\r\\t\"}\t ",
		`{"MessageBody":"x","MessageGroupId":"g","MessageDeduplicationId":"d","MessageAttributes":{"a":{"DataType":"String","StringValue":"v"},"b":{"StringValue":"1","DataType":"Number"}},"MessageSystemAttributes":{}}`,
		`{}`, ` { } `, `{"DelaySeconds":0}`, `{"DelaySeconds":-0}`, `{"MessageBody":""}`,
	}},
	{func() protocol.Scanned { return new(sendBatchIn) }, []string{
		`{"QueueUrl":"q","Entries":[{"Id":"1","MessageBody":"a"},{"MessageBody":"b","Id":"2","DelaySeconds":900,"MessageAttributes":{"a":{"DataType":"String","StringValue":"v"}}}]}`,
		`{"Entries":[],"QueueUrl":"q"}`, `{"Entries":[ { } , {"Id":""} ]}`,
	}},
	{func() protocol.Scanned { return new(receiveIn) }, []string{
		`{"QueueUrl":"q","MaxNumberOfMessages":10,"WaitTimeSeconds":20,"VisibilityTimeout":0,"AttributeNames":["All"],"MessageSystemAttributeNames":["SentTimestamp","SenderId"],"MessageAttributeNames":[".*"],"ReceiveRequestAttemptId":"r"}`,
		`{"AttributeNames":[]}`,
	}},
	{func() protocol.Scanned { return new(deleteIn) }, []string{`{"QueueUrl":"q","ReceiptHandle":"AQ-_"}`}},
	{func() protocol.Scanned { return new(deleteBatchIn) }, []string{
		`{"QueueUrl":"q","Entries":[{"Id":"1","ReceiptHandle":"r"},{"Id":"2","ReceiptHandle":"s"}]}`,
	}},
}

// odd are bodies that are read by reflection, or refused by it.
var odd = []string{
	``, `null`, `[]`, `{`, `{"QueueUrl"`, `{"QueueUrl":`, `{"QueueUrl":"q"`, `{"QueueUrl":"q",}`, `{"QueueUrl":"q"}x`, `{"QueueUrl":"q"}{}`,
	`{"queueurl":"q"}`, `{"QueueUrl":null}`, `{"QueueUrl":1}`, `{"QueueUrl":"\ud83d\ude42"}`, `{"QueueUrl":"\ud83d"}`, `{"QueueUrl":"\u12"}`, `{"QueueUrl":"\x"}`,
	"{\"QueueUrl\":\"a\nb\"}", `{"QueueUrl":"\`, `{"QueueUrl":"\"`, `{"Queue\u0055rl":"q"}`, `{"Extra":{"a":[1,{}]},"QueueUrl":"q"}`,
	`{"DelaySeconds":1.0}`, `{"DelaySeconds":01}`, `{"DelaySeconds":1e2}`, `{"DelaySeconds":- 1}`, `{"DelaySeconds":99999999999999999999}`, `{"DelaySeconds":}`, `{"DelaySeconds":"1"}`,
	`{"MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"AAE="}}}`, `{"MessageAttributes":null}`, `{"MessageAttributes":{"a":{}},"MessageAttributes":{"b":{}}}`,
	`{"Entries":[{"Id":"1","MessageBody":"a"}],"Entries":[{"Id":"2"}]}`, `{"Entries":[{"Id":"1"},]}`, `{"Entries":[,]}`, `{"Entries":[null]}`, `{"Entries":null}`,
	`{"AttributeNames":["a"],"AttributeNames":[]}`, `{"AttributeNames":[1]}`, `{"MaxNumberOfMessages":null}`,
}

// alike tells whether an input read itself, which has to be as reflection reads it.
func alike(t *testing.T, body []byte, empty func() protocol.Scanned) bool {
	t.Helper()
	got := empty()
	if !protocol.Scan(body, got) {
		return false
	}
	want := empty()
	if err := json.Unmarshal(body, want); err != nil {
		t.Fatalf("%T read %q, which is wrong: %v", got, body, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: got %+v, want %+v", body, got, want)
	}
	return true
}

func TestCallsReadThemselvesAsTheirTagsSay(t *testing.T) {
	for _, in := range inputs {
		for _, body := range in.bodies {
			if !alike(t, []byte(body), in.make) {
				t.Errorf("%T gave %s up", in.make(), body)
			}
		}
		for _, body := range odd {
			if alike(t, []byte(body), in.make) {
				t.Errorf("%T read %s", in.make(), body)
			}
		}
	}
}

func FuzzCallsReadThemselves(f *testing.F) {
	for _, in := range inputs {
		for _, body := range in.bodies {
			f.Add([]byte(body))
		}
	}
	for _, body := range odd {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !utf8.Valid(body) {
			return // refused before
		}
		for _, in := range inputs {
			alike(t, body, in.make)
		}
	})
}

// reflected is what reflection writes.
func reflected(t *testing.T, out any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// answers are the answers that write themselves, made of some texts.
func answers(a, b string, raw []byte) []protocol.Appended {
	attributes := map[string]Attribute{a: {DataType: b, StringValue: &a}, b + "2": {DataType: "Binary", BinaryValue: raw}, "z": {}}
	one := sent{MessageID: a, BodySum: b, AttributesSum: b, SystemAttributes: a, SequenceNumber: b}
	bad := []Failed{{ID: a, SenderFault: true, Code: b, Message: a}, {ID: b}}
	return []protocol.Appended{
		&one, &sent{}, &sent{ID: b},
		&sendBatchOut{}, &sendBatchOut{Successful: []sent{one, {ID: a}}}, &sendBatchOut{Failed: bad}, &sendBatchOut{Successful: []sent{one}, Failed: bad},
		&deleteBatchOut{}, &deleteBatchOut{Successful: []succeeded{{a}, {b}}, Failed: bad},
		&receiveOut{}, &receiveOut{Messages: []received{
			{MessageID: a, Receipt: b, BodySum: a, Body: b, System: map[string]string{a: b, b + "1": a}, AttributesSum: a, Attributes: attributes}, {},
		}},
	}
}

var texts = []string{"", "plain", "\"\\\b\f\n\r\t\x00\x1f\x7f", "gr\u00fcn <&> \U0001f642 \u2028\u2029", "\xff\xc3", `{"a":"b"}`, "{"}

func TestAnswersWriteThemselvesAsTheirTagsSay(t *testing.T) {
	for _, a := range texts {
		for _, b := range texts {
			for _, out := range answers(a, b, []byte(a)) {
				if got, want := string(out.AppendJSON(nil)), reflected(t, out); got != want {
					t.Fatalf("got  %s\nwant %s", got, want)
				}
			}
		}
	}
}

func FuzzAnswersWriteThemselves(f *testing.F) {
	for _, a := range texts {
		f.Add(a, a+"x", []byte(a))
	}
	f.Fuzz(func(t *testing.T, a, b string, raw []byte) {
		for _, out := range answers(a, b, raw) {
			if got, want := string(out.AppendJSON(nil)), reflected(t, out); got != want {
				t.Fatalf("got  %s\nwant %s", got, want)
			}
		}
	})
}

// A call that is made for every message costs what its texts cost.
func TestReadingACallAllocatesItsTextsAlone(t *testing.T) {
	body := []byte(inputs[0].bodies[0])
	in := new(sendIn)
	if n := testing.AllocsPerRun(100, func() {
		*in = sendIn{}
		if !protocol.Scan(body, in) {
			t.Fatal("given up")
		}
	}); n > 4 { // two texts, the pointer to one, the Scanner
		t.Errorf("%v allocations", n)
	}
	out := &sent{MessageID: "m", BodySum: "s"}
	b := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { b = out.AppendJSON(b[:0]) }); n > 0 {
		t.Errorf("%v allocations of an answer", n)
	}
}
