package data

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// patience bounds waiting for what must happen, below the max wait of the
// requests; it is no expectation of speed.
const patience = 2 * time.Minute

// fetchRequest reads partitions of orders, each from the given offset.
func fetchRequest(version int16, offsets map[int32]int64) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(version)
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.SessionEpoch = 2*int32(patience.Milliseconds()), 1, 1<<20, -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = "orders", ordersID
	for i := int32(0); i < 100; i++ {
		if o, ok := offsets[i]; ok {
			p := kmsg.NewFetchRequestTopicPartition()
			p.Partition, p.FetchOffset, p.PartitionMaxBytes, p.CurrentLeaderEpoch = i, o, 1<<20, -1
			t.Partitions = append(t.Partitions, p)
		}
	}
	if len(t.Partitions) > 0 {
		req.Topics = append(req.Topics, t)
	}
	return req
}

// put appends and waits until it is committed.
func (r *rig) put(index int32, values ...string) {
	r.t.Helper()
	c := r.dial()
	resp := c.ask(produceRequest(9, -1, map[int32][]byte{index: batch(values...)})).(*kmsg.ProduceResponse)
	if code := resp.Topics[0].Partitions[0].ErrorCode; code != 0 {
		r.t.Fatalf("produce: code %d", code)
	}
	c.nc.Close()
}

// rows lists what an answer says, one word a partition.
func rows(t testing.TB, resp *kmsg.FetchResponse) string {
	t.Helper()
	var all []string
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			word := fmt.Sprintf("%d:", p.Partition)
			if p.ErrorCode != 0 {
				word += wire.Code(p.ErrorCode).Name()
			}
			all = append(all, word+strings.Join(valuesOf(t, p.RecordBatches), ","))
		}
	}
	return strings.Join(all, " ")
}

func TestFetchInEveryVersion(t *testing.T) {
	r := newRig(t)
	r.put(0, "a", "b")
	r.put(1, "c")
	c := r.dial()
	for v := int16(4); v <= 18; v++ {
		for isolation := range int8(2) {
			req := fetchRequest(v, map[int32]int64{0: 0, 1: 0, 2: 0})
			req.IsolationLevel = isolation
			resp := c.ask(req).(*kmsg.FetchResponse)
			if got := rows(t, resp); got != "0:a,b 1:c 2:" {
				t.Fatalf("v%d: %s", v, got)
			}
			p := resp.Topics[0].Partitions[0]
			if p.HighWatermark != 2 || p.LastStableOffset != 2 || v >= 5 && p.LogStartOffset != 0 || v >= 11 && p.PreferredReadReplica != -1 {
				t.Errorf("v%d: %+v", v, p)
			}
			if null := p.AbortedTransactions == nil; null != (isolation == 0) {
				t.Errorf("v%d isolation %d: the list of aborted transactions is null: %t", v, isolation, null)
			}
		}
	}
}

func TestFetchErrorsAnswerAtOnce(t *testing.T) {
	r := newRig(t)
	r.put(0, "a")
	tests := []struct {
		name    string
		version int16
		offsets map[int32]int64
		edit    func(*kmsg.FetchRequest)
		want    string
	}{
		{"out of range", 12, map[int32]int64{0: 9}, nil, "0:OFFSET_OUT_OF_RANGE"},
		{"before the start", 4, map[int32]int64{0: -5}, nil, "0:OFFSET_OUT_OF_RANGE"},
		{"unknown partition", 12, map[int32]int64{50: 0}, nil, "50:UNKNOWN_TOPIC_OR_PARTITION"},
		{"unknown id", 13, map[int32]int64{0: 0}, func(q *kmsg.FetchRequest) { q.Topics[0].TopicID = [16]byte{7} }, "0:UNKNOWN_TOPIC_ID"},
		{"led elsewhere", 16, map[int32]int64{3: 0}, nil, "3:NOT_LEADER_OR_FOLLOWER"},
		{"old epoch", 12, map[int32]int64{0: 1}, func(q *kmsg.FetchRequest) { q.Topics[0].Partitions[0].CurrentLeaderEpoch = 4 }, "0:FENCED_LEADER_EPOCH"},
		{"new epoch", 12, map[int32]int64{0: 1}, func(q *kmsg.FetchRequest) { q.Topics[0].Partitions[0].CurrentLeaderEpoch = 6 }, "0:UNKNOWN_LEADER_EPOCH"},
		{"client as replica", 12, map[int32]int64{0: 0}, func(q *kmsg.FetchRequest) { q.ReplicaID = 2 }, "0:TOPIC_AUTHORIZATION_FAILED"},
		{"client as replica, by tag", 15, map[int32]int64{0: 0}, func(q *kmsg.FetchRequest) { q.ReplicaState.ID = 2 }, "0:TOPIC_AUTHORIZATION_FAILED"},
		{"nothing asked", 12, nil, nil, ""},
	}
	c := r.dial()
	c.nc.SetDeadline(time.Now().Add(patience)) // below the requests' max wait
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			req := fetchRequest(tc.version, tc.offsets)
			if tc.edit != nil {
				tc.edit(req)
			}
			resp := c.ask(req).(*kmsg.FetchResponse)
			if got := rows(t, resp); got != tc.want {
				t.Fatalf("got %q, want %q", got, tc.want)
			}
			for _, topic := range resp.Topics {
				if p := topic.Partitions[0]; p.HighWatermark != -1 || p.LastStableOffset != -1 {
					t.Errorf("offsets beside an error: %+v", p)
				}
				// Kafka says null where a replica refuses, none where none was asked.
				p, asked := topic.Partitions[0], false
				switch wire.Code(p.ErrorCode) {
				case wire.OffsetOutOfRange, wire.NotLeaderOrFollower, wire.FencedLeaderEpoch, wire.UnknownLeaderEpoch:
					asked = true
				}
				if null := p.AbortedTransactions == nil; null != asked {
					t.Errorf("the list of aborted transactions is null: %t, want %t", null, asked)
				}
			}
			if tc.name == "led elsewhere" && (len(resp.Brokers) != 1 || resp.Topics[0].Partitions[0].CurrentLeader.LeaderID != 2) {
				t.Errorf("no hint: %+v", resp)
			}
		})
	}
}

func TestAnIsolationLevelThatDoesNotExistIsRefused(t *testing.T) {
	r := newRig(t)
	r.put(0, "a")
	c := r.dial()
	open := fetchRequest(12, map[int32]int64{0: 0})
	open.SessionEpoch = 0
	session := c.ask(open).(*kmsg.FetchResponse).SessionID
	for v := int16(4); v <= 18; v++ {
		for _, level := range []int8{2, -1} {
			req := fetchRequest(v, map[int32]int64{0: 0})
			req.IsolationLevel = level
			req.SessionID, req.SessionEpoch = session, 1
			resp := c.ask(req).(*kmsg.FetchResponse)
			want, whole := "0:INVALID_REQUEST", int16(0) // before v7 there is no code of the whole
			if v >= 7 {
				want, whole = "", int16(wire.InvalidRequest)
			}
			if got := rows(t, resp); got != want || resp.ErrorCode != whole {
				t.Errorf("v%d isolation %d: code %d, rows %q, want %d, %q", v, level, resp.ErrorCode, got, whole, want)
			}
		}
	}
	next := fetchRequest(12, map[int32]int64{0: 0})
	next.SessionID, next.SessionEpoch = session, 1
	if resp := c.ask(next).(*kmsg.FetchResponse); resp.ErrorCode != 0 || rows(t, resp) != "0:a" {
		t.Errorf("the session afterwards: code %d, %q, want it as it was", resp.ErrorCode, rows(t, resp))
	}
}

func TestADivergingEpochIsToldAtOnce(t *testing.T) {
	r := newRig(t)
	r.put(0, "a")
	req := fetchRequest(12, map[int32]int64{0: 40})
	req.Topics[0].Partitions[0].LastFetchedEpoch = 5
	resp := r.dial().ask(req).(*kmsg.FetchResponse)
	d := resp.Topics[0].Partitions[0].DivergingEpoch
	if d.Epoch != 5 || d.EndOffset != 1 {
		t.Fatalf("diverging epoch %+v, want 5 ending at 1", d)
	}
}

func TestFetchWaitsForMinBytesOrItsTime(t *testing.T) {
	r := newRig(t)
	one := len(batch("x"))
	c := r.dial()
	req := fetchRequest(12, map[int32]int64{0: 0, 1: 0})
	req.MinBytes = int32(2 * one)
	c.send(req)
	r.put(0, "x")
	c.nc.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := readFrame(c.nc); err == nil {
		t.Fatal("answered with half of what was asked for")
	}
	c.nc.SetReadDeadline(time.Now().Add(patience))
	r.put(1, "y")
	if got := rows(t, c.receive(req, c.n).(*kmsg.FetchResponse)); got != "0:x 1:y" {
		t.Fatalf("got %s", got)
	}
	late := fetchRequest(12, map[int32]int64{0: 1})
	late.MaxWaitMillis = 30
	start := time.Now()
	if got := rows(t, c.ask(late).(*kmsg.FetchResponse)); got != "0:" || time.Since(start) < 30*time.Millisecond {
		t.Fatalf("after %v: %s", time.Since(start), got)
	}
	none := fetchRequest(12, map[int32]int64{0: 1})
	none.MaxWaitMillis = 0
	if got := rows(t, c.ask(none).(*kmsg.FetchResponse)); got != "0:" {
		t.Fatalf("got %s", got)
	}
}

func TestALeadershipChangeEndsTheWait(t *testing.T) {
	r := newRig(t)
	c := r.dial()
	c.nc.SetDeadline(time.Now().Add(patience))
	req := fetchRequest(12, map[int32]int64{0: 0})
	c.send(req)
	must(t, r.parts["orders"][0].Close())
	if got := rows(t, c.receive(req, c.n).(*kmsg.FetchResponse)); got != "0:NOT_LEADER_OR_FOLLOWER" {
		t.Fatalf("got %s", got)
	}
}

func TestSizesOfKIP74(t *testing.T) {
	r := newRig(t)
	for range 3 {
		r.put(0, strings.Repeat("a", 100))
		r.put(1, strings.Repeat("b", 100))
	}
	one := len(batch(strings.Repeat("a", 100)))
	sizes := func(resp *kmsg.FetchResponse) (n []int) {
		for _, p := range resp.Topics[0].Partitions {
			n = append(n, len(p.RecordBatches))
		}
		return n
	}
	c := r.dial()
	for _, tc := range []struct {
		max, part int
		want      []int
	}{
		{10, 1 << 20, []int{one, 0}},          // the first batch is whole
		{1 << 20, 10, []int{one, 10}},         // only the very first; the other is cut
		{2 * one, 1 << 20, []int{2 * one, 0}}, // nothing is left for the second
		{4 * one, 1 << 20, []int{3 * one, one}},
		{0, 0, []int{one, 0}},
	} {
		req := fetchRequest(12, map[int32]int64{0: 0, 1: 0})
		req.MaxBytes = int32(tc.max)
		for i := range req.Topics[0].Partitions {
			req.Topics[0].Partitions[i].PartitionMaxBytes = int32(tc.part)
		}
		if got := sizes(c.ask(req).(*kmsg.FetchResponse)); !slices.Equal(got, tc.want) {
			t.Errorf("max bytes %d, per partition %d: %v, want %v", tc.max, tc.part, got, tc.want)
		}
	}
}

func TestLargeAnswersLeaveByEveryWay(t *testing.T) {
	r := newRigOn(t, vfs.NewOS(), t.TempDir(), nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan error, 1)
	go func() { served <- r.door.Serve(l) }()
	big := strings.Repeat("0123456789abcdef", 20_000) // 320 KB: by sendfile over TCP
	r.put(0, big)
	r.put(0, "small")
	r.put(1, "s")
	r.put(2, big)
	nc, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer nc.Close()
	for name, c := range map[string]*conn{"tcp": {t: t, nc: nc}, "memory": r.dial()} {
		for v := int16(11); v <= 12; v++ {
			got := rows(t, c.ask(fetchRequest(v, map[int32]int64{0: 0, 1: 0, 2: 0})).(*kmsg.FetchResponse))
			if want := "0:" + big + ",small 1:s 2:" + big; got != want {
				t.Errorf("%s v%d: %d bytes, want %d", name, v, len(got), len(want))
			}
		}
	}
	nc.Close()
	must(t, l.Close())
	if err := <-served; err == nil {
		t.Error("a listener that ends by itself is no error")
	}
}

func TestPipelinedFetchesAnswerInOrder(t *testing.T) {
	r := newRig(t)
	r.put(1, "ready")
	c := r.dial()
	c.nc.SetDeadline(time.Now().Add(patience))
	first, second := fetchRequest(12, map[int32]int64{0: 0}), fetchRequest(12, map[int32]int64{1: 0})
	c.send(first)
	c.send(second)
	r.put(0, "now")
	if got := rows(t, c.receive(first, 1).(*kmsg.FetchResponse)); got != "0:now" {
		t.Errorf("first: %s", got)
	}
	if got := rows(t, c.receive(second, 2).(*kmsg.FetchResponse)); got != "1:ready" {
		t.Errorf("second: %s", got)
	}
}

// FuzzFetch: any body is refused or answered, with memory in proportion.
func FuzzFetch(f *testing.F) {
	for v := int16(4); v <= 18; v++ {
		req := fetchRequest(v, map[int32]int64{0: 0, 1: 5, 9: 1})
		ft := kmsg.NewFetchRequestForgottenTopic()
		ft.Topic, ft.Partitions = "orders", []int32{1, 2}
		req.ForgottenTopics = append(req.ForgottenTopics, ft)
		f.Add(v, req.AppendTo(nil))
		req.SessionEpoch = 0
		f.Add(v, req.AppendTo(nil))
	}
	r := newRig(f)
	conn := &api.Conn{Advertised: func(int32) (string, int32) { return "h", 1 }}
	f.Fuzz(func(t *testing.T, version int16, body []byte) {
		if version < 4 || version > 18 {
			return
		}
		ans, err := r.family.fetch(conn, &api.Request{Header: wire.Header{Key: 1, Version: version}, Body: body, Received: time.Now()})
		if err != nil {
			return
		}
		a := ans.(*fetchAnswer)
		if a.mode != incremental {
			if taken := len(a.topics)*24 + len(a.names) + len(a.forgotten)*8 + len(a.parts)*220; taken > 16*len(body)+1024 {
				t.Fatalf("%d bytes of request took %d", len(body), taken)
			}
		}
		a.expired.Store(true)
		var out api.Out
		out.Begin(1)
		defer out.Free()
		if done, err := a.Build(&out); !done || err != nil {
			t.Fatalf("not built: %v", err)
		}
		resp := kmsg.NewPtrFetchResponse()
		resp.SetVersion(version)
		head := 8
		if version >= 12 {
			head = 9
		}
		if err := resp.ReadFrom(out.Buf[head:]); err != nil {
			t.Fatalf("the answer does not decode: %v", err)
		}
	})
}
