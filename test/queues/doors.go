package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ottla/internal/gateway/rest"
)

// message is one to be sent.
type message struct {
	name
	fifo  bool
	delay time.Duration
}

// dedup is the deduplication id of a message of a FIFO queue.
func (m message) dedup() string { return m.name.String() }

// door is a way to queues over HTTP. Its methods ask once; what is not answered may
// have been done.
type door interface {
	// send sends messages, and gives the ids of those that are sent, "" for others.
	send(ctx context.Context, queue string, all []message) ([]string, error)
	take(ctx context.Context, queue string, most int, hold time.Duration) ([]*given, error)
	// ack tells of which messages the acknowledgement is confirmed.
	ack(ctx context.Context, queue string, all []*given) ([]bool, error)
	// back gives a message back, for the time after a delay.
	back(ctx context.Context, queue string, g *given, delay time.Duration) (bool, error)
	// hold holds a message for so long from now on.
	hold(ctx context.Context, queue string, g *given, long time.Duration) (bool, error)
}

// caller asks any node over HTTP.
type caller struct {
	addrs []string
	hc    *http.Client
	r     *rand.Rand
}

// callWithin bounds a request.
const callWithin = 20 * time.Second

// waits is how long a take waits for something to come.
const waits = time.Second

func newCaller(addrs []string, r *rand.Rand) *caller {
	return &caller{addrs, &http.Client{Timeout: callWithin, Transport: &http.Transport{MaxIdleConnsPerHost: 2}}, r}
}

// errRefused is an answer that says no: nothing was done.
var errRefused = errors.New("refused")

// call makes a request of a node and reads its answer. Statuses from 500 on say that
// it is not known what was done.
func (c *caller) call(ctx context.Context, make1 func(addr string) (*http.Request, error), into any) error {
	req, err := make1(c.addrs[c.r.IntN(len(c.addrs))])
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	resp, err := c.hc.Do(req.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("call: %w", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("read the answer of %s: %w", req.URL, err)
	}
	switch {
	case resp.StatusCode >= 500:
		return fmt.Errorf("%s: %s: %s", req.URL, resp.Status, body)
	case resp.StatusCode >= 300:
		return fmt.Errorf("%s: %w: %s: %s", req.URL, errRefused, resp.Status, body)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &nonsense{fmt.Errorf("%s answered %q: %w", req.URL, body, err)}
	}
	return nil
}

// nonsense is an answer that no node may give.
type nonsense struct{ cause error }

// Error says what is wrong with it.
func (n *nonsense) Error() string { return n.cause.Error() }

// native is the native door.
type native struct{ *caller }

// ask makes a call of it, with a body of JSON.
func (d native) ask(ctx context.Context, method, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write a request: %w", err)
	}
	return d.call(ctx, func(addr string) (*http.Request, error) {
		return http.NewRequest(method, "http://"+addr+path, bytes.NewReader(text))
	}, into)
}

func (d native) send(ctx context.Context, queue string, all []message) ([]string, error) {
	var in rest.Messages
	for _, m := range all {
		body, err := json.Marshal(m.name.String())
		if err != nil {
			return nil, fmt.Errorf("write a message: %w", err)
		}
		x := rest.Message{Body: body}
		if m.fifo {
			x.Group, x.Dedup = m.key, m.dedup()
		} else {
			ms := m.delay.Milliseconds()
			x.DelayMs = &ms
		}
		in.Messages = append(in.Messages, x)
	}
	var out rest.AllSent
	if err := d.ask(ctx, http.MethodPost, "/q/"+queue+"/batch", in, &out); err != nil {
		return nil, err
	}
	ids := make([]string, len(all))
	for i, s := range out.Sent {
		if s.Error == nil {
			ids[i] = s.ID
		}
	}
	return ids, nil
}

func (d native) take(ctx context.Context, queue string, most int, hold time.Duration) ([]*given, error) {
	var out rest.AllTaken
	if err := d.ask(ctx, http.MethodPost, fmt.Sprintf("/q/%s/take?max=%d&wait=%v&visibility=%v", queue, most, waits, hold), nil, &out); err != nil {
		return nil, err
	}
	var all []*given
	for _, m := range out.Messages {
		if m.Body == nil {
			return nil, &nonsense{fmt.Errorf("the message %s of %s has no text", m.ID, queue)}
		}
		n, err := nameOf(*m.Body)
		if err != nil {
			return nil, &nonsense{err}
		}
		at, err := offsetOf(m.Sequence)
		if err != nil {
			return nil, &nonsense{err}
		}
		all = append(all, &given{id: m.ID, receipt: m.Receipt, name: n, count: int(m.Count), offset: at})
	}
	return all, nil
}

// settle says something of messages, and tells of which it was taken.
func (d native) settle(ctx context.Context, queue, what string, all []*given) ([]bool, error) {
	var in rest.Receipts
	for _, g := range all {
		in.Receipts = append(in.Receipts, g.receipt)
	}
	var out rest.Results
	done := make([]bool, len(all))
	err := d.ask(ctx, http.MethodPost, "/q/"+queue+"/"+what, in, &out)
	if errors.Is(err, errRefused) { // none of them was taken
		return done, nil
	}
	if err != nil {
		return nil, err
	}
	for i, r := range out.Results {
		done[i] = r.Error == nil
	}
	return done, nil
}

func (d native) ack(ctx context.Context, queue string, all []*given) ([]bool, error) {
	return d.settle(ctx, queue, "ack", all)
}

func (d native) one(ctx context.Context, queue, what string, g *given) (bool, error) {
	done, err := d.settle(ctx, queue, what, []*given{g})
	return err == nil && done[0], err
}

func (d native) back(ctx context.Context, queue string, g *given, delay time.Duration) (bool, error) {
	return d.one(ctx, queue, "nack?delay="+delay.String(), g)
}

func (d native) hold(ctx context.Context, queue string, g *given, long time.Duration) (bool, error) {
	return d.one(ctx, queue, "extend?for="+long.String(), g)
}

// sqs is the SQS door.
type sqs struct{ *caller }

// account is that of all queues.
const account = "123456789012"

// ask makes a call of the SQS API.
func (d sqs) ask(ctx context.Context, op, queue string, in map[string]any, into any) error {
	return d.call(ctx, func(addr string) (*http.Request, error) {
		in["QueueUrl"] = "http://" + addr + "/" + account + "/" + queue
		text, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("write a request: %w", err)
		}
		req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/", bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("make a request: %w", err)
		}
		req.Header.Set("X-Amz-Target", "AmazonSQS."+op)
		req.Header.Set("Content-Type", "application/x-amz-json-1.0")
		return req, nil
	}, into)
}

func (d sqs) send(ctx context.Context, queue string, all []message) ([]string, error) {
	var entries []map[string]any
	for i, m := range all {
		e := map[string]any{"Id": strconv.Itoa(i), "MessageBody": m.name.String()}
		if m.fifo {
			e["MessageGroupId"], e["MessageDeduplicationId"] = m.key, m.dedup()
		} else {
			e["DelaySeconds"] = int64(m.delay / time.Second)
		}
		entries = append(entries, e)
	}
	var out struct {
		Successful []struct{ Id, MessageId string }
	}
	if err := d.ask(ctx, "SendMessageBatch", queue, map[string]any{"Entries": entries}, &out); err != nil {
		return nil, err
	}
	ids := make([]string, len(all))
	for _, s := range out.Successful {
		i, err := strconv.Atoi(s.Id)
		if err != nil || i < 0 || i >= len(ids) {
			return nil, &nonsense{fmt.Errorf("an answer about the entry %q, which there was none of", s.Id)}
		}
		ids[i] = s.MessageId
	}
	return ids, nil
}

func (d sqs) take(ctx context.Context, queue string, most int, hold time.Duration) ([]*given, error) {
	var out struct {
		Messages []struct {
			MessageId, ReceiptHandle, Body string
			Attributes                     map[string]string
		}
	}
	err := d.ask(ctx, "ReceiveMessage", queue, map[string]any{
		"MaxNumberOfMessages": min(most, 10), "WaitTimeSeconds": int64(waits / time.Second), "VisibilityTimeout": int64(hold / time.Second),
		"AttributeNames": []string{"ApproximateReceiveCount", "SequenceNumber"},
	}, &out)
	if err != nil {
		return nil, err
	}
	var all []*given
	for _, m := range out.Messages {
		n, err := nameOf(m.Body)
		if err != nil {
			return nil, &nonsense{err}
		}
		count, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
		if err != nil {
			return nil, &nonsense{fmt.Errorf("how often %s was received is told as %v", m.MessageId, m.Attributes)}
		}
		at, err := offsetOf(m.Attributes["SequenceNumber"])
		if err != nil {
			return nil, &nonsense{err}
		}
		all = append(all, &given{id: m.MessageId, receipt: m.ReceiptHandle, name: n, count: count, offset: at})
	}
	return all, nil
}

func (d sqs) ack(ctx context.Context, queue string, all []*given) ([]bool, error) {
	var entries []map[string]string
	for i, g := range all {
		entries = append(entries, map[string]string{"Id": strconv.Itoa(i), "ReceiptHandle": g.receipt})
	}
	var out struct{ Successful []struct{ Id string } }
	if err := d.ask(ctx, "DeleteMessageBatch", queue, map[string]any{"Entries": entries}, &out); err != nil {
		return nil, err
	}
	done := make([]bool, len(all))
	for _, s := range out.Successful {
		i, err := strconv.Atoi(s.Id)
		if err != nil || i < 0 || i >= len(done) {
			return nil, &nonsense{fmt.Errorf("an answer about the entry %q, which there was none of", s.Id)}
		}
		done[i] = true
	}
	return done, nil
}

// back implements door: SQS has no other word for it.
func (d sqs) back(ctx context.Context, queue string, g *given, delay time.Duration) (bool, error) {
	return d.hold(ctx, queue, g, delay)
}

func (d sqs) hold(ctx context.Context, queue string, g *given, long time.Duration) (bool, error) {
	in := map[string]any{"ReceiptHandle": g.receipt, "VisibilityTimeout": int64(long / time.Second)}
	err := d.ask(ctx, "ChangeMessageVisibility", queue, in, nil)
	if errors.Is(err, errRefused) {
		return false, nil
	}
	return err == nil, err
}

// offsetOf is the offset in a sequence number: the digits behind the first. Messages
// of standard queues have none.
func offsetOf(sequence string) (int64, error) {
	if sequence == "" {
		return -1, nil
	}
	at, err := strconv.ParseInt(sequence[1:], 10, 64)
	if err != nil {
		return -1, fmt.Errorf("the sequence number %q has no offset: %w", sequence, err)
	}
	return at, nil
}

// lateIsSuccess tells whether a door answers success to the acknowledgement of a
// message that is not the taker's any more.
func lateIsSuccess(d door, queue string) bool {
	_, ok := d.(sqs)
	return ok && !strings.HasSuffix(queue, ".fifo")
}
