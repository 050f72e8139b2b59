package queue_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
)

// sqsCall makes a call of the SQS API and reads its answer.
func (r *rig) sqsCall(op string, in, out any) {
	r.Helper()
	body, err := json.Marshal(in)
	r.must(err)
	req, err := http.NewRequestWithContext(r.ctx, http.MethodPost, "http://"+r.s.HTTPAddr()+"/", bytes.NewReader(body))
	r.must(err)
	req.Header.Set("X-Amz-Target", "AmazonSQS."+op)
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.Errorf("%s: %v", op, err)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		r.Errorf("%s: status %d", op, resp.StatusCode)
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		r.Errorf("%s: %v", op, err)
	}
}

// tally counts who got which message.
type tally struct {
	mu   sync.Mutex
	of   map[string][]string
	done chan struct{} // closed when all want were got
	want int
}

func (t *tally) got(body, by string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of[body] = append(t.of[body], by)
	if len(t.of) == t.want && len(t.of[body]) == 1 {
		close(t.done)
	}
}

func (t *tally) over() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// The native door, the SQS door and a Kafka share consumer take from one queue
// at once, and a Kafka producer and both doors send to it: each message goes to
// one of them, once.
func TestAllDoorsShareOneQueue(t *testing.T) {
	r := start(t)
	q := r.create("orders", func(s *queue.Spec) { s.VisibilityMs, s.Partitions = 12*3600_000, 3 })
	const each = 60
	l := &tally{of: map[string][]string{}, done: make(chan struct{}), want: 3 * each}
	url := "http://" + r.s.HTTPAddr() + "/123456789012/orders"
	var way sync.WaitGroup
	way.Go(func() {
		for i := range each {
			r.send("orders", fmt.Sprint("native ", i))
		}
	})
	way.Go(func() {
		for i := range each {
			var out struct{ MessageId string }
			r.sqsCall("SendMessage", map[string]string{"QueueUrl": url, "MessageBody": fmt.Sprint("sqs ", i)}, &out)
		}
	})
	way.Go(func() {
		c := r.client(kgo.DefaultProduceTopic("orders"))
		for i := range each {
			r.must(c.ProduceSync(r.ctx, kgo.StringRecord(fmt.Sprint("kafka ", i))).FirstErr())
		}
	})
	way.Go(func() {
		for !l.over() && r.ctx.Err() == nil {
			got := r.take("orders", 3)
			for _, m := range got {
				l.got(string(m.Body), "native")
			}
			r.good("ack", r.q.Ack(r.ctx, ref("orders"), receipts(got)))
		}
	})
	way.Go(func() {
		for !l.over() && r.ctx.Err() == nil {
			var out struct {
				Messages []struct{ Body, ReceiptHandle string }
			}
			r.sqsCall("ReceiveMessage", map[string]any{"QueueUrl": url, "MaxNumberOfMessages": 3}, &out)
			for _, m := range out.Messages {
				l.got(m.Body, "sqs")
				var none struct{}
				r.sqsCall("DeleteMessage", map[string]string{"QueueUrl": url, "ReceiptHandle": m.ReceiptHandle}, &none)
			}
		}
	})
	member := r.client(kgo.ShareGroup(q.Group), kgo.ConsumeTopics("orders"))
	way.Go(func() {
		polling, cancel := context.WithCancel(r.ctx)
		defer cancel()
		go func() {
			select {
			case <-l.done:
			case <-r.ctx.Done():
			}
			cancel()
		}()
		for polling.Err() == nil {
			member.PollRecords(polling, 3).EachRecord(func(x *kgo.Record) {
				l.got(string(x.Value), "member")
				x.Ack(kgo.AckAccept)
			})
			if err := member.FlushAcks(r.ctx); err != nil {
				t.Errorf("a member's acknowledgements: %v", err)
			}
		}
	})
	way.Wait()
	for body, by := range l.of {
		if len(by) != 1 {
			t.Errorf("%q was given to %v", body, by)
		}
	}
	if len(l.of) != 3*each {
		t.Errorf("%d messages, want %d", len(l.of), 3*each)
	}
	r.want("nothing is left", r.stats("orders"), "0 0 0 0")
}
