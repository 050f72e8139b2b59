package aws_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"testing"

	"ottla/internal/gateway/fake"
	"ottla/internal/gateway/front"
)

const (
	// pollers is how many wait at once.
	pollers = 400
	// most is what each may cost, otherEnd what its client's end of the connection
	// does, with what a race detector adds to both.
	most, otherEnd = 4096, 2048
)

// ask writes a call of SQS to a connection and, when read is set, reads its
// answer.
func ask(t *testing.T, c net.Conn, op, body string, read bool) {
	t.Helper()
	_, err := fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.%s\r\n"+
		"User-Agent: Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.7\r\n"+
		"X-Amz-Date: 20261126T120000Z\r\nAuthorization: %s\r\nContent-Length: %d\r\n\r\n%s", op, signed("sqs"), len(body), body)
	if err != nil || !read {
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", op, resp.Status, err)
	}
}

// inUse is the memory of heap and stacks, after a collection.
func inUse() (bytes, goroutines int) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse), runtime.NumGoroutine()
}

// An empty long poll is a connection that waits: what it holds beyond that is
// bounded, and it has no goroutine but its connection's.
func TestAnEmptyLongPollCostsLittle(t *testing.T) {
	queues := fake.New()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := front.Serve(l, front.Options{Handler: (&shop{queues: queues}).door(t), Logger: slog.New(slog.DiscardHandler)})
	none, _ := inUse()
	var conns []net.Conn
	for range pollers {
		c, err := net.Dial("tcp", f.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		ask(t, c, "CreateQueue", `{"QueueName":"q"}`, true)
	}
	before, goroutines := inUse()
	over := make(chan struct{})
	queues.Empty = func(context.Context) { <-over }
	for _, c := range conns {
		ask(t, c, "ReceiveMessage", `{"QueueUrl":"http://localhost/123456789012/q","WaitTimeSeconds":20,"AttributeNames":["All"]}`, false)
	}
	for f.Parked() < pollers && t.Context().Err() == nil {
		runtime.Gosched()
	}
	after, more := inUse()
	// Both ends of the connections are in this process.
	t.Logf("a poll costs %d bytes with its connection, where an idle connection has %d", (after-none)/pollers, (before-none)/pollers)
	if cost := (after - none) / pollers; cost > most+otherEnd {
		t.Errorf("an empty long poll costs %d bytes, want at most %d, and %d for the other end", cost, most, otherEnd)
	}
	if after > before {
		t.Errorf("%d polls hold %d bytes more than as many idle connections", pollers, after-before)
	}
	if more > goroutines {
		t.Errorf("%d polls have %d goroutines more than as many idle connections", pollers, more-goroutines)
	}
	close(over)
	for _, c := range conns {
		c.Close()
	}
	if err := f.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
