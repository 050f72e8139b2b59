package ottla_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
)

// caller makes calls at a node's HTTP port.
type caller struct {
	t    *testing.T
	ctx  context.Context
	base string
}

func (c caller) do(method, path, target, body string) string {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if target != "" {
		req.Header.Set("X-Amz-Target", target)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode > 299 {
		c.t.Fatalf("%s %s %s: %s %s, %v", method, path, target, resp.Status, answer, err)
	}
	return string(answer)
}

// sqs makes a call of SQS on the queue orders.
func (c caller) sqs(op, more string) string {
	c.t.Helper()
	return c.do(http.MethodPost, "/", "AmazonSQS."+op, `{"QueueUrl":"`+c.base+`/123456789012/orders"`+more+`}`)
}

// A queue is one thing behind three doors: what is sent at one is taken at
// another, once, and a poll is told what a Kafka producer writes meanwhile.
func TestAQueueBehindAllItsDoors(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	n, err := ottla.Start(ctx, ottla.Options{HTTP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	c := caller{t, ctx, "http://" + n.HTTPAddr()}
	c.do(http.MethodPut, "/q/orders", "", "")
	c.sqs("SendMessage", `,"MessageBody":"from SQS"`)
	c.do(http.MethodPost, "/q/orders", "", "from the native door")
	k, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()), kgo.DefaultProduceTopic("orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if err := k.ProduceSync(ctx, kgo.StringRecord("from Kafka")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i := range 3 {
		var receipt, body string
		if i%2 == 0 {
			receipt, body = takeSQS(c)
			c.sqs("DeleteMessage", `,"ReceiptHandle":"`+receipt+`"`)
		} else {
			receipt, body = takeNative(c)
			c.do(http.MethodPost, "/q/orders/ack?receipt="+receipt, "", "")
		}
		seen[body]++
	}
	if len(seen) != 3 || seen["from SQS"] != 1 || seen["from the native door"] != 1 || seen["from Kafka"] != 1 {
		t.Errorf("of three messages came %v", seen)
	}
	written := make(chan error, 1)
	go func() { written <- k.ProduceSync(ctx, kgo.StringRecord("late")).FirstErr() }()
	if _, body := takeSQS(c); body != "late" {
		t.Errorf("a poll that may have to wait is told %q", body)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	if got := c.sqs("GetQueueAttributes", `,"AttributeNames":["ApproximateNumberOfMessages","ApproximateNumberOfMessagesNotVisible"]`); got !=
		`{"Attributes":{"ApproximateNumberOfMessages":"0","ApproximateNumberOfMessagesNotVisible":"1"}}` {
		t.Errorf("counts: %s", got)
	}
}

func takeSQS(c caller) (receipt, body string) {
	var got struct {
		Messages []struct{ ReceiptHandle, Body string }
	}
	text := c.sqs("ReceiveMessage", `,"WaitTimeSeconds":20`)
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Messages) != 1 {
		return "", fmt.Sprintf("no message: %s, %v", text, err)
	}
	return got.Messages[0].ReceiptHandle, got.Messages[0].Body
}

func takeNative(c caller) (receipt, body string) {
	var got struct {
		Messages []struct{ Receipt, Body string }
	}
	text := c.do(http.MethodGet, "/q/orders/take?wait=20s", "", "")
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Messages) != 1 {
		return "", fmt.Sprintf("no message: %s, %v", text, err)
	}
	return got.Messages[0].Receipt, got.Messages[0].Body
}
