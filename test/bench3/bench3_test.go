//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/record"
)

func TestDelaysAreToldByTheNearestRank(t *testing.T) {
	var hundred delays
	for i := 100; i > 0; i-- {
		hundred = append(hundred, time.Duration(i)*time.Millisecond)
	}
	for _, c := range []struct {
		d     delays
		share float64
		want  float64
	}{
		{nil, 0.99, 0},
		{delays{7 * time.Millisecond}, 0.01, 7},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 0.991, 100},
		{hundred, 1, 100},
	} {
		if got := c.d.ms(c.share); got != c.want {
			t.Errorf("%d delays at %v: got %v ms, want %v", len(c.d), c.share, got, c.want)
		}
	}
}

func TestAMeterSeesWhatThisProcessDoes(t *testing.T) {
	m, err := startMeter(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := m.stop()
	if err != nil || u.cpu != 0 || u.wall <= 0 || u.others < 0 {
		t.Errorf("of no processes: got %+v, %v", u, err)
	}
	if _, err := startMeter([]int{0}); err == nil {
		t.Error("a process that is not there was measured")
	}
}

func TestARatioIsTheMedianOfThePairs(t *testing.T) {
	of := func(kafka, ottla float64) pair {
		return pair{outcome{seen: seen{"x": kafka}}, outcome{seen: seen{"x": ottla}}}
	}
	pairs := []pair{of(10, 5), of(20, 4), of(10, 9)}
	for _, c := range []struct {
		f     figure
		holds bool
		word  string
		bound string
	}{
		{figure{"x", lower, 0.5}, true, "ok", "<= 0.5"},
		{figure{"x", lower, 0.4}, false, "SHORT", "<= 0.4"},
		{figure{"x", higher, 0.5}, true, "ok", ">= 0.5"},
		{figure{"x", higher, 1}, false, "SHORT", ">= 1"},
		{figure{"x", reported, 0}, true, "reported", ""},
	} {
		v := judge(c.f, pairs)
		if v.kafka != 10 || v.ottla != 5 || v.ratio != 0.5 || v.holds != c.holds || v.word(c.f) != c.word || c.f.bound() != c.bound {
			t.Errorf("%+v: got %+v, %q, %q", c.f, v, v.word(c.f), c.f.bound())
		}
	}
	if got := median([]float64{4, 1, 2, 3}); got != 2.5 {
		t.Errorf("median of an even count: got %v, want 2.5", got)
	}
}

func TestAPairIsBusyWhenOthersTookMoreThanHalfACore(t *testing.T) {
	for _, c := range []struct {
		kafka, ottla float64
		want         bool
	}{{0.1, 0.5, false}, {0.51, 0, true}, {0, 0.51, true}} {
		if got := (pair{outcome{others: c.kafka}, outcome{others: c.ottla}}).busy(); got != c.want {
			t.Errorf("%v and %v cores: got %v", c.kafka, c.ottla, got)
		}
	}
}

func TestMeasuresAreChosenByName(t *testing.T) {
	if got, err := choose(""); err != nil || len(got) != len(measures) {
		t.Errorf("none named: got %d, %v, want all", len(got), err)
	}
	got, err := choose("fsync,latency")
	if err != nil || len(got) != 2 || got[0].name != "fsync" || got[1].name != "latency" {
		t.Errorf("two named: got %v, %v", got, err)
	}
	if _, err := choose("latency,nothing"); err == nil {
		t.Error("a name that none has was taken")
	}
}

func TestTheBatchIsOneThatALeaderTakes(t *testing.T) {
	b := encodeBatch()
	h, batch, rest, err := record.Next(b)
	if err != nil || len(rest) > 0 || !record.VerifyCRC(batch) {
		t.Fatalf("got %d bytes and %d behind them, %v", len(batch), len(rest), err)
	}
	if got := int(h.LastOffsetDelta) + 1; got != perBatch {
		t.Errorf("got %d records, want %d", got, perBatch)
	}
	if len(b) > batchBytes || len(b) < batchBytes*9/10 {
		t.Errorf("got %d bytes, want about %d", len(b), batchBytes)
	}
}

func TestAProduceRequestCarriesTheBatch(t *testing.T) {
	batch := encodeBatch()
	b := encodeProduce("events", 3, batch)
	if got := int(binary.BigEndian.Uint32(b)); got != len(b)-4 {
		t.Fatalf("its length says %d, and %d follow", got, len(b)-4)
	}
	if key, version := binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:]); key != 0 || version != produceVersion {
		t.Fatalf("got key %d version %d", key, version)
	}
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(produceVersion)
	if err := req.ReadFrom(b[4+8+2+len("bench3")+1:]); err != nil {
		t.Fatal(err)
	}
	p := req.Topics[0].Partitions[0]
	if req.Acks != -1 || req.Topics[0].Topic != "events" || p.Partition != 3 || !bytes.Equal(p.Records, batch) {
		t.Errorf("got acks %d, topic %s, partition %d, %d bytes", req.Acks, req.Topics[0].Topic, p.Partition, len(p.Records))
	}
}

func TestAnAnswerWithAnErrorIsNone(t *testing.T) {
	for _, c := range []struct {
		code int16
		ok   bool
	}{{0, true}, {kerr.NotEnoughReplicas.Code, false}} {
		err := readAnswer(bytes.NewReader(answerOf(c.code)))
		if (err == nil) != c.ok {
			t.Errorf("code %d: got %v", c.code, err)
		}
	}
	whole := answerOf(0)
	for n := range whole {
		if err := readAnswer(bytes.NewReader(whole[:n])); err == nil {
			t.Errorf("%d of %d bytes were taken", n, len(whole))
		}
	}
	if err := readAnswer(bytes.NewReader([]byte{255, 255, 255, 255})); err == nil {
		t.Error("an answer of 4 GiB was taken")
	}
}

func answerOf(code int16) []byte {
	resp := kmsg.NewPtrProduceResponse()
	resp.SetVersion(produceVersion)
	p := kmsg.NewProduceResponseTopicPartition()
	p.ErrorCode = code
	top := kmsg.NewProduceResponseTopic()
	top.Topic, top.Partitions = "events", []kmsg.ProduceResponseTopicPartition{p}
	resp.Topics = []kmsg.ProduceResponseTopic{top}
	body := resp.AppendTo([]byte{0, 0, 0, 1, 0})
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func TestTheDiskIsMeasuredAndLeftClean(t *testing.T) {
	dir := t.TempDir()
	path := dir + "/x"
	if err := writeSynced(path, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := writeSynced(path+"/below-nothing", 1<<20); err == nil {
		t.Error("a file that cannot be made was written")
	}
}
