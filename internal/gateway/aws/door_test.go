package aws_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ottla/internal/event/queue"
	"ottla/internal/gateway/fake"
)

func post(target, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", target)
	r.Host, r.RemoteAddr = "localhost:8080", "127.0.0.1:50000"
	return r
}

// Nobody knows who calls: other machines are let in only where the network is
// trusted, in whatever protocol they ask.
func TestOtherMachinesCallOnlyWhereTheNetworkIsTrusted(t *testing.T) {
	form := func() *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/?Action=GetCallerIdentity&Version=2011-06-15", nil)
		return r
	}
	rest := func() *http.Request { return httptest.NewRequest(http.MethodGet, "/schedules", nil) }
	for name, ask := range map[string]func() *http.Request{"json": func() *http.Request { return post("AmazonSQS.ListQueues", "{}") }, "query": form, "rest": rest} {
		for _, c := range []struct {
			from    string
			trusted bool
			code    int
		}{{"127.0.0.1:1", false, 200}, {"[::1]:1", false, 200}, {"10.1.2.3:1", false, 403}, {"10.1.2.3:1", true, 200}, {"", false, 403}} {
			door := (&shop{queues: fake.New(), trusted: c.trusted}).door(t)
			r := ask()
			r.RemoteAddr = c.from
			w := httptest.NewRecorder()
			door.ServeHTTP(w, r)
			if w.Code != c.code || c.code == 403 && !strings.Contains(w.Body.String(), "--insecure") {
				t.Errorf("%s from %q, trusted %v: got %d %s", name, c.from, c.trusted, w.Code, w.Body)
			}
		}
	}
}

func TestEveryRequestHasAnIDOfItsOwn(t *testing.T) {
	door, seen := (&shop{queues: fake.New()}).door(t), map[string]bool{}
	for range 100 {
		w := httptest.NewRecorder()
		door.ServeHTTP(w, post("AmazonSQS.ListQueues", "{}"))
		id := w.Header().Get("x-amzn-RequestId")
		if len(id) != 36 || id[8] != '-' || seen[id] {
			t.Fatalf("request id %q", id)
		}
		seen[id] = true
	}
}

// Whatever queues answer that a door cannot explain is a failure of ours, and a
// node that cannot be reached is one to try again.
func TestFailuresOfQueuesHaveTheirCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		told string
	}{
		{fake.ErrSome, 500, "InternalError;Receiver"},
		{queue.ErrUnavailable, 503, "ServiceUnavailable;Receiver"},
		{context.DeadlineExceeded, 503, "ServiceUnavailable;Receiver"},
		{queue.ErrTooMany, 403, "OverLimit;Sender"},
		{queue.ErrBusy, 400, "InvalidParameterValue;Sender"},
		{queue.ErrInvalid, 400, "InvalidParameterValue;Sender"},
	} {
		queues := fake.New()
		queues.Refuse = c.err
		w := httptest.NewRecorder()
		(&shop{queues: queues}).door(t).ServeHTTP(w, post("AmazonSQS.ReceiveMessage", `{"QueueUrl":"http://x/123456789012/q"}`))
		if w.Code != c.code || w.Header().Get("x-amzn-query-error") != c.told || strings.Contains(w.Body.String(), "fire") {
			t.Errorf("%v: got %d %s %s", c.err, w.Code, w.Header().Get("x-amzn-query-error"), w.Body)
		}
	}
}

// A long poll that its client leaves ends, and one that waits is told what came
// meanwhile.
func TestALongPollWaits(t *testing.T) {
	queues := fake.New()
	door := (&shop{queues: queues}).door(t)
	serve := func(r *http.Request) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		return w
	}
	serve(post("AmazonSQS.CreateQueue", `{"QueueName":"q"}`))
	const poll = `{"QueueUrl":"http://x/123456789012/q","WaitTimeSeconds":20}`
	queues.Empty = func(context.Context) {
		serve(post("AmazonSQS.SendMessage", `{"QueueUrl":"http://x/123456789012/q","MessageBody":"it came"}`))
	}
	if w := serve(post("AmazonSQS.ReceiveMessage", poll)); !strings.Contains(w.Body.String(), "it came") {
		t.Errorf("a poll that waits is told %d %s", w.Code, w.Body)
	}
	ctx, cancel := context.WithCancel(context.Background())
	queues.Empty = func(waiting context.Context) {
		cancel()
		<-waiting.Done()
	}
	if w := serve(post("AmazonSQS.ReceiveMessage", poll).WithContext(ctx)); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a poll whose client has gone is answered %d %s", w.Code, w.Body)
	}
}

// Nothing that a client sends makes the door panic, and every answer is one
// that its protocol allows.
func FuzzCallsNeverPanic(f *testing.F) {
	for _, s := range []string{
		`{"QueueUrl":"http://x/123456789012/q","MessageBody":"x","MessageAttributes":{"a":{"DataType":"String","StringValue":"b"}}}`,
		`{"QueueUrl":"http://x/123456789012/q","Entries":[{"Id":"a","MessageBody":"x"}]}`,
		`{"QueueUrl":"http://x/123456789012/q","Entries":[{"Id":"a","ReceiptHandle":"r","VisibilityTimeout":1}]}`,
		`{"QueueName":"q","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:d\",\"maxReceiveCount\":1}"}}`,
		`{"SourceArn":"arn:aws:sqs:us-east-1:123456789012:q"}`, `{"QueueUrl":"%zz"}`, `null`, `{"QueueUrl":"http://x/123456789012/q","MaxNumberOfMessages":10}`,
	} {
		for op := range 21 {
			f.Add(op, s)
		}
	}
	ops := []string{"CreateQueue", "GetQueueUrl", "ListQueues", "DeleteQueue", "PurgeQueue", "GetQueueAttributes", "SetQueueAttributes", "ListQueueTags", "TagQueue", "UntagQueue",
		"SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch",
		"ListDeadLetterSourceQueues", "StartMessageMoveTask", "CancelMessageMoveTask", "ListMessageMoveTasks"}
	f.Fuzz(func(t *testing.T, op int, body string) {
		queues := fake.New()
		door := (&shop{queues: queues}).door(t)
		door.ServeHTTP(httptest.NewRecorder(), post("AmazonSQS.CreateQueue", `{"QueueName":"q"}`))
		w := httptest.NewRecorder()
		door.ServeHTTP(w, post("AmazonSQS."+ops[uint(op)%uint(len(ops))], body))
		answer, err := io.ReadAll(w.Body)
		if err != nil || !json.Valid(answer) || w.Code >= 500 {
			t.Errorf("%s %s: got %d %s, %v", ops[uint(op)%uint(len(ops))], body, w.Code, answer, err)
		}
	})
}
