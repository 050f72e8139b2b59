package dlq

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Redrive says which letters go where, and how fast.
type Redrive struct {
	Filter Filter
	To     string // a topic for all of them; "" the one that each came from
	Rate   int    // records a second at most; 0 as fast as it goes
	Within time.Duration
	Open   Reader
	// Client produces; made with Partitioner.
	Client *kgo.Client
	Admin  *kadm.Client
}

// Result is what became of letters.
type Result struct {
	Letters int64            // put back
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
// by run: records first, and when they are durable the progress. Letters that
// fail stay, and the others go on. The result counts what was done also when
// there is an error.
func (d *Redrive) Run(ctx context.Context, q *Queue) (*Result, error) {
	done := &Result{To: map[string]int64{}}
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
	var out []*kgo.Record
	of := map[*kgo.Record]*Letter{}
	for _, r := range run {
		l, p := Read(r), q.part(r.Partition)
		p.passed(r)
		if p.Progress.Has(r.Offset) || !d.Filter.Takes(l) {
			continue
		}
		back, err := d.back(ctx, l)
		if err != nil {
			done.fail(l, err)
			continue
		}
		out, of[back] = append(out, back), l
	}
	if len(out) == 0 {
		return 0, nil
	}
	if err := q.fits(of); err != nil {
		return 0, err
	}
	touched := map[int32]bool{}
	for _, p := range d.Client.ProduceSync(ctx, out...) {
		l := of[p.Record]
		if p.Err != nil {
			done.fail(l, fmt.Errorf("write to %s: %w", p.Record.Topic, p.Err))
			continue
		}
		done.Letters++
		done.To[p.Record.Topic]++
		q.part(l.Partition).Progress.Add(l.Offset, l.Offset+1)
		touched[l.Partition] = true
	}
	// What is written is remembered also by a redrive that is told to end.
	return len(out), d.keep(context.WithoutCancel(ctx), q, touched)
}

// fits tells whether it could be kept that letters are done, before they are.
func (q *Queue) fits(letters map[*kgo.Record]*Letter) error {
	after := map[int32]*Progress{}
	for _, l := range letters {
		if after[l.Partition] == nil {
			after[l.Partition] = q.part(l.Partition).Progress.clone()
		}
		after[l.Partition].Add(l.Offset, l.Offset+1)
	}
	for _, p := range after {
		if _, err := p.metadata(); err != nil {
			return err
		}
	}
	return nil
}

// back is the record that a letter becomes.
func (d *Redrive) back(ctx context.Context, l *Letter) (*kgo.Record, error) {
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
	return l.record(d.To), nil
}

func (r *Result) fail(l *Letter, err error) {
	if r.Failed++; r.Why == nil {
		r.Why = fmt.Errorf("%s: %w", l.Name(), err)
	}
}

// keep commits the progress of partitions. Offsets before the first letter that
// is left are done with it.
func (d *Redrive) keep(ctx context.Context, q *Queue, touched map[int32]bool) error {
	var all kadm.Offsets
	for _, p := range q.Parts {
		if !touched[p.Partition] {
			continue
		}
		p.Progress.Add(0, p.Start) // what retention took is done too
		text, err := p.Progress.metadata()
		if err != nil {
			return err
		}
		all.Add(kadm.Offset{Topic: q.Topic, Partition: p.Partition, At: p.Progress.Next, LeaderEpoch: -1, Metadata: text})
	}
	if len(all) == 0 {
		return nil
	}
	if err := d.Admin.CommitAllOffsets(ctx, GroupOf(q.Topic), all); err != nil {
		return fmt.Errorf("keep how far %s was put back: %w", q.Topic, err)
	}
	return nil
}
