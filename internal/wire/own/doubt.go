package own

import "github.com/twmb/franz-go/pkg/kmsg"

// TagDoubt is a tagged field of ours in a partition of an answer to OffsetForLeaderEpoch
// (23) that another node asked for: the log ends there, and its end is in doubt. It has
// no bytes.
const TagDoubt = 1000

// SetDoubt puts it into a partition of the answer.
func SetDoubt(t *kmsg.Tags) { t.Set(TagDoubt, []byte{}) }

// Doubts reads it.
func Doubts(t *kmsg.Tags) (found bool) {
	t.Each(func(key uint32, _ []byte) { found = found || key == TagDoubt })
	return found
}
