package data

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// produceRequest asks for partitions of orders with one batch each.
func produceRequest(version int16, acks int16, batches map[int32][]byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(version)
	req.Acks, req.TimeoutMillis = acks, 5000
	t := kmsg.NewProduceRequestTopic()
	t.Topic, t.TopicID = "orders", ordersID
	for i := int32(0); i < 100; i++ {
		if b, ok := batches[i]; ok {
			p := kmsg.NewProduceRequestTopicPartition()
			p.Partition, p.Records = i, b
			t.Partitions = append(t.Partitions, p)
		}
	}
	req.Topics = append(req.Topics, t)
	return req
}

func TestProduceInEveryVersion(t *testing.T) {
	r := newRig(t)
	c := r.dial()
	for v := int16(3); v <= 13; v++ {
		for _, acks := range []int16{1, -1} {
			end := r.parts["orders"][1].Offsets().LogEnd
			resp := c.ask(produceRequest(v, acks, map[int32][]byte{0: batch("a"), 1: batch("b", "c"), 9: batch("x")})).(*kmsg.ProduceResponse)
			if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 3 {
				t.Fatalf("v%d: %+v", v, resp)
			}
			if v >= 13 && resp.Topics[0].TopicID != ordersID || v < 13 && resp.Topics[0].Topic != "orders" {
				t.Errorf("v%d: topic %q %x", v, resp.Topics[0].Topic, resp.Topics[0].TopicID)
			}
			ok, bad := resp.Topics[0].Partitions[1], resp.Topics[0].Partitions[2]
			if ok.ErrorCode != 0 || ok.BaseOffset != end || ok.LogAppendTime != -1 || v >= 5 && ok.LogStartOffset != 0 || ok.ErrorMessage != nil {
				t.Errorf("v%d acks %d: %+v, want base offset %d", v, acks, ok, end)
			}
			if bad.ErrorCode != int16(wire.UnknownTopicOrPartition) || bad.BaseOffset != -1 {
				t.Errorf("v%d: unknown partition: %+v", v, bad)
			}
		}
	}
}

func TestWhatIsWrongWithABatchIsSaid(t *testing.T) {
	r := newRig(t, func(c *partition.Config) { c.Rules.RequireKeys = true })
	broken := batch("a")
	broken[len(broken)-1] ^= 1
	tests := []struct {
		name    string
		version int16
		acks    int16
		batch   []byte
		code    wire.Code
		records bool
	}{
		{"null records", 9, -1, nil, wire.InvalidRecord, false},
		{"empty records", 9, -1, []byte{}, wire.InvalidRecord, false},
		{"null records, old version", 3, 1, nil, wire.InvalidRecord, false},
		{"wrong checksum", 9, -1, broken, wire.CorruptMessage, false},
		{"acks 2", 9, 2, batch("a"), wire.InvalidRequiredAcks, false},
		{"null key on a compacted topic", 9, -1, batch("a", "b"), wire.InvalidRecord, true},
		{"two batches", 9, -1, append(batch("a"), batch("b")...), wire.InvalidRecord, false},
	}
	c := r.dial()
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			resp := c.ask(produceRequest(tc.version, tc.acks, map[int32][]byte{0: tc.batch})).(*kmsg.ProduceResponse)
			p := resp.Topics[0].Partitions[0]
			if p.ErrorCode != int16(tc.code) || p.BaseOffset != -1 || (len(p.ErrorRecords) > 0) != tc.records {
				t.Fatalf("answer %+v, want %s", p, tc.code.Name())
			}
			if tc.records && (p.ErrorMessage == nil || p.ErrorRecords[0].RelativeOffset != 0) {
				t.Fatalf("record errors without words: %+v", p)
			}
		})
	}
	if end := r.parts["orders"][0].Offsets().LogEnd; end != 0 {
		t.Errorf("log end %d after refusals only", end)
	}
}

func TestNotLeaderComesWithAHint(t *testing.T) {
	c := newRig(t).dial()
	for v := int16(9); v <= 13; v++ {
		resp := c.ask(produceRequest(v, -1, map[int32][]byte{3: batch("a")})).(*kmsg.ProduceResponse)
		p := resp.Topics[0].Partitions[0]
		if p.ErrorCode != int16(wire.NotLeaderOrFollower) {
			t.Fatalf("v%d: %+v", v, p)
		}
		if v < 10 {
			continue
		}
		if p.CurrentLeader.LeaderID != 2 || p.CurrentLeader.LeaderEpoch != 5 || len(resp.Brokers) != 1 || resp.Brokers[0].Host != "other.example" || resp.Brokers[0].Port != 9999 {
			t.Errorf("v%d: leader %+v at %+v", v, p.CurrentLeader, resp.Brokers)
		}
	}
}

func TestUnknownTopicID(t *testing.T) {
	req := produceRequest(13, -1, map[int32][]byte{0: batch("a")})
	req.Topics[0].TopicID = [16]byte{9}
	resp := newRig(t).dial().ask(req).(*kmsg.ProduceResponse)
	if code := resp.Topics[0].Partitions[0].ErrorCode; code != int16(wire.UnknownTopicID) {
		t.Errorf("code %d, want %d", code, wire.UnknownTopicID)
	}
}

func TestAcksZeroIsNotAnsweredAndAnErrorCloses(t *testing.T) {
	r := newRig(t)
	c := r.dial()
	c.send(produceRequest(9, 0, map[int32][]byte{0: batch("a")}))
	resp := c.ask(produceRequest(9, -1, map[int32][]byte{0: batch("b")})).(*kmsg.ProduceResponse)
	if got := resp.Topics[0].Partitions[0].BaseOffset; got != 1 {
		t.Fatalf("the batch after an acks=0 one has offset %d, want 1", got)
	}
	c.send(produceRequest(9, 0, map[int32][]byte{77: batch("a")}))
	if _, err := readFrame(c.nc); err != io.EOF {
		t.Fatalf("after an error with acks=0 the connection gives %v, want its end", err)
	}
}

func TestProduceTimesOutWhenNothingIsCommitted(t *testing.T) {
	r := newRig(t)
	r.stopSync()
	c := r.dial()
	req := produceRequest(9, -1, map[int32][]byte{0: batch("a"), 1: batch("b")})
	req.TimeoutMillis = 20
	resp := c.ask(req).(*kmsg.ProduceResponse)
	for _, p := range resp.Topics[0].Partitions {
		if p.ErrorCode != int16(wire.RequestTimedOut) || p.BaseOffset != -1 {
			t.Errorf("partition %d: %+v, want REQUEST_TIMED_OUT", p.Partition, p)
		}
	}
	// Committed comes late, for an answer that is gone.
	must(t, r.dir.SyncRound())
	req.TimeoutMillis = 0
	resp = c.ask(req).(*kmsg.ProduceResponse)
	if code := resp.Topics[0].Partitions[0].ErrorCode; code != int16(wire.RequestTimedOut) {
		t.Errorf("time-out 0: code %d", code)
	}
}

func TestAnswersComeInTheOrderOfRequests(t *testing.T) {
	r := newRig(t)
	r.stopSync()
	c := r.dial()
	var sent []kmsg.Request
	for i := range 20 {
		var req kmsg.Request = produceRequest(9, -1, map[int32][]byte{int32(i % 3): batch("v")})
		if i%4 == 3 {
			m := kmsg.NewPtrMetadataRequest() // ready at once, and must wait its turn
			m.SetVersion(12)
			req = m
		}
		sent = append(sent, req)
		c.send(req)
	}
	c.nc.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	if b, err := readFrame(c.nc); err == nil {
		t.Fatalf("an answer before anything was committed: %x", b)
	}
	c.nc.SetReadDeadline(time.Time{})
	stop := r.drive()
	defer stop()
	for i, req := range sent {
		c.receive(req, int32(i+1))
	}
}

func TestAClientDrivesTheDoor(t *testing.T) {
	r := newRig(t)
	cl := r.client(kgo.ConsumeTopics("orders"), kgo.DefaultProduceTopic("orders"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const n = 500
	for i := range n {
		rec := kgo.StringRecord(string(rune('a' + i%26)))
		if err := cl.ProduceSync(ctx, rec).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	got := 0
	for got < n {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			t.Fatalf("after %d records: %v", got, err)
		}
		got += fs.NumRecords()
	}
	if got != n {
		t.Errorf("consumed %d records, want %d", got, n)
	}
	if v := r.reg.Counter("ottla_produce_batches_total").Value(); v != n {
		t.Errorf("%d batches counted, want %d", v, n)
	}
}

// FuzzProduce: any body is refused or answered, with memory in proportion.
func FuzzProduce(f *testing.F) {
	for v := int16(3); v <= 13; v++ {
		f.Add(v, produceRequest(v, -1, map[int32][]byte{0: batch("a"), 9: nil}).AppendTo(nil))
		f.Add(v, txnRequest(v, map[int32][]byte{0: inTxn(1, 0, 0, "a"), 1: inTxn(1, 0, 0, "b"), 9: nil}).AppendTo(nil))
	}
	r, _ := vouchRig(f, always(wire.None))
	conn := &api.Conn{Advertised: func(int32) (string, int32) { return "h", 1 }}
	f.Fuzz(func(t *testing.T, version int16, body []byte) {
		if version < 3 || version > 13 {
			return
		}
		body = append([]byte(nil), body...) // Serve may change it
		size := len(body)
		a, err := r.family.produce(conn, &api.Request{Header: wire.Header{Key: 0, Version: version}, Body: body})
		if err != nil || a == nil {
			return
		}
		p := a.(*produceAnswer)
		if taken := len(p.rows)*104 + len(p.topics)*40 + len(p.names); taken > 16*size+1024 {
			t.Fatalf("%d bytes of request took %d", size, taken)
		}
		p.expired.Store(true)
		var out api.Out
		out.Begin(1)
		defer out.Free()
		if done, err := p.Build(&out); !done || err != nil {
			t.Fatalf("not built: %v", err)
		}
		resp := kmsg.NewPtrProduceResponse()
		resp.SetVersion(version)
		head := 8
		if version >= 9 {
			head = 9
		}
		if err := resp.ReadFrom(out.Buf[head:]); err != nil {
			t.Fatalf("the answer does not decode: %v", err)
		}
	})
}
