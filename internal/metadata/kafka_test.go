package metadata

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// kafkaLog is what a real Kafka 4.4.0 wrote: the values of its bootstrap
// snapshot and of its log, one "offset hex" a line (repeated NO_OPs left out).
func kafkaLog(t testing.TB) [][]byte {
	t.Helper()
	f, err := os.Open("testdata/kafka-4.4.0.log.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var values [][]byte
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		_, text, _ := strings.Cut(s.Text(), " ")
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, b)
	}
	if len(values) < 40 {
		t.Fatalf("the captured log has %d records, want more than 40", len(values))
	}
	return values
}

func TestRecordsOfKafkaAreReadAndWrittenAgainByteForByte(t *testing.T) {
	for _, b := range kafkaLog(t) {
		r, err := Parse(b)
		if err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		if got := Append(nil, r); !bytes.Equal(got, b) {
			t.Errorf("%s is written as\n%x, want\n%x", TypeName(r.RecordType()), got, b)
		}
	}
}

func TestTheLogOfKafkaGivesTheImageItDescribes(t *testing.T) {
	img := Empty()
	for i, b := range kafkaLog(t) {
		r, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if img, _, err = img.With(int64(i), 1, r); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d topics %d partitions", img.TopicCount(), img.PartitionCount())
	for r := range img.Records() {
		t.Logf("%T %+v", r, r)
	}
}
