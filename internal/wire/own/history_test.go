package own

import (
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// histories are with everything in them, and empty.
func histories() []*History {
	return []*History{
		{},
		{Told: Told{ErrorCode: 41, ErrorMessage: "not here"}},
		{Told: Told{Node: 3, SinceMs: 1 << 41}, Changes: []Change{
			{AtMs: 1 << 40, Why: "node 1 silent for 2.1 s", From: 1, To: 2, LeaderEpoch: 7, WasISR: []int32{1, 2, 3}, ISR: []int32{2, 3}, ELR: []int32{1}, Unclean: true},
			{From: -1, To: -1},
		}},
	}
}

func TestHistoriesTravelInTags(t *testing.T) {
	for _, h := range histories() {
		var tags kmsg.Tags
		if got, err := ReadHistory(&tags); got != nil || err != nil {
			t.Fatalf("none: %v, %v", got, err)
		}
		SetHistory(&tags, h)
		if got, err := ReadHistory(&tags); err != nil || !reflect.DeepEqual(got, h) {
			t.Errorf("%+v comes back as %+v, %v", h, got, err)
		}
	}
	req := kmsg.NewDescribeTopicPartitionsRequestTopic()
	if p, asked := AsksHistory(&req.UnknownTags); asked {
		t.Errorf("asked for partition %d by nobody", p)
	}
	AskHistory(&req.UnknownTags, 7)
	if p, asked := AsksHistory(&req.UnknownTags); !asked || p != 7 {
		t.Errorf("partition %d, asked %v", p, asked)
	}
	req.UnknownTags.Set(TagHistory, []byte{1})
	if _, asked := AsksHistory(&req.UnknownTags); asked {
		t.Error("a question of one byte")
	}
}

func FuzzHistory(f *testing.F) {
	for _, h := range histories() {
		var tags kmsg.Tags
		SetHistory(&tags, h)
		f.Add(tag(&tags, TagHistory))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var tags, again kmsg.Tags
		tags.Set(TagHistory, b)
		h, err := ReadHistory(&tags)
		if err != nil || h == nil {
			return
		}
		SetHistory(&again, h)
		if got, err := ReadHistory(&again); err != nil || !reflect.DeepEqual(got, h) {
			t.Errorf("%+v comes back as %+v, %v", h, got, err)
		}
	})
}
