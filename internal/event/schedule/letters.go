package schedule

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
	"ottla/internal/event/schedule/course"
)

// letter is what the queue for dead letters gets of a run that was given up: what
// would have been delivered, and why it was not, in the attributes that
// EventBridge Scheduler writes.
func (r *runner) letter(it run, l course.Letter) ([]*kgo.Record, error) {
	ref, err := queueRef(it.DeadLetters, it.Ref)
	if err != nil {
		return nil, err
	}
	text := func(s string) queue.Attribute { return queue.Attribute{Type: "String", Value: []byte(s)} }
	m := queue.Message{Body: []byte(it.input()), Group: it.Name, DedupID: it.id(), Attributes: map[string]queue.Attribute{
		"ERROR_CODE":           text("DeliveryFailed"),
		"ERROR_MESSAGE":        text(l.Why),
		"EXECUTION_ID":         text(it.id()),
		"IS_PAYLOAD_TRUNCATED": text("false"),
		"RETRY_ATTEMPTS":       text(strconv.Itoa(max(l.Attempts-1, 0))),
		"SCHEDULED_TIME":       text(it.scheduled()),
		"SCHEDULE_ARN":         text(it.ARN()),
		"TARGET_ARN":           text(it.Target.ARN(it.Ref)),
	}}
	if l.Exhausted != "" {
		m.Attributes["EXHAUSTED_RETRY_CONDITION"] = text(l.Exhausted)
	}
	if len(m.Body) == 0 {
		m.Body = []byte("{}") // no message is without a body
	}
	records, err := r.s.o.Queues.Records(r.looking, ref, []queue.Message{m})
	for errors.Is(err, queue.ErrTooLarge) && len(m.Body) > 1 {
		m.Body = bytes.ToValidUTF8(m.Body[:len(m.Body)/2], nil)
		m.Attributes["IS_PAYLOAD_TRUNCATED"] = text("true")
		records, err = r.s.o.Queues.Records(r.looking, ref, []queue.Message{m})
	}
	if err == nil {
		err = r.fit(records)
	}
	return records, err
}

// passes tells of an error of a dead letter that it may be over later.
func passes(err error) bool {
	for _, final := range []error{errTooLarge, queue.ErrInvalid, queue.ErrTooLarge, queue.ErrNotFound, kerr.InvalidRecord, kerr.InvalidTopicException} {
		if errors.Is(err, final) {
			return false
		}
	}
	return true
}
