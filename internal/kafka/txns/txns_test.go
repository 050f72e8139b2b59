package txns

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/coordinator"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// fakeController gives out blocks of three.
type fakeController struct {
	mu   sync.Mutex
	next int64
	asks int
	err  error
}

func (c *fakeController) Image() *metadata.Image { return metadata.Empty() }

func (c *fakeController) Do(_ context.Context, cmd any) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := cmd.(controller.AllocateProducerIDs); !ok {
		return nil, errors.New("another command than AllocateProducerIDs")
	}
	if c.err != nil {
		return nil, c.err
	}
	c.asks++
	first := c.next
	c.next += 3
	return controller.ProducerIDs{First: first, Count: 3}, nil
}

func call(t *testing.T, f *Family, edit func(*kmsg.InitProducerIDRequest)) *kmsg.InitProducerIDResponse {
	t.Helper()
	req := kmsg.NewPtrInitProducerIDRequest()
	req.SetVersion(5)
	req.ProducerID, req.ProducerEpoch = -1, -1
	if edit != nil {
		edit(req)
	}
	var resp kmsg.Response
	f.initProducerID(&api.Conn{}, req, func(make func() kmsg.Response) { resp = make() })
	return resp.(*kmsg.InitProducerIDResponse)
}

func TestEachProducerGetsAnIDOfItsOwn(t *testing.T) {
	c := &fakeController{next: 4000}
	f := New(Deps{Cluster: c})
	var mu sync.Mutex
	seen := map[int64]bool{}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			resp := call(t, f, nil)
			mu.Lock()
			defer mu.Unlock()
			if resp.ErrorCode != 0 || resp.ProducerEpoch != 0 || seen[resp.ProducerID] || resp.ProducerID < 4000 || resp.ProducerID >= 4021 {
				t.Errorf("answer %+v", resp)
			}
			seen[resp.ProducerID] = true
		})
	}
	wg.Wait()
	if c.asks != 7 {
		t.Errorf("the controller was asked %d times for blocks of three, want 7", c.asks)
	}
	old := call(t, f, func(r *kmsg.InitProducerIDRequest) { r.ProducerID, r.ProducerEpoch = 4000, 7 })
	if old.ErrorCode != 0 || seen[old.ProducerID] || old.ProducerEpoch != 0 {
		t.Errorf("a producer that names its id: %+v, want a new id with epoch 0", old)
	}
}

func TestRefusals(t *testing.T) {
	text := func(s string) *string { return &s }
	tests := []struct {
		name string
		edit func(*kmsg.InitProducerIDRequest)
		want wire.Code
	}{
		{"empty transactional id", func(r *kmsg.InitProducerIDRequest) { r.TransactionalID = text("") }, wire.InvalidRequest},
		{"id without epoch", func(r *kmsg.InitProducerIDRequest) { r.ProducerID = 5 }, wire.InvalidRequest},
		{"epoch without id", func(r *kmsg.InitProducerIDRequest) { r.ProducerEpoch = 5 }, wire.InvalidRequest},
	}
	f := New(Deps{Cluster: &fakeController{}})
	for _, tc := range tests {
		resp := call(t, f, tc.edit)
		if resp.ErrorCode != int16(tc.want) || resp.ProducerID != -1 || resp.ProducerEpoch != -1 {
			t.Errorf("%s: %+v, want code %d", tc.name, resp, tc.want)
		}
	}
}

func TestAControllerThatFailsIsTriedAgain(t *testing.T) {
	c := &fakeController{err: errors.New("no quorum")}
	f := New(Deps{Cluster: c})
	if resp := call(t, f, nil); resp.ErrorCode != int16(wire.CoordinatorLoadInProgress) {
		t.Errorf("code %d, want %d", resp.ErrorCode, wire.CoordinatorLoadInProgress)
	}
	c.err = wire.NotController
	if resp := call(t, f, nil); resp.ErrorCode != int16(wire.NotController) {
		t.Errorf("code %d, want %d", resp.ErrorCode, wire.NotController)
	}
	c.err = nil
	if resp := call(t, f, nil); resp.ErrorCode != 0 {
		t.Errorf("code %d after the controller is back", resp.ErrorCode)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.ids.turn <- struct{}{}
	if _, err := f.take(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting ended with %v", err)
	}
}

// fakeTxns notes commands and answers all alike, but asks for a fresh id where
// none is given if it shall.
type fakeTxns struct {
	body any
	err  error
	ask  bool
	got  []any
}

func (c *fakeTxns) PartitionFor(string) (int32, error) { return 0, c.err }

func (c *fakeTxns) Go(ctx context.Context, key string, cmd any, done func(any, error)) {
	done(c.Do(ctx, key, cmd))
}

func (c *fakeTxns) Do(_ context.Context, _ string, cmd any) (any, error) {
	c.got = append(c.got, cmd)
	if x, ok := cmd.(txn.Init); ok && c.ask && x.FreshID < 0 {
		return nil, txn.ErrNeedsProducerID
	}
	return c.body, c.err
}

func (c *fakeTxns) Each(context.Context, any) []coordinator.Answer {
	return []coordinator.Answer{{Err: wire.NotCoordinator}, {Body: c.body, Err: c.err}}
}

func TestAFreshProducerIDIsFetchedWhereOneIsNeeded(t *testing.T) {
	txns := &fakeTxns{body: txn.InitReply{ProducerID: 9, Epoch: 1}, ask: true}
	f := New(Deps{Cluster: &fakeController{next: 4000}, Txns: txns, Prepare: func(context.Context, string, string) error { return nil }})
	id := "tx"
	transactional := func(r *kmsg.InitProducerIDRequest) { r.TransactionalID = &id }
	for range 2 { // an id that was not needed is there for the next
		txns.got = nil
		got := call(t, f, transactional)
		if got.ErrorCode != 0 || got.ProducerID != 9 || got.ProducerEpoch != 1 || len(txns.got) != 1 || txns.got[0].(txn.Init).FreshID != 4000 {
			t.Errorf("answer %+v after commands %+v", got, txns.got)
		}
	}
	txns.body = txn.InitReply{ProducerID: 4000}
	if got := call(t, f, transactional); got.ErrorCode != 0 || got.ProducerID != 4000 {
		t.Errorf("answer %+v, want the fresh id", got)
	}
	without := New(Deps{Cluster: &fakeController{err: errors.New("no quorum")}, Txns: txns, Prepare: func(context.Context, string, string) error { return nil }})
	if got := call(t, without, transactional); got.ErrorCode != int16(wire.CoordinatorLoadInProgress) {
		t.Errorf("with none to be had: %+v, want COORDINATOR_LOAD_IN_PROGRESS", got)
	}
	txns.ask = false
	if got := call(t, without, transactional); got.ErrorCode != 0 || got.ProducerID != 4000 {
		t.Errorf("with none to be had and none needed: %+v", got)
	}

	for epoch, want := range map[int16]int64{0: -1, 32765: -1, 32766: 4001} {
		txns.got, txns.body = nil, txn.EndReply{ProducerID: 4001}
		req := kmsg.NewPtrEndTxnRequest()
		req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch = 5, id, 9, epoch
		var resp kmsg.Response
		f.endTxn(&api.Conn{}, req, func(make func() kmsg.Response) { resp = make() })
		if got := txns.got[0].(txn.End); got.FreshID != want || got.Version != txn.V2 {
			t.Errorf("epoch %d: command %+v, want fresh id %d", epoch, got, want)
		}
		if r := resp.(*kmsg.EndTxnResponse); r.ErrorCode != 0 || r.ProducerID != 4001 {
			t.Errorf("epoch %d: answer %+v", epoch, r)
		}
	}
}

func TestWithoutACoordinatorClientsLookForOne(t *testing.T) {
	id := "tx"
	for _, tc := range []struct{ err, want wire.Code }{
		{wire.NotEnoughReplicas, wire.CoordinatorNotAvailable},
		{wire.RequestTimedOut, wire.CoordinatorNotAvailable},
		{wire.KafkaStorageError, wire.NotCoordinator},
		{wire.NotCoordinator, wire.NotCoordinator},
		{wire.CoordinatorLoadInProgress, wire.CoordinatorLoadInProgress},
		{wire.MessageTooLarge, wire.UnknownServerError},
	} {
		f := New(Deps{Cluster: &fakeController{}, Txns: &fakeTxns{err: tc.err}, Prepare: func(context.Context, string, string) error { return nil }})
		got := call(t, f, func(r *kmsg.InitProducerIDRequest) { r.TransactionalID = &id })
		if got.ErrorCode != int16(tc.want) || got.ProducerID != -1 {
			t.Errorf("%v: answer %+v, want %v", tc.err, got, tc.want)
		}
		list, err := f.listTransactions(t.Context(), &api.Conn{}, kmsg.NewPtrListTransactionsRequest())
		want := tc.want
		if want == wire.NotCoordinator {
			want = wire.None // it is listed where it is led
		}
		if r := list.(*kmsg.ListTransactionsResponse); err != nil || r.ErrorCode != int16(want) {
			t.Errorf("%v: list %+v, %v", tc.err, r, err)
		}
	}
	f := New(Deps{Cluster: &fakeController{}, Txns: &fakeTxns{}, Prepare: func(context.Context, string, string) error { return errors.New("no quorum") }})
	if got := call(t, f, func(r *kmsg.InitProducerIDRequest) { r.TransactionalID = &id }); got.ErrorCode != int16(wire.CoordinatorNotAvailable) {
		t.Errorf("without the topic: %+v", got)
	}
	wrong := New(Deps{Cluster: &fakeController{}, Txns: &fakeTxns{body: "?"}, Prepare: func(context.Context, string, string) error { return nil }})
	if got := call(t, wrong, func(r *kmsg.InitProducerIDRequest) { r.TransactionalID = &id }); got.ErrorCode != int16(wire.UnknownServerError) {
		t.Errorf("an answer of another type: %+v", got)
	}
}
