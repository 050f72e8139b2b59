package own

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TagClosed is a tagged field of ours in a directory of DescribeLogDirs (35), which
// Kafka passes over: the replicas in it whose logs cannot be opened. They are not
// among the directory's partitions.
const TagClosed = 1001

// ClosedLog is one of them.
type ClosedLog struct {
	Topic     string
	Partition int32
	Why       string
}

// minClosed is the fewest bytes of a ClosedLog.
const minClosed = 1 + 4 + 1 + 1

// SetClosed puts them into a directory; none sets nothing.
func SetClosed(t *kmsg.Tags, list []ClosedLog) {
	if len(list) == 0 {
		return
	}
	w := writer(nil).length(len(list))
	for i := range list {
		c := &list[i]
		w = w.string(c.Topic).int32(c.Partition).string(c.Why).noTags()
	}
	t.Set(TagClosed, w.noTags())
}

// ReadClosed reads them; nil when there are none.
func ReadClosed(t *kmsg.Tags) (out []ClosedLog, err error) {
	b := tag(t, TagClosed)
	if b == nil {
		return nil, nil
	}
	err = read(b, func(in *reader) {
		out = list(in, minClosed, func(r *reader) ClosedLog { return ClosedLog{r.string(), r.Int32(), r.string()} })
	})
	if err != nil {
		return nil, fmt.Errorf("the logs that cannot be opened: %w", err)
	}
	return out, nil
}
