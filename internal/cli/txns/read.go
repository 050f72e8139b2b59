package txns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/cli/reach"
)

// Transaction is what is known of a transactional id.
type Transaction struct {
	ID          string
	State       string // Kafka's name: Empty, Ongoing, PrepareCommit, …
	Producer    int64
	Epoch       int16
	Coordinator int32
	Timeout     time.Duration
	// Since is when the open transaction began; zero when none is open.
	Since time.Time
	// Partitions are those of the open transaction; while it is being ended,
	// those that have no marker yet.
	Partitions []Partition
}

// Open tells whether a transaction has begun and is not over everywhere.
func (t *Transaction) Open() bool { return open(t.State) }

// The states of Kafka in which a transaction is under way.
const (
	ongoing       = "Ongoing"
	prepareCommit = "PrepareCommit"
	prepareAbort  = "PrepareAbort"
	prepareFence  = "PrepareEpochFence"
)

func open(state string) bool {
	return state == ongoing || state == prepareCommit || state == prepareAbort || state == prepareFence
}

// Partition is a transaction in one partition. Offsets are -1 when they are not
// known.
type Partition struct {
	Topic     string
	Partition int32
	First     int64     // offset of the transaction's first record
	Stable    int64     // last stable offset: how far read_committed readers see
	End       int64     // high watermark
	Last      time.Time // when the producer last wrote here; zero: unknown
}

// String is topic-partition.
func (p Partition) String() string { return fmt.Sprintf("%s-%d", p.Topic, p.Partition) }

// HeldBack is how many offsets read_committed readers do not see because of
// this transaction: those behind its first record, where it is the first that
// is open.
func (p Partition) HeldBack() int64 {
	if p.First < 0 || p.Stable != p.First || p.End < p.Stable {
		return 0
	}
	return p.End - p.Stable
}

// Read describes transactions, all of the cluster when none are named. One that
// is named and not there is an error of kerr.TransactionalIDNotFound.
func Read(ctx context.Context, a *kadm.Client, ids ...string) ([]*Transaction, error) {
	if len(ids) == 0 {
		listed, err := a.ListTransactions(ctx, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("list the transactions: %w", err)
		}
		if ids = listed.TransactionalIDs(); len(ids) == 0 {
			return nil, nil
		}
		all, err := describe(ctx, a, ids)
		// One that is gone since it was listed is no failure.
		return slices.DeleteFunc(all, func(t *Transaction) bool { return t.State == "" }), ignoreGone(err)
	}
	return describe(ctx, a, ids)
}

func ignoreGone(err error) error {
	if errors.Is(err, kerr.TransactionalIDNotFound) {
		return nil
	}
	return err
}

func describe(ctx context.Context, a *kadm.Client, ids []string) ([]*Transaction, error) {
	described, err := a.DescribeTransactions(ctx, ids...)
	if err != nil && !reach.Partly(err) {
		return nil, fmt.Errorf("describe the transactions: %w", err)
	}
	var out []*Transaction
	var failed error
	for _, d := range described.Sorted() {
		if d.Err != nil {
			failed = cmp.Or(failed, fmt.Errorf("describe transaction %s: %w", d.TxnID, d.Err))
			continue
		}
		out = append(out, ofDescribed(d))
	}
	return out, failed
}

func ofDescribed(d kadm.DescribedTransaction) *Transaction {
	t := &Transaction{ID: d.TxnID, State: d.State, Producer: d.ProducerID, Epoch: d.ProducerEpoch, Coordinator: d.Coordinator,
		Timeout: time.Duration(d.TimeoutMillis) * time.Millisecond}
	if open(d.State) && d.StartTimestamp >= 0 {
		t.Since = time.UnixMilli(d.StartTimestamp)
	}
	for _, topic := range d.Topics.Sorted() {
		for _, p := range topic.Partitions {
			t.Partitions = append(t.Partitions, Partition{Topic: topic.Topic, Partition: p, First: -1, Stable: -1, End: -1})
		}
	}
	return t
}

// Look asks the leaders of a transaction's partitions what it does there. What
// they do not tell stays unknown.
func Look(ctx context.Context, a *kadm.Client, t *Transaction) error {
	if len(t.Partitions) == 0 {
		return nil
	}
	set := kadm.TopicsSet{}
	var names []string
	for _, p := range t.Partitions {
		set.Add(p.Topic, p.Partition)
		if !slices.Contains(names, p.Topic) {
			names = append(names, p.Topic)
		}
	}
	producers, err := a.DescribeProducers(ctx, set)
	if err != nil && len(producers) == 0 {
		return fmt.Errorf("describe the producers of %s: %w", t.ID, err)
	}
	stable, err := a.ListCommittedOffsets(ctx, names...)
	if err != nil && len(stable) == 0 {
		return fmt.Errorf("list the last stable offsets: %w", err)
	}
	ends, err := a.ListEndOffsets(ctx, names...)
	if err != nil && len(ends) == 0 {
		return fmt.Errorf("list the ends: %w", err)
	}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		if o, ok := stable.Lookup(p.Topic, p.Partition); ok && o.Err == nil {
			p.Stable = o.Offset
		}
		if o, ok := ends.Lookup(p.Topic, p.Partition); ok && o.Err == nil {
			p.End = o.Offset
		}
		for _, active := range producers[p.Topic].Partitions[p.Partition].ActiveProducers {
			if active.ProducerID == t.Producer {
				p.First, p.Last = active.CurrentTxnStartOffset, time.UnixMilli(active.LastTimestamp)
			}
		}
	}
	return nil
}
