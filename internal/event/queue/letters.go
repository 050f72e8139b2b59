package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/follow"
	"ottla/internal/event/letter"
	"ottla/internal/kafka/queues"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/record"
	"ottla/internal/share"
)

// Condition is what holds a message that is not done.
type Condition string

// The conditions.
const (
	Free   Condition = "waiting"   // it can be taken
	Out    Condition = "in_flight" // somebody has it
	Later  Condition = "delayed"   // its time has not come
	Behind Condition = "behind"    // an earlier message of its group is not done
	Dying  Condition = "dying"     // it was given up, and its dead letter is not written yet
)

// Lying is a message as it lies in a queue, not done.
type Lying struct {
	*letter.Letter // says nothing of where it came from, of what is no dead letter
	Taken          int32
	Condition      Condition
	UntilMs        int64 // of a Condition that ends by itself, since 1970; else 0
}

// BrowseOptions choose messages.
type BrowseOptions struct {
	Where []string // conditions, as letter.Parse reads them
	Max   int      // messages, 100 when 0
	After string   // where an earlier page ended
}

// mostLooked is how many messages one page, or one step of a move, looks at.
const mostLooked = 20_000

// Browse lists messages as they lie in a queue, by partition and offset, and takes
// none. next is where the page ended, "" at the end; a page may be empty and not
// the last.
func (s *Service) Browse(ctx context.Context, ref Ref, o BrowseOptions) (found []Lying, next string, err error) {
	filter, err := letter.Parse(o.Where)
	if err != nil {
		return nil, "", invalidf("%w", err)
	}
	first, from, err := readCursor(o.After)
	if err != nil {
		return nil, "", err
	}
	q, err := s.open(ctx, ref)
	if err != nil {
		return nil, "", err
	}
	most, looked, now := o.Max, 0, s.o.Now()
	if most <= 0 {
		most = 100
	}
	for _, p := range q.parts() {
		if p.Index < first {
			continue
		}
		if p.Index > first {
			from = 0
		}
		err := s.walk(ctx, q, p, from, func(r *kgo.Record, u *share.Undone) (bool, error) {
			if l := s.lying(q, p, r, u); filter.Takes(l.Letter, now) {
				found = append(found, l)
			}
			if looked++; len(found) == most || looked == mostLooked {
				next = writeCursor(p.Index, r.Offset+1)
			}
			return next == "", nil
		})
		if err != nil || next != "" {
			return found, next, err
		}
	}
	return found, "", nil
}

// lying is a record as a message that lies there.
func (s *Service) lying(q *opened, p queues.Part, r *kgo.Record, u *share.Undone) Lying {
	l := Lying{Letter: letter.Read(r), Taken: int32(u.Count)}
	if l.ID == "" {
		l.ID = queues.MessageID(q.topic.ID, p.Index, r.Offset)
	}
	if l.SentMs < 0 {
		l.SentMs = r.Timestamp.UnixMilli()
	}
	l.Condition, l.UntilMs = conditionOf(u)
	return l
}

// conditionOf tells what holds messages, and until when.
func conditionOf(u *share.Undone) (Condition, int64) {
	switch {
	case u.State == share.Archiving:
		return Dying, 0
	case u.State == share.Acquired:
		return Out, u.AtMs
	case u.AtMs != 0:
		return Later, u.AtMs
	case u.Behind >= 0:
		return Behind, 0
	}
	return Free, 0
}

func writeCursor(partition int32, offset int64) string {
	return strconv.Itoa(int(partition)) + ":" + strconv.FormatInt(offset, 10)
}

func readCursor(text string) (int32, int64, error) {
	if text == "" {
		return 0, 0, nil
	}
	index, at, ok := strings.Cut(text, ":")
	p, o := letter.Number(index, 31), letter.Number(at, 63)
	if !ok || p < 0 || o < 0 {
		return 0, 0, invalidf("%q is not where a page ended", text)
	}
	return int32(p), o, nil
}

// patient asks a partition until it has a leader that answers.
func patient[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	for begun := time.Now(); ; {
		v, err := ask()
		if err == nil || !passing(err) || time.Since(begun) > answerWithin {
			return v, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return v, err
		}
	}
}

// mostRuns is how many runs of messages that are not done are asked for at a time.
const mostRuns = 1000

func (s *Service) contents(ctx context.Context, q *opened, p queues.Part, from int64, most int) (lead.Contents, error) {
	c, err := patient(ctx, func() (lead.Contents, error) { return s.o.Leases.Contents(ctx, p, from, most) })
	if err != nil {
		return c, fmt.Errorf("look into %s: %w: %w", q.Full(), ErrUnavailable, err)
	}
	return c, nil
}

// walk goes through the messages of a partition that are not done, from an offset
// on, as they are at the moment, until each says that it is enough. Those that
// retention should have taken are left out.
func (s *Service) walk(ctx context.Context, q *opened, p queues.Part, from int64, each func(r *kgo.Record, u *share.Undone) (bool, error)) error {
	for {
		c, err := s.contents(ctx, q, p, from, mostRuns)
		if err != nil || len(c.Undone) == 0 {
			return err
		}
		more, err := s.walkRuns(ctx, q, p, c.Undone, each)
		if err != nil || !more || len(c.Undone) < mostRuns {
			return err
		}
		from = c.Undone[len(c.Undone)-1].Last + 1
	}
}

// readWait is how long a fetch waits for what a leader that has just come to be does
// not give yet.
const readWait = 100 * time.Millisecond

func (s *Service) walkRuns(ctx context.Context, q *opened, p queues.Part, runs []share.Undone, each func(*kgo.Record, *share.Undone) (bool, error)) (more bool, err error) {
	log, err := follow.Open(follow.Options{Client: s.o.Client, Topic: q.Topic, Partition: p.Index, From: runs[0].First, Wait: readWait})
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer log.Close()
	for end := runs[len(runs)-1].Last + 1; log.At() < end; {
		got, err := log.Next(ctx)
		if err != nil {
			return false, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		for _, r := range got {
			for len(runs) > 0 && runs[0].Last < r.Offset {
				runs = runs[1:]
			}
			if len(runs) == 0 {
				return true, nil
			}
			if r.Offset < runs[0].First || s.outdated(q, r.Timestamp) {
				continue
			}
			if more, err := each(r, &runs[0]); err != nil || !more {
				return false, err
			}
		}
	}
	return true, nil
}

// outdated tells of a message that retention should have taken.
func (s *Service) outdated(q *opened, at time.Time) bool {
	return q.RetentionMs > 0 && s.nowMs()-at.UnixMilli() >= q.RetentionMs
}

// Revision is a dead letter that somebody has mended.
type Revision struct {
	Partition int32
	Offset    int64
	Body      []byte // instead of its own
	To        *Ref   // nil: where it came from
}

// Revise puts one message of a queue back with another body. That it is written,
// and that the letter has been put back, are one transaction; then the letter is
// acknowledged. It names the record that was written, as letter.NameOf does.
// ErrStale says that the letter is not there (any more), or that somebody has it.
func (s *Service) Revise(ctx context.Context, ref Ref, v Revision) (string, error) {
	q, err := s.open(ctx, ref)
	if err != nil {
		return "", err
	}
	if len(v.Body) > MaxMessageBytes {
		return "", fmt.Errorf("%w: the body has %d bytes", ErrTooLarge, len(v.Body))
	}
	name := letter.NameOf(q.Topic, v.Partition, v.Offset)
	if v.Partition < 0 || int(v.Partition) >= len(q.topic.Partitions) {
		return "", fmt.Errorf("%s: %w: there is no such partition", name, ErrStale)
	}
	s.revising.Lock()
	defer s.revising.Unlock()
	p := q.part(int(v.Partition))
	m, err := s.reviser(ctx, q, p, v.To)
	if err != nil {
		return "", err
	}
	defer m.mover.close()
	r, err := s.recordAt(ctx, q, p, v.Offset)
	if err != nil {
		return "", err
	}
	if r == nil {
		return "", fmt.Errorf("%s: %w: it is done, or somebody has it", name, ErrStale)
	}
	written, err := m.revise(ctx, q, p, r, v.Body)
	if errors.Is(err, errFinal) && !errors.Is(err, ErrTooLarge) {
		return "", invalidf("%w", err)
	}
	return written, err
}

// reviserOf is the transactional id of whoever mends letters of a partition.
func reviserOf(p queues.Part) string {
	return "ottla-edit-" + p.Topic.String() + "-" + strconv.Itoa(int(p.Index))
}

// reviser makes a move of one letter. Whoever mended one of the partition before is
// kept out, and what he left is settled.
func (s *Service) reviser(ctx context.Context, q *opened, p queues.Part, to *Ref) (*moving, error) {
	txn := reviserOf(p)
	m := &moving{s: s, move: Move{From: q.Ref, To: to}, holder: holderOf(txn), mover: mover{open: s.o.Client, most: s.most, txnID: txn, group: revisions(q)}}
	moved, err := m.mover.begin(ctx, q.Topic, q.topic.ID.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err := s.settle(ctx, q, p, m.holder, moved[p.Index]); err != nil {
		m.mover.close()
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return m, nil
}

// recordAt is the message at an offset that can be taken; nil without one.
func (s *Service) recordAt(ctx context.Context, q *opened, p queues.Part, offset int64) (out *kgo.Record, err error) {
	err = s.walk(ctx, q, p, offset, func(r *kgo.Record, u *share.Undone) (bool, error) {
		if c, _ := conditionOf(u); r.Offset == offset && (c == Free || c == Behind) {
			out = r
		}
		return false, nil
	})
	return out, err
}

// revise writes what a letter becomes and acknowledges it.
func (r *moving) revise(ctx context.Context, q *opened, p queues.Part, x *kgo.Record, body []byte) (string, error) {
	mended := *x
	mended.Value = body
	out, err := r.carry(ctx, q, p, []*kgo.Record{&mended})
	switch {
	case err != nil && !errors.Is(err, errFinal):
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	case err != nil:
		return "", err
	case len(out) == 0:
		return "", fmt.Errorf("%s: %w: somebody has it", letter.NameOf(q.Topic, p.Index, x.Offset), ErrStale)
	}
	return letter.NameOf(out[0].Topic, out[0].Partition, out[0].Offset), nil
}

// revisions is the group whose offsets tell which letters were mended and put
// back last.
func revisions(q *opened) string { return "ottla-edit." + q.topic.ID.String() }

// settleRevisions ends what was left by those who were mending letters: those that
// were put back are acknowledged, and those that are still held given back. Whoever
// moves letters of the queue does it before.
func (s *Service) settleRevisions(ctx context.Context, q *opened) error {
	c, err := s.kafka()
	if err != nil {
		return err
	}
	moved, err := movedOffsets(ctx, c, revisions(q), q.Topic, q.topic.ID.String())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	for _, p := range q.parts() {
		held, err := s.holds(ctx, q, p, holderOf(reviserOf(p)))
		switch {
		case err != nil:
			return err
		case held:
			m, err := s.reviser(ctx, q, p, nil)
			if err != nil {
				return err
			}
			m.mover.close()
		case len(moved[p.Index]) > 0:
			if err := s.settle(ctx, q, p, noHolder, moved[p.Index]); err != nil {
				return err
			}
		}
	}
	return nil
}

// holds tells whether a holder has any message of a partition.
func (s *Service) holds(ctx context.Context, q *opened, p queues.Part, holder uint64) (bool, error) {
	for from := int64(0); ; {
		c, err := s.contents(ctx, q, p, from, mostRuns)
		if err != nil {
			return false, err
		}
		for i := range c.Undone {
			if u := &c.Undone[i]; u.State == share.Acquired && u.Member == "" && u.Holder == holder {
				return true, nil
			}
		}
		if len(c.Undone) < mostRuns {
			return false, nil
		}
		from = c.Undone[mostRuns-1].Last + 1
	}
}

// acceptAll are words that acknowledge all that is held.
func acceptAll(h *queues.Held) []share.Word {
	var out []share.Word
	for _, r := range h.Acquired {
		for at := r.First; at <= r.Last; at++ {
			out = append(out, accept(h.Epoch, at, r.Count))
		}
	}
	return out
}

// plain is a record as the log has it.
func plain(r *kgo.Record) *record.Record {
	out := &record.Record{Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, record.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return out
}
