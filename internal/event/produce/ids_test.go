package produce

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// What a client knows of a topic it keeps to, until nobody has told of it for as long as
// records are tried.
func TestAnotherIDOfATopicIsHeardWhenNobodyTellsTheFirst(t *testing.T) {
	first, other := [16]byte{1}, [16]byte{2}
	kept := &ids{known: map[string]*known{}}
	for _, tc := range []struct {
		name  string
		after time.Duration // since the start
		id    [16]byte
		code  int16
		want  bool // it is heard as it is
	}{
		{"the first", 0, first, 0, true},
		{"another", time.Second, other, 0, false},
		{"it again, nearly long enough", within, other, 0, false},
		{"an error", within, [16]byte{}, kerr.UnknownTopicOrPartition.Code, true},
		{"no id", within, [16]byte{}, 0, true},
		{"the first after all", within + 2*time.Second, first, 0, true},
		{"another since then", within + 3*time.Second, other, 0, false},
		{"nobody contradicted", 2*within + 3*time.Second, other, 0, true},
		{"the first, late", 2*within + 4*time.Second, first, 0, true},
	} {
		row := kmsg.NewMetadataResponseTopic()
		row.Topic, row.TopicID, row.ErrorCode = kmsg.StringPtr("orders"), tc.id, tc.code
		row.Partitions = append(row.Partitions, kmsg.NewMetadataResponseTopicPartition())
		resp := kmsg.NewPtrMetadataResponse()
		resp.Topics = append(resp.Topics, row)
		changed := kept.hear(resp, time.Unix(0, 0).Add(tc.after))
		got := resp.Topics[0]
		asItWas := got.TopicID == tc.id && got.ErrorCode == tc.code && len(got.Partitions) == 1
		hidden := got.TopicID == first && got.ErrorCode == kerr.UnknownTopicID.Code && got.Partitions == nil
		if changed == tc.want || asItWas != tc.want || hidden == tc.want {
			t.Errorf("%s: changed %v, heard %v %d with %d partitions; want it as it was: %v", tc.name, changed, got.TopicID, got.ErrorCode, len(got.Partitions), tc.want)
		}
	}
}
