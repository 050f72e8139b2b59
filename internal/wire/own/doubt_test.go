package own

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestADoubtTravelsInATag: and what else there is in the section is passed over.
func TestADoubtTravelsInATag(t *testing.T) {
	for _, doubt := range []bool{false, true} {
		resp := kmsg.NewPtrOffsetForLeaderEpochResponse()
		resp.SetVersion(4)
		topic, row := kmsg.NewOffsetForLeaderEpochResponseTopic(), kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
		row.UnknownTags.Set(7, []byte{1})
		if doubt {
			SetDoubt(&row.UnknownTags)
		}
		topic.Partitions = append(topic.Partitions, row)
		resp.Topics = append(resp.Topics, topic)
		back := kmsg.NewPtrOffsetForLeaderEpochResponse()
		back.SetVersion(4)
		if err := back.ReadFrom(resp.AppendTo(nil)); err != nil {
			t.Fatal(err)
		}
		if got := Doubts(&back.Topics[0].Partitions[0].UnknownTags); got != doubt {
			t.Errorf("in doubt %v, read %v", doubt, got)
		}
	}
}
