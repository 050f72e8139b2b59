package schedule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/queue"
	"ottla/internal/event/schedule/course"
)

// errNoTopic is why a run fails whose topic is not there.
var errNoTopic = errors.New("there is no such topic")

// records are what a run writes to its topic or queue.
func (r *runner) records(it run) ([]*kgo.Record, error) {
	t := it.Target
	if t.Topic != "" {
		if r.s.o.Partitions(t.Topic) == 0 {
			return nil, fmt.Errorf("topic %s: %w", t.Topic, errNoTopic)
		}
		rec := &kgo.Record{Topic: t.Topic, Partition: -1, Value: []byte(it.input()), Headers: recordHeaders(it), Timestamp: r.s.o.Now()}
		if t.Key != "" {
			rec.Key = []byte(t.Key)
		}
		return []*kgo.Record{rec}, nil
	}
	ref, err := queueRef(t.Queue, it.Ref)
	if err != nil {
		return nil, err
	}
	return r.s.o.Queues.Records(r.looking, ref, []queue.Message{message(it, ref)})
}

// message is a run for a queue. FIFO queues want a group, and an id by which they
// drop what comes twice.
func message(it run, ref queue.Ref) queue.Message {
	m := queue.Message{Body: []byte(it.input()), Group: it.Target.Key, DelayMs: -1, Attributes: map[string]queue.Attribute{}}
	if strings.HasSuffix(ref.Name, name.FIFOSuffix) {
		m.Group, m.DedupID = or(m.Group, it.Name), it.id()
	}
	for k, v := range it.Target.Headers {
		m.Attributes[k] = queue.Attribute{Type: "String", Value: []byte(v)}
	}
	return m
}

// about tells what a run is, in CloudEvents' words; what the target names itself
// is left to it.
func about(it run, prefix string) map[string]string {
	return map[string]string{
		prefix + "specversion": "1.0", prefix + "id": it.id(), prefix + "source": it.ARN(),
		prefix + "type": "ottla.schedule.run", prefix + "time": it.scheduled(),
	}
}

// recordHeaders are those of a record for a topic: in the form that CloudEvents
// have in Kafka.
func recordHeaders(it run) []kgo.RecordHeader {
	all := about(it, "ce_")
	maps.Copy(all, it.Target.Headers)
	var out []kgo.RecordHeader
	for _, k := range slices.Sorted(maps.Keys(all)) {
		out = append(out, kgo.RecordHeader{Key: k, Value: []byte(all[k])})
	}
	return out
}

// failure is what an error means for a run.
func failure(err error) course.Result {
	if err == nil {
		return course.Result{}
	}
	r := course.Result{Why: err.Error()}
	for _, final := range []error{errTooLarge, kerr.InvalidRecord, kerr.InvalidTopicException, queue.ErrInvalid, queue.ErrTooLarge} {
		r.Final = r.Final || errors.Is(err, final)
	}
	return r
}
