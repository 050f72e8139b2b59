package raw

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestAProduceRequestCarriesTheBatch(t *testing.T) {
	batch := []byte("a batch")
	b := Produce("bench3", "events", 3, batch)
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
		err := Answer(bytes.NewReader(answerOf(c.code)))
		if (err == nil) != c.ok {
			t.Errorf("code %d: got %v", c.code, err)
		}
	}
	whole := answerOf(0)
	for n := range whole {
		if err := Answer(bytes.NewReader(whole[:n])); err == nil {
			t.Errorf("%d of %d bytes were taken", n, len(whole))
		}
	}
	if err := Answer(bytes.NewReader([]byte{255, 255, 255, 255})); err == nil {
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
