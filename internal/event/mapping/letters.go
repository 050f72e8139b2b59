package mapping

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
)

// Why something is given up, by Lambda's names; final is what would never be taken.
const (
	exhaustedAttempts = "RetryAttemptsExhausted"
	exhaustedAge      = "EventAgeExceeded"
	final             = "NeverTaken"
)

// failure is why records were not taken.
type failure struct {
	code, why string
	exhausted string
	attempts  int
}

// nothing is the body of a dead letter that has none: no message is without one.
const nothing = "{}"

// fewLetters are written at once.
const fewLetters = 50

// giveUp makes dead letters of records, where there is a queue for them, and commits
// behind them; false when the runner was stopped before.
func (p *partition) giveUp(records []*kgo.Record, f failure) bool {
	for part := range slices.Chunk(records, fewLetters) {
		if !p.bury(part, f) || !p.commit(part[len(part)-1].Offset+1) {
			return false
		}
	}
	return true
}

// bury writes dead letters, at least once.
func (p *partition) bury(records []*kgo.Record, f failure) bool {
	r := p.r
	args := []any{
		"mapping", r.m.Ref.Name, "function", r.m.Function, "topic", p.topic, "partition", p.number,
		"from_offset", records[0].Offset, "to_offset", records[len(records)-1].Offset, "attempts", f.attempts, "err", f.why,
	}
	to, ok := r.m.letters()
	if !ok {
		r.s.count.dropped.Add(len(records))
		r.s.o.Logger.Error("records were given up and are passed over", args...)
		return true
	}
	var messages []queue.Message
	for _, rec := range records {
		messages = append(messages, p.letter(rec, f, strings.HasSuffix(to.Name, ".fifo")))
	}
	for failures := 1; ; failures++ {
		sent, err := r.s.o.Queues.Send(r.ctx, to, messages)
		var again []queue.Message
		var last error
		for i := range messages {
			switch one := errors.Join(err, sentError(sent, i)); {
			case one == nil:
				r.s.count.lettered.Inc()
			case shorten(&messages[i], one):
				again, last = append(again, messages[i]), one
			case hopeless(one):
				r.s.count.dropped.Inc()
				r.s.o.Logger.Error("a record was given up and is passed over: its dead letter cannot be written", append(args, "queue", to.Name, "queue_err", one)...)
			default:
				again, last = append(again, messages[i]), one
			}
		}
		if messages = again; len(messages) == 0 {
			r.s.o.Logger.Warn("records were given up and are dead letters", append(args, "queue", to.Name)...)
			return true
		}
		if errors.Is(last, queue.ErrTooLarge) {
			continue // they are shorter now
		}
		r.trouble("dead letters cannot be written at the moment", last)
		if !p.rest(failures, false) {
			return false
		}
	}
}

func sentError(sent []queue.Sent, i int) error {
	if i < len(sent) {
		return sent[i].Err
	}
	return nil
}

// shorten makes less of a dead letter that its queue does not take whole: it says less of
// why it was given up, and in the end only where the record lies. False when there is
// nothing left to be said less of, or it was refused for something else.
func shorten(m *queue.Message, err error) bool {
	if !errors.Is(err, queue.ErrTooLarge) {
		return false
	}
	few := map[string]queue.Attribute{}
	for _, called := range []string{"ERROR_CODE", "SOURCE", "SOURCE_OFFSET"} {
		if a, there := m.Attributes[called]; there {
			few[called] = a
		}
	}
	switch {
	case len(few) < len(m.Attributes):
		m.Attributes = few
	case len(m.Body) > len(nothing):
		m.Body = []byte(nothing)
	default:
		return false
	}
	return true
}

// hopeless tells that a dead letter will never be taken.
func hopeless(err error) bool {
	return errors.Is(err, queue.ErrInvalid) || errors.Is(err, queue.ErrTooLarge) || errors.Is(err, queue.ErrNotFound)
}

// letter is a record as a dead letter has it: as it came, where it lies, and why it was
// given up.
func (p *partition) letter(rec *kgo.Record, f failure, fifo bool) queue.Message {
	of := partitionName(rec.Topic, rec.Partition)
	m := queue.Message{Body: rec.Value, DelayMs: -1, Attributes: map[string]queue.Attribute{}}
	if len(m.Body) == 0 {
		m.Body = []byte(nothing)
	}
	if fifo {
		m.Group, m.DedupID = of, of+"-"+strconv.FormatInt(rec.Offset, 10)
	}
	for called, v := range map[string]string{
		"ERROR_CODE": f.code, "ERROR_MESSAGE": beginning(f.why), "RETRY_ATTEMPTS": strconv.Itoa(max(f.attempts-1, 0)), "EXHAUSTED_RETRY_CONDITION": f.exhausted,
		"FUNCTION": p.r.m.Function, "SOURCE": of, "SOURCE_OFFSET": strconv.FormatInt(rec.Offset, 10),
	} {
		if v != "" {
			m.Attributes[called] = queue.Attribute{Type: "String", Value: []byte(v)}
		}
	}
	if len(rec.Key) > 0 {
		m.Attributes["SOURCE_KEY"] = queue.Attribute{Type: "String", Value: rec.Key}
		if !utf8.Valid(rec.Key) {
			m.Attributes["SOURCE_KEY"] = queue.Attribute{Type: "Binary", Value: rec.Key}
		}
	}
	return m
}

// mostReason bounds the text of an error in a letter.
const mostReason = 1024

func beginning(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), mostReason)], "")
}
