package schedule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/queue"
	"ottla/internal/event/schedule/course"
	"ottla/internal/event/sns"
)

// runType is the type of events that runs are.
const runType = "ottla.schedule.run"

// errNoTopic is why a run fails whose topic is not there.
var errNoTopic = errors.New("there is no such topic")

// records are what a run writes to its topic, queue, bus or SNS topic.
func (r *runner) records(it run) ([]*kgo.Record, error) {
	if it.Target.Queue != "" {
		ref, err := queueRef(it.Target.Queue, it.Ref)
		if err != nil {
			return nil, err
		}
		return r.s.o.Queues.Records(r.looking, ref, []queue.Message{message(it, ref)})
	}
	rec, err := r.record(it)
	if err != nil {
		return nil, err
	}
	if r.s.o.Partitions(rec.Topic) == 0 {
		return nil, fmt.Errorf("topic %s: %w", rec.Topic, errNoTopic)
	}
	rec.Timestamp = r.s.o.Now()
	return []*kgo.Record{rec}, nil
}

// record is a run for a topic, a bus or an SNS topic.
func (r *runner) record(it run) (*kgo.Record, error) {
	t := &it.Target
	ref, err := t.Place(it.Ref)
	switch {
	case err != nil:
		return nil, err
	case t.Bus != "" && r.s.o.Buses == nil:
		return nil, fmt.Errorf("%w: this node has no buses", ErrRefused)
	case t.Bus != "":
		return r.s.o.Buses.Record(r.looking, ref, event(it))
	case t.SNS != "" && r.s.o.Notices == nil:
		return nil, fmt.Errorf("%w: this node has no SNS topics", ErrRefused)
	case t.SNS != "":
		m := sns.Message{Body: it.input(), Attributes: t.attributes(), Group: t.Key, DedupID: it.id()}
		return r.s.o.Notices.RecordOf(ref, m, it.id(), it.Name)
	}
	rec := &kgo.Record{Topic: t.Topic, Partition: -1, Value: []byte(it.input()), Headers: recordHeaders(it)}
	if t.Key != "" {
		rec.Key = []byte(t.Key)
	}
	return rec, nil
}

// event is a run for a bus.
func event(it run) *envelope.Event {
	t, at := &it.Target, it.Full()
	e := &envelope.Event{
		ID: it.id(), Source: t.Source, Type: t.Type, Time: it.scheduled(), TimeMs: it.SlotMs,
		DataContentType: envelope.JSON, Data: []byte(or(it.input(), "{}")),
	}
	e.SetPlace(at.Account, at.Region)
	e.SetResources([]string{it.ARN()})
	e.Set(envelope.PartitionKey, t.Key)
	for _, k := range slices.Sorted(maps.Keys(t.Headers)) {
		e.Headers = append(e.Headers, envelope.Header{Name: k, Value: []byte(t.Headers[k])})
	}
	return e
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
		prefix + "type": runType, prefix + "time": it.scheduled(),
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
	for _, final := range []error{
		errTooLarge, ErrRefused, kerr.InvalidRecord, kerr.InvalidTopicException, queue.ErrInvalid, queue.ErrTooLarge, sns.ErrInvalid, sns.ErrTooLarge,
	} {
		r.Final = r.Final || errors.Is(err, final)
	}
	return r
}
