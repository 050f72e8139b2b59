package schema

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"
)

// Records as a Kafka 4.4.0 broker wrote them: a new transactional id, its first
// transaction, begun, about to be aborted, and aborted.
var written = []struct {
	name, key, value string
	want             Value
}{
	{"new", "0000000574786e2d31", "00010000000000000006000000009c400000000001a213cdde82ffffffffffffffff0100080000000000000006",
		Value{ProducerID: 6, TimeoutMs: 40000, LastUpdateMs: 1795628588674, StartMs: -1, PreviousProducerID: 6, NextProducerID: -1, NextEpoch: -1}},
	{"ongoing", "0000000574786e2d31", "00010000000000000006000000009c400102076c656467657203000000010000000000000001a213cdde94000001a213cdde94020008000000000000000602020002",
		Value{ProducerID: 6, TimeoutMs: 40000, Status: 1, Topics: []Topic{{"ledger", []int32{1, 0}}}, LastUpdateMs: 1795628588692, StartMs: 1795628588692,
			PreviousProducerID: 6, NextProducerID: -1, ClientVersion: 2, NextEpoch: -1}},
	{"decided", "0000000574786e2d31", "00010000000000000006000100009c400302076c656467657203000000010000000000000001a213cdde9f000001a213cdde94020008000000000000000602020002",
		Value{ProducerID: 6, Epoch: 1, TimeoutMs: 40000, Status: 3, Topics: []Topic{{"ledger", []int32{1, 0}}}, LastUpdateMs: 1795628588703, StartMs: 1795628588692,
			PreviousProducerID: 6, NextProducerID: -1, ClientVersion: 2, NextEpoch: -1}},
	{"complete", "0000000574786e2d31", "00010000000000000006000100009c400501000001a213cddea0000001a213cdde94020008000000000000000602020002",
		Value{ProducerID: 6, Epoch: 1, TimeoutMs: 40000, Status: 5, LastUpdateMs: 1795628588704, StartMs: 1795628588692,
			PreviousProducerID: 6, NextProducerID: -1, ClientVersion: 2, NextEpoch: -1}},
}

func TestKafkasRecordsAreReadAndWrittenByteForByte(t *testing.T) {
	for _, r := range written {
		key, errKey := hex.DecodeString(r.key)
		value, errValue := hex.DecodeString(r.value)
		if errKey != nil || errValue != nil {
			t.Fatal(errKey, errValue)
		}
		id, known, err := ParseKey(key)
		if err != nil || !known || id != "txn-1" || !bytes.Equal(AppendKey(nil, id), key) {
			t.Errorf("%s: key %q, %t, %v", r.name, id, known, err)
		}
		v, version, err := ParseValue(value)
		if err != nil || version != 1 || !reflect.DeepEqual(v, r.want) {
			t.Errorf("%s: got %+v version %d, %v; want %+v", r.name, v, version, err, r.want)
		}
		if again := AppendValue(nil, &v, version); !bytes.Equal(again, value) {
			t.Errorf("%s is written as\n%x, by Kafka as\n%x", r.name, again, value)
		}
	}
}
