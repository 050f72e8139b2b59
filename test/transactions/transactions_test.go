package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/history"
	"ottla/test/history/client"
	"ottla/test/rig"
)

func frameOf(req kmsg.Request) []byte {
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("a client")).AppendRequest(nil, req, 7)
}

func endOf(version, epoch int16, commit bool) *kmsg.EndTxnRequest {
	r := kmsg.NewPtrEndTxnRequest()
	r.SetVersion(version)
	r.TransactionalID, r.ProducerID, r.ProducerEpoch, r.Commit = "x", 5, epoch, commit
	return r
}

func TestFramesOfWatchedAPIsAreRead(t *testing.T) {
	for v := range int16(6) {
		got, ok := requestOf(frameOf(endOf(v, 3, true))).(*kmsg.EndTxnRequest)
		if !ok || got.TransactionalID != "x" || got.ProducerEpoch != 3 || !got.Commit || got.Version != v {
			t.Errorf("EndTxn v%d is read as %+v", v, got)
		}
	}
	other := kmsg.NewPtrMetadataRequest()
	other.SetVersion(9)
	if got := requestOf(frameOf(other)); got != nil {
		t.Errorf("Metadata is read as %+v", got)
	}
	for n := range 40 {
		requestOf(frameOf(endOf(5, 3, true))[:n]) // nothing that is cut off makes it panic
	}
}

func TestFramesAreReadWholeAndBounded(t *testing.T) {
	frame := frameOf(endOf(3, 1, false))
	got, err := readFrame(bytes.NewReader(append(slices.Clone(frame), 9, 9)))
	if err != nil || !bytes.Equal(got, frame) {
		t.Errorf("got %x, %v, want %x", got, err, frame)
	}
	if _, err := readFrame(bytes.NewReader(binary.BigEndian.AppendUint32(nil, maxFrame+1))); err == nil {
		t.Error("a frame beyond the bound was taken")
	}
	if _, err := readFrame(bytes.NewReader(frame[:len(frame)-1])); err != io.ErrUnexpectedEOF {
		t.Errorf("a frame that is cut off gives %v", err)
	}
}

func proxyThat(lies plant) *proxy {
	return &proxy{plant: lies, r: rand.New(rand.NewPCG(1, 2)), counts: map[string]int{}, stop: make(chan struct{}), store: newStore(0)}
}

func TestPlantsBendOnlyWhatTheyAreFor(t *testing.T) {
	fetch := kmsg.NewPtrFetchRequest()
	fetch.SetVersion(12)
	fetch.IsolationLevel = 1
	for _, c := range []struct {
		lies plant
		req  kmsg.Request
		bent bool
	}{
		{honest, fetch, false}, {dirty, fetch, true}, {commits, fetch, false},
		{commits, endOf(5, 1, false), true}, {commits, endOf(5, 1, true), false},
		{aborts, endOf(5, 1, true), true}, {aborts, endOf(3, 1, false), false}, {dirty, endOf(5, 1, true), false},
	} {
		p, frame := proxyThat(c.lies), frameOf(c.req)
		changed := false
		for range 200 { // ends are bent one time in ten
			got := p.lie(slices.Clone(frame))
			changed = changed || !bytes.Equal(got, frame)
			if requestOf(got) == nil || int(binary.BigEndian.Uint32(got))+4 != len(got) {
				t.Fatalf("%q makes a frame that is none: %x", c.lies, got)
			}
		}
		if changed != c.bent {
			t.Errorf("%q on key %d: bent %v, want %v", c.lies, c.req.Key(), changed, c.bent)
		}
	}
}

func TestOnlyOldEpochsAreSentAgain(t *testing.T) {
	s := newStore(0)
	first := func(int) int { return 0 }
	s.note(endOf(5, 3, true), nil)
	if _, _, ok := s.old(first); ok {
		t.Error("the newest epoch was taken for an old one")
	}
	s.note(endOf(5, 5, true), nil)
	if k, behind, ok := s.old(first); !ok || k.epoch != 3 || behind != 2 {
		t.Errorf("got epoch %d, %d behind, %v", k.epoch, behind, ok)
	}
	s = newStore(time.Hour)
	s.note(endOf(5, 3, true), nil)
	s.note(endOf(5, 5, true), nil)
	if _, _, ok := s.old(first); ok {
		t.Error("an epoch was taken for over before its time")
	}
	for range 2 * keepAtMost {
		s.note(endOf(5, 6, true), nil)
	}
	if len(s.kept) != keepAtMost {
		t.Errorf("%d requests are kept, at most %d", len(s.kept), keepAtMost)
	}
}

func TestWhatIsTakenOfAnOldEpochFailsTheRun(t *testing.T) {
	for _, c := range []struct {
		req    kmsg.Request
		behind int16
		code   int16
		wrong  bool
	}{
		{endOf(5, 1, true), 1, 47, false}, {endOf(5, 1, true), 1, 0, false}, {endOf(5, 1, true), 2, 0, true},
		{endOf(3, 1, true), 1, 0, true}, {kmsg.NewPtrProduceRequest(), 1, 0, true}, {kmsg.NewPtrProduceRequest(), 1, 47, false},
	} {
		p := proxyThat(honest)
		p.weigh(kept{id: "x"}, c.behind, c.req, []int16{c.code})
		if got := p.verdict(false) != nil; got != c.wrong {
			t.Errorf("key %d v%d, %d behind, code %d: wrong %v, want %v", c.req.Key(), c.req.GetVersion(), c.behind, c.code, got, c.wrong)
		}
	}
	if err := proxyThat(honest).verdict(true); err == nil || !strings.Contains(err.Error(), "never made") {
		t.Errorf("a run without faults gives %v", err)
	}
}

func TestForgedRequestsAreOfTheOldEpoch(t *testing.T) {
	all := kept{id: "x", producer: 5, epoch: 3}.forged()
	parts, offsets := all[0].(*kmsg.AddPartitionsToTxnRequest), all[1].(*kmsg.AddOffsetsToTxnRequest)
	if parts.ProducerEpoch != 3 || parts.ProducerID != 5 || parts.TransactionalID != "x" || offsets.ProducerEpoch != 3 || offsets.ProducerID != 5 {
		t.Errorf("got %+v, %+v", parts, offsets)
	}
}

// The proxy passes on what it does not watch, both ways, and a connection to a
// broker that is down ends.
func TestTheProxyIsTransparent(t *testing.T) {
	broker, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		c, err := broker.Accept()
		if err != nil {
			return
		}
		_, _ = io.Copy(c, c) // an echo, until the client is gone
		_ = c.Close()
	}()
	p, err := listen(options{seed: 1, against: rig.Ottla})
	if err != nil {
		t.Fatal(err)
	}
	p.calm()
	p.serve(broker.Addr().String())
	c, err := net.Dial("tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	for _, req := range []kmsg.Request{endOf(5, 1, true), kmsg.NewPtrMetadataRequest()} {
		frame := frameOf(req)
		if _, err := c.Write(frame); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(frame))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, frame) {
			t.Errorf("got %x, %v, want %x", got, err, frame)
		}
	}
	if err := broker.Close(); err != nil {
		t.Fatal(err)
	}
	if down, err := net.Dial("tcp", p.address()); err == nil { // it may be reset before it is made
		if _, err := down.Read(make([]byte, 1)); err == nil {
			t.Error("a connection to a broker that is down lives")
		}
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
}

// A child's end leaves in the history what it was about to do, as it had said.
func TestWhatADeadChildWasAboutToDoIsPutDown(t *testing.T) {
	path := t.TempDir() + "/history"
	w, err := history.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	tm := &team{history: w, counts: map[string]int{}}
	s := &seat{tm: tm, task: task{Kind: "worker", ID: "x"}}
	p := &process{}
	op := history.Op{Process: 9, Kind: history.Txn, Start: 1, Micro: []history.Micro{send("t", 0, 5)}}
	fate := func(o history.Outcome) []history.Op { op := op; op.Outcome = o; return []history.Op{op} }
	for _, l := range []line{{Will: fate(history.Fail)}, {Did: fate(history.OK), Count: "done"}, {Will: fate(history.Fail)}, {Will: fate(history.Info)}, {Broken: "a promise"}} {
		s.take(p, l)
	}
	if len(p.will) != 1 || p.will[0].Outcome != history.Info {
		t.Errorf("its last word was %+v", p.will)
	}
	if tm.counts["done"] != 1 || tm.verdict() == nil {
		t.Errorf("counts %v, verdict %v", tm.counts, tm.verdict())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ops, err := history.ReadFile(path)
	if err != nil || len(ops) != 1 || ops[0].Outcome != history.OK {
		t.Errorf("the history holds %+v, %v", ops, err)
	}
}

func TestLinesComeBackAsTheyWereSaid(t *testing.T) {
	var out bytes.Buffer
	s := &speaker{w: &out}
	said := line{Did: []history.Op{{Process: 3, Kind: history.Assign, Outcome: history.OK}}, Count: "some"}
	if err := s.say(said); err != nil {
		t.Fatal(err)
	}
	var got line
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Count != "some" || got.Did[0].Process != 3 || got.Will != nil {
		t.Errorf("%s is read as %+v, %v", out.String(), got, err)
	}
}

// Stamps of one process rise and are its own.
func TestStampsRise(t *testing.T) {
	now, err := sharedNow()
	if err != nil {
		t.Fatal(err)
	}
	a, b := &child{task: task{Process: 3, Base: now}}, &child{task: task{Process: 4, Base: now}}
	last := int64(-1)
	for range 1000 {
		s := a.stamp()
		if s <= last || s%1000 != 3 || b.stamp()%1000 != 4 {
			t.Fatalf("%d follows %d", s, last)
		}
		last = s
	}
}

func TestEffectsAreOfTheirInputs(t *testing.T) {
	w := &worker{child: &child{task: task{Process: 7, Partitions: 4, Out: []output{{"mid", 1}, {"audit", 2}}}, txns: 3}}
	var in []*kgo.Record
	for i := range int64(5) {
		in = append(in, &kgo.Record{Topic: "in", Partition: int32(i % 4), Offset: i, Value: client.Encode(100+i, 20)})
	}
	op := &history.Op{}
	out := w.transform(op, in)
	if len(out) != 10 || len(op.Micro) != 10 {
		t.Fatalf("%d records, %d sends, want 10", len(out), len(op.Micro))
	}
	for i, r := range out {
		stage, input := history.Lineage(client.Decode(r.Value))
		m := op.Micro[i]
		if stage != 1+i%2 || input != 100+int64(i/2) || m.Partition != partitionName(r.Topic, r.Partition) || m.Records[0].Value() != client.Decode(r.Value) {
			t.Errorf("record %d in %s-%d is of stage %d, input %d; it is put down as %+v", i, r.Topic, r.Partition, stage, input, m)
		}
	}
	if got := polled(in); len(got) != 4 || len(got[0].Records) != 2 {
		t.Errorf("polled: %+v", got)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for args, good := range map[string]bool{
		"-for 10m": true, "-clients 0": false, "-plant nonsense": false, "-plant dirty": true, "-set a=b,c=d": true,
	} {
		if _, _, err := parse(strings.Fields(args)); (err == nil) != good {
			t.Errorf("%s: %v", args, err)
		}
	}
	o, _, err := parse([]string{"-for", "60s", "-set", "a=b"})
	if err != nil || o.brokerKills != 10 || o.set["a"] != "b" {
		t.Errorf("got %+v, %v", o, err)
	}
	if o, _, _ := parse([]string{"-for", "60s", "-against", "kafka"}); o.brokerKills != 2 {
		t.Errorf("%d kills of Kafka, want 2", o.brokerKills)
	}
}
