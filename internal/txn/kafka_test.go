package txn

import (
	"encoding/hex"
	"testing"
	"time"

	"ottla/internal/coordinator"
)

// TestALifeIsWrittenAsKafkaWritesIt replays what a client did with a Kafka
// 4.4.0 broker and compares what comes into the log, byte for byte. (The
// partitions of a topic have no order in Kafka; this transaction has one.)
func TestALifeIsWrittenAsKafkaWritesIt(t *testing.T) {
	w := newWorld(t)
	w.fresh = 4
	at := func(ms int64) { w.now = time.UnixMilli(ms) }
	ask := func(body any) {
		t.Helper()
		if _, _, err := w.ask(body); err != nil {
			t.Fatal(err)
		}
	}
	id, parts := "txn-0", []TopicPartition{{"ledger", 0}}
	init := Init{ID: id, TimeoutMs: 40000, ProducerID: -1, Epoch: -1, FreshID: -1}
	at(1795628588490)
	ask(init)
	at(1795628588564)
	ask(Add{ID: id, ProducerID: 5, Epoch: 0, Version: V2, Partitions: parts})
	at(1795628588574)
	ask(End{ID: id, ProducerID: 5, Epoch: 0, Commit: true, Version: V2, FreshID: -1})
	at(1795628588577)
	w.written(id, nil)
	if _, ok := w.fire(w.now); !ok {
		t.Fatal("nothing is complete")
	}
	at(1795628588713)
	ask(init)
	want := []string{
		"00010000000000000005000000009c400000000001a213cdddcaffffffffffffffff0100080000000000000005",
		"00010000000000000005000000009c400102076c6564676572020000000000000001a213cdde14000001a213cdde14020008000000000000000502020002",
		"00010000000000000005000100009c400202076c6564676572020000000000000001a213cdde1e000001a213cdde14020008000000000000000502020002",
		"00010000000000000005000100009c400401000001a213cdde21000001a213cdde14020008000000000000000502020002",
		"00010000000000000005000200009c400000000001a213cddea9ffffffffffffffff020008000000000000000502020002",
	}
	compareLog(t, w.log, "0000000574786e2d30", want)
}

func compareLog(t *testing.T, log []coordinator.Record, key string, want []string) {
	t.Helper()
	if len(log) != len(want) {
		t.Fatalf("%d records, want %d", len(log), len(want))
	}
	for i, r := range log {
		if hex.EncodeToString(r.Key) != key || hex.EncodeToString(r.Value) != want[i] {
			t.Errorf("record %d:\n%x %x\nKafka wrote\n%s %s", i, r.Key, r.Value, key, want[i])
		}
	}
}
