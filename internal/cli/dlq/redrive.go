package dlq

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/letter"
)

// Redrive says which letters go where, and how fast.
type Redrive struct {
	Filter Filter
	To     string // a topic for all of them; "" the one that each came from
	Rate   int    // records a second at most; 0 as fast as it goes
	Within time.Duration
	Open   Reader
	// Client produces; made with Producing.
	Client *kgo.Client
	Admin  *kadm.Client
	Body   []byte // in place of the letters' own; nil for these
}

// Result is what became of letters.
type Result struct {
	Letters int64            // put back
	Last    string           // the record that one of them became, as letter.NameOf has it
	To      map[string]int64 // by topic
	Failed  int64            // stay where they are
	Why     error            // the first reason of a failure
}

// Partitioner puts a record into the partition that it names, if the topic has
// that; else by its key, as Kafka's clients do.
func Partitioner() kgo.Partitioner {
	byKey := kgo.StickyKeyPartitioner(nil)
	return kgo.BasicConsistentPartitioner(func(topic string) func(*kgo.Record, int) int {
		of := byKey.ForTopic(topic)
		return func(r *kgo.Record, n int) int {
			if r.Partition >= 0 && int(r.Partition) < n {
				return int(r.Partition)
			}
			return of.Partition(r, n)
		}
	})
}

// Run puts letters back, up to what the topic held when it was looked at, run
// by run: the records and how far it came are one transaction. Letters that
// fail stay, and the others go on. The result counts what was done also when
// there is an error.
func (d *Redrive) Run(ctx context.Context, q *Queue) (*Result, error) {
	done := &Result{To: map[string]int64{}}
	if len(q.Parts) == 0 {
		return done, nil
	}
	if err := q.begin(ctx, d.Client, d.Admin); err != nil {
		return done, err
	}
	most := atOnce
	if d.Rate > 0 {
		most = min(atOnce, max(1, d.Rate/2))
	}
	pace := time.NewTimer(0)
	defer pace.Stop()
	err := q.read(ctx, d.Open, q.ends(), most, d.Within, func(run []*kgo.Record) (bool, error) {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		n, err := d.some(ctx, q, run, done)
		var rest time.Duration
		if d.Rate > 0 {
			rest = time.Duration(n) * time.Second / time.Duration(d.Rate)
		}
		pace.Reset(rest)
		return true, err
	})
	return done, err
}

// some puts back what is chosen of a run, and tells how many that were.
func (d *Redrive) some(ctx context.Context, q *Queue, run []*kgo.Record, done *Result) (int, error) {
	of := map[*kgo.Record]*letter.Letter{}
	for _, r := range run {
		l, p := letter.Read(r), q.part(r.Partition)
		p.passed(r)
		if p.Progress.Has(r.Offset) || !d.Filter.Takes(l) {
			continue
		}
		back, err := d.back(ctx, l)
		if err != nil {
			done.fail(l, err)
			continue
		}
		of[back] = l
	}
	if err := q.fits(of); err != nil {
		return 0, err
	}
	for len(of) > 0 {
		failed, err := d.together(ctx, q, of)
		if err != nil {
			return 0, err
		}
		if len(failed) == 0 {
			break
		}
		for r, err := range failed { // the others are tried without them
			done.fail(of[r], fmt.Errorf("write to %s: %w", r.Topic, err))
			delete(of, r)
		}
	}
	for r := range of {
		done.Letters++
		done.To[r.Topic]++
		done.Last = letter.NameOf(r.Topic, r.Partition, r.Offset)
	}
	return len(of), nil
}

// fits tells whether it could be kept that letters are done, before they are.
func (q *Queue) fits(letters map[*kgo.Record]*letter.Letter) error {
	for _, p := range q.after(letters) {
		if _, err := p.metadata(); err != nil {
			return err
		}
	}
	return nil
}

// back is the record that a letter becomes.
func (d *Redrive) back(ctx context.Context, l *letter.Letter) (*kgo.Record, error) {
	if d.To == "" && l.OriginTopic == "" {
		return nil, errors.New("it does not say which topic it came from; name one with --to")
	}
	if l.Bare() && l.Origin() != "" {
		r, err := original(ctx, d.Open, l, d.Within)
		if err != nil {
			return nil, fmt.Errorf("it tells only where its record lies: %w", err)
		}
		if r == nil {
			return nil, fmt.Errorf("it tells only where its record lies, and there is none at %s any more (errors.deadletterqueue.copy.record.enable)", l.Origin())
		}
		whole := *l
		whole.Key, whole.Value, whole.Headers = r.Key, r.Value, r.Headers
		l = &whole
	}
	out := recordOf(l, d.To)
	if d.Body != nil {
		out.Value = d.Body
	}
	return out, nil
}

func (r *Result) fail(l *letter.Letter, err error) {
	if r.Failed++; r.Why == nil {
		r.Why = fmt.Errorf("%s: %w", l.Name(), err)
	}
}
