package metadata

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"slices"
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
	img := kafkaImage(t)
	if got := names(img); !slices.Equal(got, []string{"clicks.raw", "orders"}) || img.PartitionCount() != 7 {
		t.Errorf("topics %v with %d partitions", got, img.PartitionCount())
	}
	// Created, fenced and elected at a restart, fenced at the stop (KIP-966).
	p := img.TopicByName("orders").Partitions[2]
	if p.LeaderEpoch != 3 || p.PartitionEpoch != 3 || p.Leader != NoLeader || len(p.ISR) != 0 || !slices.Equal(p.ELR, []int32{1}) {
		t.Errorf("orders-2 is %+v", p)
	}
	b := img.Broker(1)
	if !b.Fenced || !b.InControlledShutdown || b.Epoch != 86 || b.Endpoints[0].Port != 19311 || b.Features["share.version"] != [2]int16{0, 2} {
		t.Errorf("broker 1 is %+v", b)
	}
	if !slices.Equal(b.Directories, p.Directories) || b.Cordoned == nil {
		t.Errorf("directories %v of the broker, %v of the replica", b.Directories, p.Directories)
	}
	if v, _ := img.Feature(MetadataVersion); v != 33 || img.NextProducerID() != 1000 {
		t.Errorf("metadata.version %d, next producer id %d", v, img.NextProducerID())
	}
	if got := img.Config(ResourceTopic, "orders"); len(got) != 1 || got["cleanup.policy"] != "compact" {
		t.Errorf("orders has %v", got)
	}
	if got := img.Config(ResourceBroker, "")["log.cleaner.threads"]; got != "2" {
		t.Errorf("log.cleaner.threads is %q", got)
	}
	if len(img.opaque) != 2 {
		t.Errorf("%d records are kept, want the quota and the credential", len(img.opaque))
	}
}
