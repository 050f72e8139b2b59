package topics_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/clock"
	"ottla/internal/config"
	"ottla/internal/event/bus"
	"ottla/internal/event/tail"
	"ottla/internal/gateway/front"
	"ottla/internal/gateway/topics"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// patience bounds what a test waits for; it is met only when something is wrong.
const patience = 2 * time.Minute

// rig is a node in memory with the door on a port.
type rig struct {
	*testing.T
	node  *server.Server
	buses *bus.Service
	front *front.Front
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigOf(t, 100)
}

// newRigOf has so many streams at most.
func newRigOf(t *testing.T, streams int) *rig {
	t.Helper()
	r := &rig{T: t}
	static, err := config.StaticOf("test", map[string]string{"auto.create.topics.enable": "true"})
	r.must(err)
	c := &clock.Clock{}
	r.node, err = server.Start(r.ctx(), server.Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, Static: static,
		Now: c.Now, Live: time.Now, Clock: c, Logger: slog.New(slog.DiscardHandler), VerifyAge: time.Minute, Version: "test",
	})
	r.must(err)
	t.Cleanup(func() { r.must(r.node.Close()) })
	r.buses = bus.New(bus.Options{Objects: r.node.Objects(), Client: r.client, Partitions: func(string) int { return 0 }})
	t.Cleanup(r.buses.Close)
	all := tail.New(tail.Options{Client: r.client, Partitions: func(string) int { return 0 }, MostStreams: streams})
	t.Cleanup(all.Close)
	mux := http.NewServeMux()
	topics.Mount(mux, topics.Options{Topics: all, Buses: r.buses, Logger: slog.New(slog.DiscardHandler), Heartbeat: time.Second})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	r.must(err)
	r.front = front.Serve(l, front.Options{Handler: mux, Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { r.must(r.front.Close(r.ctx())) })
	return r
}

func (r *rig) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(r.node.KafkaAddr()), kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) { return r.node.Dial(ctx) }),
		kgo.MetadataMinAge(10 * time.Millisecond),
	}, opts...)...)
}

func (r *rig) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.Cleanup(cancel)
	return ctx
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) topic(name string, partitions int32) {
	r.Helper()
	c, err := r.client()
	r.must(err)
	defer c.Close()
	made, err := kadm.NewClient(c).CreateTopic(r.ctx(), partitions, 1, nil, name)
	r.must(err)
	r.must(made.Err)
}

// do sends a request; headers are names and values in turn.
func (r *rig) do(method, path, body string, headers ...string) (*http.Response, string) {
	r.Helper()
	resp := r.open(r.ctx(), method, path, body, headers...)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	r.must(err)
	return resp, string(b)
}

func (r *rig) open(ctx context.Context, method, path, body string, headers ...string) *http.Response {
	r.Helper()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.front.Addr().String()+path, strings.NewReader(body))
	r.must(err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	r.must(err)
	return resp
}

// tells sends a request and compares the answer.
func (r *rig) tells(method, path, body string, status int, want string, headers ...string) *http.Response {
	r.Helper()
	resp, got := r.do(method, path, body, headers...)
	if resp.StatusCode != status || !strings.Contains(got, want) {
		r.Fatalf("%s %s: %d %s, want %d with %s", method, path, resp.StatusCode, got, status, want)
	}
	return resp
}

func TestARecordGoesInAndComesOut(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	r.tells("POST", "/t/orders", `{"id":1}`, 200, `{"topic":"orders","partition":0,"offset":0,"id":"orders-0-0"}`, "Content-Type", "application/x-www-form-urlencoded")
	r.tells("POST", "/t/orders?key=a&header.trace=x", "second", 200, `"offset":1`)
	r.tells("POST", "/t/orders?null", "", 200, `"offset":2`)
	resp, got := r.do("GET", "/t/orders?from=-10", "")
	var page topics.Records
	r.must(json.Unmarshal([]byte(got), &page))
	if resp.StatusCode != 200 || len(page.Records) != 3 || page.Next != "0:3" || *page.Records[0].Value != `{"id":1}` || *page.Records[1].Key != "a" ||
		page.Records[1].Headers[0].Name != "trace" || page.Records[2].Value != nil {
		t.Errorf("%d %s", resp.StatusCode, got)
	}
	r.tells("GET", "/t/orders?max=1&from=1", "", 200, `"next":"0:2","more":true`)
	resp = r.tells("GET", "/t/orders?from=1&max=1", "", 200, `"value":"second"`, "Accept", "application/x-ndjson")
	if next := resp.Header.Get("Ottla-Next"); next != "0:2" {
		t.Errorf("the next page begins at %q", next)
	}
}

func TestLinesOfOneTopicGoIntoAnother(t *testing.T) {
	r := newRig(t)
	r.topic("a", 1)
	r.topic("b", 1)
	lines := "application/x-ndjson"
	r.tells("POST", "/t/a", "{\"value\":\"x\"}\n\n{\"key\":\"k\",\"value_base64\":\"/w==\",\"headers\":[{\"name\":\"h\",\"value\":\"1\"}]}\n", 200, "\"offset\":1", "Content-Type", lines)
	_, all := r.do("GET", "/t/a", "", "Accept", lines)
	r.tells("POST", "/t/b", all, 200, `"offset":1`, "Content-Type", lines)
	if _, got := r.do("GET", "/t/b", "", "Accept", lines); strings.ReplaceAll(got, `"topic":"b"`, `"topic":"a"`) != all {
		t.Errorf("%s became %s", all, got)
	}
	r.tells("POST", "/t/a", "{\"value\":\"x\"}\n{\"valeu\":1}", 400, "line 2: ", "Content-Type", lines)
	r.tells("POST", "/t/a", "\n", 400, "there is no record", "Content-Type", lines)
}

func TestWhatCannotBeIsRefusedWithItsReason(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	r.tells("GET", "/t/nothing", "", 404, "TOPIC_NOT_FOUND")
	r.tells("GET", "/t/orders?from=noon", "", 400, "is no place in a topic")
	r.tells("GET", "/t/orders?wait=5m", "", 400, "wait is at most 1m0s")
	r.tells("GET", "/t/orders?max=0", "", 400, "want a number from 1 to 1000")
	r.tells("GET", "/t/orders?pattern={", "", 400, "pattern")
	r.tells("GET", "/t/orders?where=x", "", 400, "where")
	r.tells("POST", "/t/orders?partition=7", "x", 400, "none of number 7")
	r.tells("POST", "/t/__ottla_objects", "x", 400, "keeps it for itself")
	r.tells("POST", "/t/orders", strings.Repeat("x", 8<<20+1), 413, "TOO_LARGE")
	r.tells("POST", "/ce/orders", `{}`, 415, "NO_CLOUDEVENT", "Content-Type", "application/json")
	r.tells("POST", "/ce/orders", `{}`, 415, "is no form of events", "Content-Type", "application/cloudevents+avro")
	r.tells("POST", "/ce/orders", `{"specversion":"1.0"}`, 400, "has no id", "Content-Type", "application/cloudevents+json")
	r.tells("POST", "/ce/orders", `x`, 400, "no name of an extension", "Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "s", "Ce-Type", "t", "Ce-Foo-Bar", "x")
	r.tells("POST", "/ce/orders", `x`, 400, "want 1.0", "Ce-Specversion", "0.3", "Ce-Id", "1", "Ce-Source", "s", "Ce-Type", "t")
	r.tells("GET", "/ce/orders?mode=x", "", 400, "want binary, structured or batch")
}

func TestAPatternChoosesRecordsOfAnyKind(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	r.tells("POST", "/t/orders", `{"total":5}`, 200, "")
	r.tells("POST", "/t/orders", `{"total":500}`, 200, "")
	r.tells("POST", "/ce/orders", `{"total":700}`, 202, `"id":"1"`, "Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "/shop", "Ce-Type", "Placed", "Content-Type", "application/json")
	r.tells("GET", `/t/orders?pattern={"data":{"total":[{"numeric":[">",100]}]}}`, "", 200, `"offset":1`)
	r.tells("GET", `/ce/orders?pattern={"source":["/shop"]}`, "", 200, `[{"specversion":"1.0","id":"1","source":"/shop","type":"Placed","datacontenttype":"application/json","data":{"total":700}}]`)
	r.tells("GET", `/t/orders?where=body.total%3E600`, "", 200, `"offset":2`)
}

// events are what an event goes in as, and comes out as, in each mode.
func TestCloudEventsInEveryMode(t *testing.T) {
	r := newRig(t)
	r.topic("events", 1)
	const structured = `{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"é \"x\"","datacontenttype":"text/plain","ext":"100%","data":"hello"}`
	attributes := []string{"Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "/s", "Ce-Type", "t", "Ce-Subject", "%C3%A9%20%22x%22", "Ce-Ext", "100%25", "Content-Type", "text/plain"}
	r.tells("POST", "/ce/events", "hello", 202, `{"topic":"events","partition":0,"offset":0,"id":"1"}`, attributes...)
	r.tells("POST", "/ce/events", structured, 202, `"offset":1`, "Content-Type", "application/cloudevents+json; charset=UTF-8")
	r.tells("POST", "/ce/events", "["+structured+"]", 202, `{"events":[{"topic":"events","partition":0,"offset":2,"id":"1"}]}`, "Content-Type", "application/cloudevents-batch+json")
	for _, from := range []string{"0", "1", "2"} {
		if resp, got := r.do("GET", "/ce/events?from="+from, "", "Accept", "application/cloudevents+json"); got != structured || resp.Header.Get("Content-Type") != "application/cloudevents+json" {
			t.Errorf("event %s in structured mode is %s", from, got)
		}
		resp, got := r.do("GET", "/ce/events?mode=binary&from="+from, "")
		if got != "hello" {
			t.Errorf("the data of event %s in binary mode is %q", from, got)
		}
		for i := 0; i < len(attributes); i += 2 {
			if has := resp.Header.Get(attributes[i]); has != attributes[i+1] {
				t.Errorf("event %s has %s: %q, want %q", from, attributes[i], has, attributes[i+1])
			}
		}
	}
	r.tells("GET", "/ce/events?max=2", "", 200, "["+structured+","+structured+"]")
	r.tells("GET", "/ce/events?mode=binary&from=3", "", 204, "")
}

func TestAnEventWithoutDataAndOneThatCurlSends(t *testing.T) {
	r := newRig(t)
	attributes := []string{"Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "/s", "Ce-Type", "t", "Ce-Partitionkey", "k"}
	r.tells("POST", "/ce/fresh", "", 202, "", attributes...) // the topic is made
	r.tells("GET", "/t/fresh", "", 200, `"key":"k","value":null`)
	r.tells("POST", "/ce/fresh", `{"a":1}`, 202, "", append(attributes, "Content-Type", "application/x-www-form-urlencoded")...)
	r.tells("GET", "/ce/fresh?from=1", "", 200, `"datacontenttype":"application/json","partitionkey":"k","data":{"a":1}`)
}

func TestEventsOfABusGoByItsName(t *testing.T) {
	r := newRig(t)
	_, err := r.buses.Create(r.ctx(), bus.Ref{Name: "shop"}, bus.Spec{})
	r.must(err)
	r.tells("POST", "/ce/shop", `{"specversion":"1.0","id":"7","source":"/s","type":"t","data":1}`, 202, `"topic":"shop"`, "Content-Type", "application/cloudevents+json")
	r.tells("POST", "/ce/default", `{"specversion":"1.0","id":"8","source":"/s","type":"t"}`, 202, `"id":"8"`, "Content-Type", "application/cloudevents+json")
	r.tells("GET", "/ce/shop", "", 200, `"id":"7","source":"/s","type":"t"`)
	r.tells("GET", "/ce/default", "", 200, `"id":"8"`)
	r.tells("GET", "/ce/default?region=eu-west-1", "", 200, "[]")
	r.tells("GET", "/ce/default?region=eu-west-1&wait=1ms", "", 200, "[]")
	r.tells("GET", "/ce/nowhere?region=eu-west-1", "", 404, "BUS_NOT_FOUND")
}

func TestWebhooksMayAskFirst(t *testing.T) {
	r := newRig(t)
	resp := r.tells("OPTIONS", "/ce/events", "", 200, "", "WebHook-Request-Origin", "eventemitter.example.com", "WebHook-Request-Rate", "120")
	if o, rate := resp.Header.Get("WebHook-Allowed-Origin"), resp.Header.Get("WebHook-Allowed-Rate"); o != "eventemitter.example.com" || rate != "120" || !strings.Contains(resp.Header.Get("Allow"), "POST") {
		t.Errorf("%v", resp.Header)
	}
	r.tells("OPTIONS", "/ce/events", "", 400, "requests a minute", "WebHook-Request-Origin", "x", "WebHook-Request-Rate", "fast")
}

func TestAnAnswerWaitsForTheFirstRecord(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	came := make(chan string, 1)
	go func() {
		_, got := r.do("GET", "/t/orders?wait=60s", "")
		came <- got
	}()
	r.tells("POST", "/t/orders", "x", 200, "")
	if got := <-came; !strings.Contains(got, `"value":"x"`) {
		t.Errorf("it got %s", got)
	}
}

// message is one server-sent event.
type message struct{ id, data string }

// stream reads server-sent events until n with data came, and gives the last id too.
func (r *rig) stream(path string, n int, last string) (all []message) {
	r.Helper()
	ctx, cancel := context.WithCancel(r.ctx())
	defer cancel()
	headers := []string{"Accept", "text/event-stream"}
	if last != "" {
		headers = append(headers, "Last-Event-ID", last)
	}
	resp := r.open(ctx, "GET", path, "", headers...)
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		r.Fatalf("%s is %s", path, kind)
	}
	m := message{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		switch field, value, _ := strings.Cut(lines.Text(), ": "); {
		case field == "id":
			m.id = value
		case field == "data":
			m.data = value
		case field == "" && m.data != "":
			if all = append(all, m); len(all) == n {
				return all
			}
			m = message{}
		}
	}
	r.Fatalf("%s ended after %d of %d events", path, len(all), n)
	return nil
}

func TestAStreamGoesOnBehindTheLastEventThatWasSeen(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	for _, body := range []string{"{\"n\":\n1}", `{"n":2}`, `{"n":3}`} {
		r.tells("POST", "/t/orders", body, 200, "")
	}
	first := r.stream("/t/orders?from=start", 2, "")
	if first[0].id != "0:1" || first[1].id != "0:2" || !strings.Contains(first[1].data, `"value":"{\"n\":2}"`) {
		t.Errorf("the stream gave %v", first)
	}
	second := r.stream("/t/orders?from=start", 1, first[1].id)
	if second[0].id != "0:3" {
		t.Errorf("it went on with %v", second)
	}
	got := r.stream(`/ce/orders?from=start&pattern={"detail":{"n":[1,3]}}`, 2, "")
	var data []any
	for _, m := range got {
		var e map[string]any
		r.must(json.Unmarshal([]byte(m.data), &e))
		data = append(data, e["data"])
	}
	if want := []any{map[string]any{"n": 1.0}, map[string]any{"n": 3.0}}; !reflect.DeepEqual(data, want) {
		t.Errorf("the pattern let %v through", data)
	}
}

// A stream that has nothing to give says where it is, and ends with the port.
func TestAStreamSaysThatItIsThereAndEndsWithThePort(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	r.tells("POST", "/t/orders", `1`, 200, "")
	resp := r.open(r.ctx(), "GET", `/t/orders?from=start&pattern={"detail":[2]}`, "", "Accept", "text/event-stream")
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() && lines.Text() != "id: 0:1" { // of what the pattern left out
	}
	r.must(r.front.Close(r.ctx()))
	for lines.Scan() {
	}
	if r.ctx().Err() != nil {
		t.Error("the stream did not end with the port")
	}
}

// There is one stream, and who has it does not read it.
func TestWhoTakesNothingIsLeft(t *testing.T) {
	r := newRigOf(t, 1)
	r.topic("orders", 1)
	noise := make([]byte, 512<<10)
	rand.New(rand.NewSource(1)).Read(noise)
	for range 24 { // more than the connection's buffers hold
		r.tells("POST", "/t/orders", string(noise), 200, "")
	}
	resp := r.open(r.ctx(), "GET", "/t/orders?from=start", "", "Accept", "text/event-stream")
	defer resp.Body.Close()
	for ctx := r.ctx(); ; {
		other := r.open(ctx, "GET", "/t/orders?from=end", "", "Accept", "text/event-stream")
		other.Body.Close()
		if other.StatusCode == http.StatusOK {
			return
		}
		if other.StatusCode != http.StatusTooManyRequests {
			t.Fatalf("the next one gets %s", other.Status)
		}
	}
}

func FuzzEventsNeverPanic(f *testing.F) {
	f.Add("application/cloudevents+json", "1.0", `%C3%A9`, `{"specversion":"1.0","id":"1","source":"s","type":"t"}`)
	f.Add("application/cloudevents-batch+json", "", "", `[{}]`)
	f.Add("text/plain", "1.0", `"a\"b"`, "x")
	f.Add("application/x-ndjson", "", "", `{"value":"x"}`)
	mux := http.NewServeMux()
	topics.Mount(mux, topics.Options{Topics: nowhere{}, Trusted: true, Logger: slog.New(slog.DiscardHandler)})
	f.Fuzz(func(t *testing.T, kind, version, attribute, body string) {
		for _, path := range []string{"/ce/x", "/t/x"} {
			req, err := http.NewRequest("POST", "http://127.0.0.1"+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header = http.Header{"Content-Type": {kind}, "Ce-Specversion": {version}, "Ce-Id": {attribute}, "Ce-Source": {attribute}, "Ce-Type": {"t"}}
			w := &discard{header: http.Header{}}
			mux.ServeHTTP(w, req)
			if w.status >= 500 {
				t.Fatalf("%s of %q %q %q %q: %d", path, kind, version, attribute, body, w.status)
			}
		}
	})
}

// nowhere takes records and keeps none.
type nowhere struct{ topics.Topics }

func (nowhere) Write(_ context.Context, _ string, records []*kgo.Record) ([]tail.Written, error) {
	return make([]tail.Written, len(records)), nil
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
