package sharer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/record"
)

// answer is a partition's answer of three records from offset 7 on.
func answer() *kmsg.ShareFetchResponseTopicPartition {
	b := record.NewBuilder()
	for _, v := range []string{"a", "b", "c"} {
		b.Add(0, []byte("k"), []byte(v), record.RecordHeader{Key: "h", Value: []byte(v + v)})
	}
	p := kmsg.NewShareFetchResponseTopicPartition()
	p.Partition, p.Records = 3, b.Build(7)
	return &p
}

func acquire(p *kmsg.ShareFetchResponseTopicPartition, first, last int64, count int16) {
	a := kmsg.NewShareFetchResponseTopicPartitionAcquiredRecord()
	a.FirstOffset, a.LastOffset, a.DeliveryCount = first, last, count
	p.AcquiredRecords = append(p.AcquiredRecords, a)
}

func TestAcquiredRecordsAreFoundInTheirBatches(t *testing.T) {
	p := answer()
	acquire(p, 7, 7, 1)
	acquire(p, 9, 9, 4)
	got, err := acquired(p)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for i := range got {
		r := &got[i]
		text += fmt.Sprintf("%d@%d:%d %s=%s %s; ", r.Partition, r.Offset, r.Count, r.Key, r.Value, r.Header("h"))
	}
	if want := "3@7:1 k=a aa; 3@9:4 k=c cc; "; text != want {
		t.Errorf("got %q, want %q", text, want)
	}
	if got[0].Header("none") != nil {
		t.Error("a header that is not there has a value")
	}
}

func TestAnAnswerThatLacksWhatItGivesIsBroken(t *testing.T) {
	p := answer()
	acquire(p, 9, 10, 1)
	if _, err := acquired(p); err == nil || !strings.Contains(err.Error(), "2 records of partition 3 were acquired, and the bytes have 1") {
		t.Errorf("a record that is not there: %v", err)
	}
	p = answer()
	p.Records[len(p.Records)-1] ^= 1
	if _, err := acquired(p); err == nil || !strings.Contains(err.Error(), "does not match its checksum") {
		t.Errorf("a bit that turned: %v", err)
	}
}
