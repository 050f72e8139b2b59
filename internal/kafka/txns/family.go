package txns

import (
	"context"
	"log/slog"
	"time"

	"ottla/internal/config"
	"ottla/internal/coordinator"
	"ottla/internal/kafka/api"
)

// Topics where coordinators live.
const (
	stateTopic   = "__transaction_state"
	offsetsTopic = "__consumer_offsets"
)

// Coordinator runs the machines of this node: transactions by transactional
// id, or groups by group id.
type Coordinator interface {
	// PartitionFor tells which partition of the internal topic a key is in.
	PartitionFor(key string) (int32, error)
	// Go gives a command to the machine of a key; done is called once, from any
	// goroutine, with its reply.
	Go(ctx context.Context, key string, cmd any, done func(any, error))
	// Do is Go and wait.
	Do(ctx context.Context, key string, cmd any) (any, error)
	// Each gives a command to all machines of this node.
	Each(ctx context.Context, cmd any) []coordinator.Answer
}

// Deps are what the family needs.
type Deps struct {
	Cluster api.Cluster
	// Txns takes commands of package txn, Groups those of package group.
	Txns, Groups Coordinator
	// Vouch asks the coordinator of a transaction, on whatever node it is, to add
	// partitions or to verify that they are there; nil: they are all here.
	Vouch Voucher
	// Partitions finds those of the offsets topic, Ends writes markers.
	Partitions Partitions
	Ends       Ends
	// Prepare makes an internal topic if it is not there, and returns when a
	// key's coordinator may be asked; at once where the topic has been there
	// before.
	Prepare func(ctx context.Context, topic, key string) error
	View    *config.View
	NodeID  int32
	Logger  *slog.Logger
}

// Voucher takes a txn.Add or a txn.Verify; done is called once, from any
// goroutine, with a txn.VerifyReply or nothing.
type Voucher interface {
	Go(ctx context.Context, id string, cmd any, done func(any, error))
}

// Family holds what the handlers share.
type Family struct {
	o   Deps
	ids block
}

// takeUp is how long a command may wait to be taken up by its coordinator, and
// a list to be gathered.
const takeUp = 5 * time.Second

// New makes the family.
func New(o Deps) *Family {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Vouch == nil {
		o.Vouch = o.Txns
	}
	return &Family{o: o, ids: block{turn: make(chan struct{}, 1)}}
}

// APIs makes the family and gives its rows.
func APIs(d Deps) []api.API { return New(d).APIs() }

// APIs are the family's rows.
func (f *Family) APIs() []api.API {
	return []api.API{
		f.initProducerIDRow(), f.addPartitionsToTxnRow(), f.addOffsetsToTxnRow(), f.endTxnRow(),
		f.writeTxnMarkersRow(), f.txnOffsetCommitRow(), f.describeTransactionsRow(), f.listTransactionsRow(),
	}
}

// ask gives a command to the coordinator of a transactional id. done makes no
// answer yet: it is called by the machine's goroutine.
func (f *Family) ask(id string, cmd any, done func(any, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), takeUp)
	f.o.Txns.Go(ctx, id, cmd, func(body any, err error) {
		cancel()
		done(body, err)
	})
}

// vouch is ask for a transaction that any node may coordinate.
func (f *Family) vouch(id string, cmd any, done func(any, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), takeUp)
	f.o.Vouch.Go(ctx, id, cmd, func(body any, err error) {
		cancel()
		done(body, err)
	})
}

// prepare makes an internal topic that is not there yet, and waits for it.
func (f *Family) prepare(ctx context.Context, topic, key string) error {
	ctx, cancel := context.WithTimeout(ctx, takeUp)
	defer cancel()
	return f.o.Prepare(ctx, topic, key)
}
