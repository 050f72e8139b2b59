//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/record"
)

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
