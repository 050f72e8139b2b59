package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/history"
	"ottla/test/history/client"
)

// sessionTimeout is short: broker restarts give every member of a group, also
// one that has been killed, its whole session anew.
const sessionTimeout = 3 * time.Second

// most is how many records a worker takes into one transaction.
const most = 60

// worker is a member of a group that consumes, transforms and produces.
type worker struct {
	*child
	s *kgo.GroupTransactSession

	mu    sync.Mutex // guards owned
	owned []int32
}

// work is a worker's life: sessions, one after the other, since one that has
// failed cannot go on.
func (c *child) work(ctx context.Context) error {
	for ctx.Err() == nil {
		w := &worker{child: c}
		if err := w.session(ctx); err != nil {
			if err := c.anew("sessions given up", err); err != nil {
				return err
			}
			pause(ctx, 100*time.Millisecond)
		}
	}
	return nil
}

func (w *worker) session(ctx context.Context) error {
	if err := w.enter(); err != nil {
		return err
	}
	defer w.close(ctx)
	for ctx.Err() == nil {
		poll, cancel := context.WithTimeout(ctx, time.Second)
		records := w.s.PollRecords(poll, most).Records()
		cancel()
		var err error
		if len(records) > 0 {
			err = w.transact(ctx, records)
		}
		w.s.AllowRebalance()
		if err != nil {
			return err
		}
	}
	return nil
}

// enter begins the session.
func (w *worker) enter() (err error) {
	opts := w.open(
		kgo.ConsumerGroup(w.Group), kgo.ConsumeTopics(w.In),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(sessionTimeout), kgo.HeartbeatInterval(300*time.Millisecond), kgo.RebalanceTimeout(6*time.Second),
		kgo.FetchMaxWait(200*time.Millisecond),
		kgo.OnPartitionsAssigned(w.gained), kgo.OnPartitionsRevoked(w.gone), kgo.OnPartitionsLost(w.gone),
	)
	if w.Static {
		opts = append(opts, kgo.InstanceID(w.ID))
	}
	if w.Server {
		opts = append(opts, kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer()))
	}
	if w.s, err = kgo.NewGroupTransactSession(opts...); err != nil {
		return fmt.Errorf("make a session: %w", err)
	}
	return nil
}

// close ends the session. A static member of a group that the broker shares out
// leaves for a while then, by itself: franz-go 1.22.3 does so without its instance
// id, which is refused (INVALID_REQUEST, by Kafka too), so that who comes back waits
// until the session that was left is over.
func (w *worker) close(ctx context.Context) {
	w.s.CloseAllowingRebalance()
	if !w.Static || !w.Server {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sessionTimeout)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.Address), kgo.AlwaysRetryEOF())
	if err != nil {
		return // so it comes back when its session is over
	}
	defer cl.Close()
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group, req.InstanceID, req.MemberEpoch = w.Group, &w.ID, leavesForAWhile
	req.MemberID, _ = w.s.Client().GroupMetadata()
	resp, err := req.RequestWith(ctx, cl)
	if err == nil && kerr.ErrorForCode(resp.ErrorCode) == nil { // it may have been given up before
		_ = w.say(line{Count: "static members that left for a while"}) // a parent that is gone is seen by the next step
	}
}

// leavesForAWhile is the member epoch of a static member that will be back
// (KIP-848).
const leavesForAWhile = -2

// transact handles records in one transaction. An error ends the session.
func (w *worker) transact(ctx context.Context, records []*kgo.Record) error {
	if err := w.s.Begin(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	op := w.begin()
	op.Micro = polled(records)
	from := len(op.Micro)
	out := w.transform(op, records)
	if err := w.will(history.Fail, op); err != nil {
		return err
	}
	failed := w.produce(ctx, w.s.Client(), op, from, out)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	switch x := w.r.IntN(100); {
	case failed != nil || x < 12:
		return w.abort(end, op)
	case x < 16: // others wait for it
		pause(ctx, time.Duration(200+w.r.IntN(1000))*time.Millisecond)
	case x < 18: // the broker ends it meanwhile
		pause(ctx, time.Duration(w.TimeoutMs)*time.Millisecond+time.Second)
		return w.commit(end, op, records, "workers' transactions past their time-out")
	}
	return w.commit(end, op, records, "workers' transactions committed")
}

func (w *worker) commit(ctx context.Context, op *history.Op, records []*kgo.Record, count string) error {
	offsets := w.commitOp(records)
	if err := w.will(history.Info, op, offsets); err != nil {
		return err
	}
	committed, err := w.s.End(ctx, kgo.TryCommit)
	if err == nil && committed {
		return w.did(history.OK, count, op, offsets)
	}
	// It may have been tried, and refused or not: only abort is sure.
	if sayErr := w.did(history.Info, "workers' commits that failed", op, offsets); sayErr != nil {
		return sayErr
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return w.rewound()
}

func (w *worker) abort(ctx context.Context, op *history.Op) error {
	_, err := w.s.End(ctx, kgo.TryAbort)
	if sayErr := w.did(history.Fail, "workers' transactions aborted", op); sayErr != nil {
		return sayErr
	}
	if err != nil {
		return fmt.Errorf("abort: %w", err)
	}
	return w.rewound()
}

// rewound says that the worker reads from elsewhere: from what is committed.
func (w *worker) rewound() error {
	return w.say(line{Note: []history.Op{{Process: w.Process, Kind: history.Assign, Outcome: history.OK, Start: w.stamp(), End: w.stamp()}}})
}

// transform makes the effects of records, and notes them in the operation.
func (w *worker) transform(op *history.Op, records []*kgo.Record) []*kgo.Record {
	var out []*kgo.Record
	for _, r := range records {
		_, input := history.Lineage(client.Decode(r.Value))
		for i, o := range w.Out {
			p := (r.Partition + int32(i)) % w.Partitions
			value := history.Effect(o.Stage, input, uint32(w.Process)<<18|w.txns&(1<<18-1))
			op.Micro = append(op.Micro, send(o.Topic, p, value))
			out = append(out, &kgo.Record{Topic: o.Topic, Partition: p, Value: client.Encode(value, 40)})
		}
	}
	return out
}

// polled are the records as micro-operations, one a partition.
func polled(records []*kgo.Record) []history.Micro {
	var out []history.Micro
	at := map[int32]int{}
	for _, r := range records {
		i, ok := at[r.Partition]
		if !ok {
			i = len(out)
			at[r.Partition] = i
			out = append(out, history.Micro{Kind: history.Poll, Partition: partitionName(r.Topic, r.Partition)})
		}
		out[i].Records = append(out[i].Records, history.Record{r.Offset, client.Decode(r.Value)})
	}
	return out
}

// commitOp is the commit of the offsets behind records.
func (w *worker) commitOp(records []*kgo.Record) *history.Op {
	op := &history.Op{Process: w.Process, Kind: history.Commit, Group: w.Group, Start: w.stamp()}
	op.Member, op.Generation = w.member(w.s.Client())
	next := map[int32]int64{}
	for _, r := range records {
		next[r.Partition] = r.Offset + 1
	}
	for p := range w.Partitions {
		if o, ok := next[p]; ok {
			op.Positions = append(op.Positions, history.Position{Partition: partitionName(w.In, p), Offset: o})
		}
	}
	return op
}

// member is who the worker is in its group. A static member keeps its place in
// a generation under a new id, so it goes by its own name.
func (w *worker) member(cl *kgo.Client) (name string, generation int32) {
	name, generation = cl.GroupMetadata()
	if w.Static {
		name = w.ID
	}
	return name, generation
}

func (w *worker) gained(_ context.Context, cl *kgo.Client, parts map[string][]int32) {
	w.change(cl, func() { w.owned = append(w.owned, parts[w.In]...) })
}

func (w *worker) gone(_ context.Context, cl *kgo.Client, parts map[string][]int32) {
	w.change(cl, func() {
		w.owned = slices.DeleteFunc(w.owned, func(p int32) bool { return slices.Contains(parts[w.In], p) })
	})
}

// change notes what the worker owns now, with the generation it has it in.
func (w *worker) change(cl *kgo.Client, how func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	how()
	if w.Server { // each member has epochs of its own, which claim nothing
		_ = w.rewound()
		return
	}
	op := history.Op{Process: w.Process, Kind: history.Subscribe, Outcome: history.OK, Start: w.stamp(), Group: w.Group}
	op.Member, op.Generation = w.member(cl)
	for _, p := range w.owned {
		op.Positions = append(op.Positions, history.Position{Partition: partitionName(w.In, p), Offset: -1})
	}
	op.End = w.stamp()
	_ = w.say(line{Note: []history.Op{op}}) // a parent that is gone is seen by the next step
}
