package own

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TagLosses is a tagged field of ours in DescribeTopicPartitions (75), which Kafka
// passes over: in the request it asks for Losses, in the answer it is that.
const TagLosses = 1001

// Losses are the partitions whose leaders may lack records that were acknowledged,
// as far as the controller knows.
type Losses struct {
	Told
	Losses []Loss // oldest first
}

// Loss is the change of a partition since which that is so.
type Loss struct {
	Topic     string
	Partition int32
	Change
}

// minLoss is the fewest bytes of a Loss.
const minLoss = 1 + 4 + minChange

// AskLosses puts the question into a request.
func AskLosses(t *kmsg.Tags) { t.Set(TagLosses, []byte{1}) }

// AsksLosses reads it.
func AsksLosses(t *kmsg.Tags) bool { return tag(t, TagLosses) != nil }

// SetLosses puts the answer into a response.
func SetLosses(t *kmsg.Tags, l *Losses) {
	w := writer(nil).told(&l.Told).length(len(l.Losses))
	for i := range l.Losses {
		one := &l.Losses[i]
		w = w.string(one.Topic).int32(one.Partition).change(&one.Change).noTags()
	}
	t.Set(TagLosses, w.noTags())
}

// ReadLosses reads it; nil when the answer has none.
func ReadLosses(t *kmsg.Tags) (*Losses, error) {
	b := tag(t, TagLosses)
	if b == nil {
		return nil, nil
	}
	l := &Losses{}
	err := read(b, func(in *reader) {
		l.Told = in.told()
		l.Losses = list(in, minLoss, func(r *reader) Loss { return Loss{r.string(), r.Int32(), r.change()} })
	})
	if err != nil {
		return nil, fmt.Errorf("what partitions may have lost: %w", err)
	}
	return l, nil
}
