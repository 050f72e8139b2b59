package data

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// coordinators answer as a test says, and note what they were asked.
type coordinators struct {
	mu     sync.Mutex
	asked  []string
	answer func(cmd any, done func(any, error))
}

func (c *coordinators) Go(_ context.Context, id string, cmd any, done func(any, error)) {
	var parts []txn.TopicPartition
	how := "add"
	switch x := cmd.(type) {
	case txn.Add:
		parts = x.Partitions
		how = fmt.Sprintf("%s %d/%d version %d", how, x.ProducerID, x.Epoch, x.Version)
	case txn.Verify:
		parts = x.Partitions
		how = fmt.Sprintf("verify %d/%d", x.ProducerID, x.Epoch)
	}
	c.mu.Lock()
	c.asked = append(c.asked, fmt.Sprint(id, ": ", how, " ", parts))
	answer := c.answer
	c.mu.Unlock()
	answer(cmd, done)
}

// questions gives what was asked since the last call.
func (c *coordinators) questions() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.asked
	c.asked = nil
	return q
}

// always answers every question alike: a code for each partition where the
// question has room for that.
func always(code wire.Code) func(any, func(any, error)) {
	return func(cmd any, done func(any, error)) {
		v, verify := cmd.(txn.Verify)
		switch {
		case verify && (code == wire.None || code == wire.TransactionAbortable):
			codes := make([]wire.Code, len(v.Partitions))
			for i := range codes {
				codes[i] = code
			}
			done(txn.VerifyReply{Codes: codes}, nil)
		case code == wire.None:
			done(nil, nil)
		default:
			done(nil, code)
		}
	}
}

// vouchRig is a rig whose partitions want transactions to be vouched for.
func vouchRig(t testing.TB, answer func(any, func(any, error))) (*rig, *coordinators) {
	r := newRig(t, func(c *partition.Config) { c.VerifyTransactions = true })
	c := &coordinators{answer: answer}
	r.family.o.Transactions = c
	return r, c
}

// inTxn is a batch of a transaction.
func inTxn(id int64, epoch int16, seq int32, value string) []byte {
	b := record.NewBuilder()
	b.ProducerID, b.ProducerEpoch, b.BaseSequence, b.Transactional = id, epoch, seq, true
	b.Add(1_700_000_000_000, nil, []byte(value))
	return b.Build(0)
}

// txnRequest is a Produce of a transactional producer.
func txnRequest(version int16, batches map[int32][]byte) *kmsg.ProduceRequest {
	req := produceRequest(version, -1, batches)
	req.TransactionID = kmsg.StringPtr("tx")
	return req
}

// codesOf are the codes of an answer.
func codesOf(resp kmsg.Response) (out []wire.Code) {
	for _, p := range resp.(*kmsg.ProduceResponse).Topics[0].Partitions {
		out = append(out, wire.Code(p.ErrorCode))
	}
	return out
}

func TestACoordinatorIsAskedOnceARequestForWhatNeedsIt(t *testing.T) {
	r, c := vouchRig(t, always(wire.None))
	conn := r.dial()
	for i, tc := range []struct {
		version int16
		want    string
	}{
		{3, "tx: verify 1/0 [{orders 0} {orders 1}]"},
		{11, "tx: verify 2/0 [{orders 0} {orders 1}]"},
		{12, "tx: add 3/0 version 2 [{orders 0} {orders 1}]"},
		{13, "tx: add 4/0 version 2 [{orders 0} {orders 1}]"},
	} {
		id := int64(i + 1)
		resp := conn.ask(txnRequest(tc.version, map[int32][]byte{0: inTxn(id, 0, 0, "a"), 1: inTxn(id, 0, 0, "b")}))
		if got := codesOf(resp); !slices.Equal(got, []wire.Code{0, 0}) {
			t.Fatalf("v%d: codes %v", tc.version, got)
		}
		if got := c.questions(); !slices.Equal(got, []string{tc.want}) {
			t.Errorf("v%d: asked %q, want %q", tc.version, got, tc.want)
		}
		// The transaction goes on, and into one more partition.
		resp = conn.ask(txnRequest(tc.version, map[int32][]byte{0: inTxn(id, 0, 1, "c"), 2: inTxn(id, 0, 0, "d"), 9: inTxn(id, 0, 0, "e")}))
		if got := codesOf(resp); !slices.Equal(got, []wire.Code{0, 0, wire.UnknownTopicOrPartition}) {
			t.Fatalf("v%d: codes %v", tc.version, got)
		}
		if got := c.questions(); len(got) != 1 || got[0][len(got[0])-len("[{orders 2}]"):] != "[{orders 2}]" {
			t.Errorf("v%d: asked %q, want about partition 2 alone", tc.version, got)
		}
	}
	// What is in no transaction is not asked about, whatever the request says.
	resp := conn.ask(txnRequest(9, map[int32][]byte{0: batch("plain")}))
	if got, asked := codesOf(resp), c.questions(); got[0] != 0 || asked != nil {
		t.Errorf("plain batch: codes %v, asked %q", got, asked)
	}
	resp = conn.ask(produceRequest(9, -1, map[int32][]byte{0: inTxn(7, 0, 0, "a")}))
	if got, asked := codesOf(resp), c.questions(); got[0] != wire.TransactionalIDAuthorizationFailed || asked != nil {
		t.Errorf("without a transactional id: codes %v, asked %q", got, asked)
	}
}

func TestWhatACoordinatorRefusesIsSaidInTheWordsOfTheVersion(t *testing.T) {
	for _, tc := range []struct {
		said          wire.Code
		old, v11, v12 wire.Code
	}{
		{wire.TransactionAbortable, wire.InvalidTxnState, wire.TransactionAbortable, wire.TransactionAbortable},
		{wire.InvalidTxnState, wire.InvalidTxnState, wire.InvalidTxnState, wire.InvalidTxnState},
		{wire.ProducerFenced, wire.InvalidProducerEpoch, wire.InvalidProducerEpoch, wire.InvalidProducerEpoch},
		{wire.InvalidProducerIDMapping, wire.InvalidProducerIDMapping, wire.InvalidProducerIDMapping, wire.InvalidProducerIDMapping},
		{wire.InvalidRequest, wire.InvalidRequest, wire.InvalidRequest, wire.InvalidRequest},
		{wire.ConcurrentTransactions, wire.NotEnoughReplicas, wire.NotEnoughReplicas, wire.NotEnoughReplicas},
		{wire.CoordinatorNotAvailable, wire.NotEnoughReplicas, wire.NotEnoughReplicas, wire.NotEnoughReplicas},
		{wire.CoordinatorLoadInProgress, wire.NotEnoughReplicas, wire.NotEnoughReplicas, wire.NotEnoughReplicas},
		{wire.NotCoordinator, wire.NotEnoughReplicas, wire.NotEnoughReplicas, wire.NotEnoughReplicas},
		{wire.RequestTimedOut, wire.NotEnoughReplicas, wire.NotEnoughReplicas, wire.NotEnoughReplicas},
		{wire.KafkaStorageError, wire.NotEnoughReplicas, wire.NotEnoughReplicas, wire.NotEnoughReplicas},
	} {
		r, _ := vouchRig(t, always(tc.said))
		conn := r.dial()
		for v, want := range map[int16]wire.Code{9: tc.old, 10: tc.old, 11: tc.v11, 12: tc.v12, 13: tc.v12} {
			resp := conn.ask(txnRequest(v, map[int32][]byte{0: inTxn(1, 0, 0, "a"), 1: batch("plain")}))
			if got := codesOf(resp); !slices.Equal(got, []wire.Code{want, wire.None}) {
				t.Errorf("%s, v%d: codes %v, want %s", tc.said.Name(), v, got, want.Name())
			}
		}
		if end := r.parts["orders"][0].Offsets().LogEnd; end != 0 {
			t.Errorf("%s: %d records were written", tc.said.Name(), end)
		}
	}
}

func TestOnePartitionThatIsNotInTheTransactionDoesNotHurtTheOthers(t *testing.T) {
	r, _ := vouchRig(t, func(_ any, done func(any, error)) {
		done(txn.VerifyReply{Codes: []wire.Code{wire.None, wire.TransactionAbortable}}, nil)
	})
	resp := r.dial().ask(txnRequest(11, map[int32][]byte{0: inTxn(1, 0, 0, "a"), 1: inTxn(1, 0, 0, "b")}))
	if got := codesOf(resp); !slices.Equal(got, []wire.Code{wire.None, wire.TransactionAbortable}) {
		t.Errorf("codes %v", got)
	}
	if p := resp.(*kmsg.ProduceResponse).Topics[0].Partitions[1]; p.ErrorMessage != nil || p.BaseOffset != -1 || p.LogStartOffset != -1 {
		t.Errorf("the refused one: %+v", p)
	}
}

func TestBatchesOfTwoProducersInOneRequestAreRefused(t *testing.T) {
	r, c := vouchRig(t, always(wire.None))
	for name, b := range map[string][]byte{"another id": inTxn(2, 0, 0, "b"), "another epoch": inTxn(1, 1, 0, "b")} {
		resp := r.dial().ask(txnRequest(12, map[int32][]byte{0: inTxn(1, 0, 0, "a"), 1: b}))
		if got := codesOf(resp); !slices.Equal(got, []wire.Code{wire.InvalidProducerIDMapping, wire.InvalidProducerIDMapping}) || c.questions() != nil {
			t.Errorf("%s: codes %v", name, got)
		}
	}
}

func TestAStrangeReplyIsOurError(t *testing.T) {
	for name, body := range map[string]any{"another type": 42, "too few": txn.VerifyReply{}} {
		r, _ := vouchRig(t, func(_ any, done func(any, error)) { done(body, nil) })
		if got := codesOf(r.dial().ask(txnRequest(11, map[int32][]byte{0: inTxn(1, 0, 0, "a")}))); got[0] != wire.UnknownServerError {
			t.Errorf("%s: codes %v", name, got)
		}
	}
	r, _ := vouchRig(t, nil)
	r.family.o.Transactions = nil
	if got := codesOf(r.dial().ask(txnRequest(11, map[int32][]byte{0: inTxn(1, 0, 0, "a")}))); got[0] != wire.NotEnoughReplicas {
		t.Errorf("without coordinators: codes %v", got)
	}
}

// TestAConnectionWaitsForItsCoordinator holds a coordinator's answer back: what
// came before leaves meanwhile, and what comes after does not overtake.
func TestAConnectionWaitsForItsCoordinator(t *testing.T) {
	asked := make(chan func(any, error), 1)
	r, _ := vouchRig(t, func(_ any, done func(any, error)) { asked <- done })
	c := r.dial()
	c.nc.SetDeadline(time.Now().Add(patience))
	before := produceRequest(12, 1, map[int32][]byte{1: batch("before")})
	first := txnRequest(12, map[int32][]byte{0: inTxn(1, 0, 0, "first")})
	second := txnRequest(12, map[int32][]byte{0: inTxn(1, 0, 1, "second")})
	go func() { // the connection in memory takes no more than is read
		c.send(before)
		c.send(first)
		c.send(second)
	}()
	done := <-asked
	if got := codesOf(c.receive(before, 1)); got[0] != 0 {
		t.Fatalf("the one before: codes %v", got)
	}
	if end := r.parts["orders"][0].Offsets().LogEnd; end != 0 {
		t.Fatalf("%d records were written before the coordinator's answer", end)
	}
	done(nil, nil)
	for i, req := range []kmsg.Request{first, second} {
		resp := c.receive(req, int32(i+2)).(*kmsg.ProduceResponse)
		if p := resp.Topics[0].Partitions[0]; p.ErrorCode != 0 || p.BaseOffset != int64(i) {
			t.Errorf("request %d: %+v", i, p)
		}
	}
}

// mutes never answer, and give the context of each question.
type mutes chan context.Context

func (m mutes) Go(ctx context.Context, _ string, _ any, _ func(any, error)) { m <- ctx }

// A coordinator that cannot answer, since too few replicas are in sync, held the stop of
// a node for half a minute.
func TestAProducerThatWaitsForItsCoordinatorHoldsNoStopOfTheNode(t *testing.T) {
	r, _ := vouchRig(t, nil)
	asked := make(mutes, 1)
	r.family.o.Transactions = asked
	r.dial().send(txnRequest(12, map[int32][]byte{0: inTxn(1, 0, 0, "a")}))
	waits := <-asked
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	must(t, r.door.Close(ctx))
	if waits.Err() != context.Canceled {
		t.Errorf("it waited until %v", waits.Err())
	}
}
