package mapping

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/object"
	"ottla/internal/event/pattern"
	"ottla/internal/event/queue"
)

// Bounds of filters, Lambda's.
const (
	MostFilters     = 10
	mostFilterBytes = 4096
)

// filters reads the patterns of a mapping; nil where it has none, and everything fits.
func (s *Spec) filters() (*pattern.Set, error) {
	if len(s.Filters) == 0 {
		return nil, nil
	}
	if len(s.Filters) > MostFilters {
		return nil, invalid("filters", "there are %d; %d are possible", len(s.Filters), MostFilters)
	}
	edit := pattern.NewSet().Edit()
	for i, text := range s.Filters {
		if len(text) > mostFilterBytes {
			return nil, invalid("filters", "number %d has %d bytes; %d are possible", i+1, len(text), mostFilterBytes)
		}
		p, err := pattern.Parse([]byte(text))
		if err != nil {
			return nil, invalid("filters", "number %d: %v", i+1, err)
		}
		edit.Put(pattern.ID(i), p)
	}
	return edit.Set(), nil
}

// sieve tells what fits one of a mapping's filters. One goroutine uses it.
type sieve struct {
	only    *pattern.Set // nil: all
	matcher pattern.Matcher
	room    []pattern.ID
}

// fits tells whether something fits. It is written as a document: with JSON in it as that,
// or as text where JSON of it is more than patterns read. What cannot be read as either is
// for the function to refuse.
func (s *sieve) fits(document func(content func([]byte) json.RawMessage) ([]byte, error)) bool {
	for _, content := range []func([]byte) json.RawMessage{contentOf, textOf} {
		text, err := document(content)
		if err != nil {
			continue
		}
		if s.room, err = s.only.Match(text, &s.matcher, s.room[:0]); err == nil {
			return len(s.room) > 0
		}
	}
	return true
}

// contentOf is what filters see of a body, a key or a value: the object or list of JSON
// that it is, or else its text.
func contentOf(b []byte) json.RawMessage {
	for _, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '{', '[':
			if utf8.Valid(b) && json.Valid(b) {
				return b
			}
		}
		break
	}
	return textOf(b)
}

// textOf is bytes as a text of JSON: in base64 where they are none, and null where there
// are none at all.
func textOf(b []byte) json.RawMessage {
	if b == nil {
		return json.RawMessage("null")
	}
	text := string(b)
	if !utf8.Valid(b) {
		text = base64.StdEncoding.EncodeToString(b)
	}
	out, _ := json.Marshal(text) // a text can be written
	return out
}

// message tells whether a message fits: its document is what functions get of it, but for
// the body.
func (s *sieve) message(of queue.Ref, t *queue.Taken) bool {
	return s.fits(func(content func([]byte) json.RawMessage) ([]byte, error) {
		return json.Marshal(struct {
			sqsRecord
			Body json.RawMessage `json:"body"`
		}{sqsRecordOf(of, t), content(t.Body)})
	})
}

// record tells whether a record fits: its document is what functions get of it, but for
// key, value and headers, which are no base64 there.
func (s *sieve) record(r *kgo.Record) bool {
	headers := make([]map[string]json.RawMessage, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = map[string]json.RawMessage{h.Key: textOf(h.Value)}
	}
	return s.fits(func(content func([]byte) json.RawMessage) ([]byte, error) {
		return json.Marshal(struct {
			kafkaRecord
			Key     json.RawMessage              `json:"key"`
			Value   json.RawMessage              `json:"value"`
			Headers []map[string]json.RawMessage `json:"headers"`
		}{kafkaRecordOf(r), content(r.Key), content(r.Value), headers})
	})
}

// still tells whether the mapping is as this runner has it: what its filters leave out is
// let go only then, since others may have been put in their place. False, too, when the
// runner is stopped.
func (r *runner) still() bool {
	for failures := 1; ; failures++ {
		now, err := r.s.o.Objects.Current(r.ctx, r.m.Ref)
		switch {
		case err == nil:
			return now.ID == r.m.ID && now.Version == r.m.Version
		case errors.Is(err, object.ErrNotFound):
			return false
		}
		r.trouble("whether the filters have changed is not known at the moment", err)
		if !r.rest(failures) {
			return false
		}
	}
}

// sift gives those of messages that fit a filter. The others are deleted.
func (r *runner) sift(of queue.Ref, s *sieve, got []queue.Taken) []queue.Taken {
	if s.only == nil || len(got) == 0 {
		return got
	}
	var fit []queue.Taken
	var others []string
	for i := range got {
		if s.message(of, &got[i]) {
			fit = append(fit, got[i])
		} else {
			others = append(others, got[i].Receipt)
		}
	}
	if len(others) == 0 {
		return fit
	}
	still := r.still()
	ctx, cancel := r.afterwards()
	defer cancel()
	if still {
		r.s.count.filtered.Add(len(others))
		r.told("messages that fit no filter cannot be deleted, and come again", r.s.o.Queues.Ack(ctx, of, others))
		return fit
	}
	nacks := make([]queue.Nack, len(others))
	for i, receipt := range others {
		nacks[i] = queue.Nack{Receipt: receipt}
	}
	r.told("messages that are no longer this mapping's cannot be given back, and come again later", r.s.o.Queues.Nack(ctx, of, nacks))
	r.rest(1) // it is about to be stopped
	return fit
}

// sift takes up the records that fit a filter. The others are passed over, and committed
// with what comes before and behind them. False when the runner is stopped.
func (p *partition) sift(got []*kgo.Record) bool {
	if p.only.only == nil || len(got) == 0 {
		p.pending = append(p.pending, got...)
		return true
	}
	before := len(p.pending)
	for _, rec := range got {
		if p.only.record(rec) {
			p.pending = append(p.pending, rec)
		}
	}
	others := len(got) - (len(p.pending) - before)
	if others > 0 && !p.r.still() {
		<-p.r.ctx.Done() // it is about to be stopped
		return false
	}
	p.r.s.count.filtered.Add(others)
	p.passed = got[len(got)-1].Offset + 1
	return true
}
