package vouch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/metadata"
	"ottla/internal/txn"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

const topic = "__transaction_state"

// rig is node 1 of three; ids are in the partition that their first letter
// says, a in 0.
type rig struct {
	*Coordinators
	t       *testing.T
	leaders []int32 // of partitions
	none    error   // there is no topic
	local   []any   // what this node's coordinators were asked
	sent    []sent
	answers []string
}

type sent struct {
	node int32
	req  *kmsg.AddPartitionsToTxnRequest
	done func(kmsg.Response, error)
}

func newRig(t *testing.T, leaders ...int32) *rig {
	r := &rig{t: t, leaders: leaders}
	r.Coordinators = New(Options{NodeID: 1, Topic: topic, Image: r.image, Local: localOf{r}, Peers: r})
	return r
}

func (r *rig) image() *metadata.Image {
	id := uuid.UUID{1}
	records := []metadata.Record{&metadata.TopicRecord{Name: topic, ID: id}}
	for i, leader := range r.leaders {
		records = append(records, &metadata.PartitionRecord{
			Partition: int32(i), TopicID: id, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}, Leader: leader, Directories: make([]uuid.UUID, 3),
		})
	}
	img, _, err := metadata.Empty().With(int64(len(records)), 1, records...)
	if err != nil {
		r.t.Fatal(err)
	}
	return img
}

type localOf struct{ r *rig }

func (l localOf) PartitionFor(id string) (int32, error) { return int32(id[0] - 'a'), l.r.none }

func (l localOf) Go(_ context.Context, _ string, cmd any, done func(any, error)) {
	l.r.local = append(l.r.local, cmd)
	done(nil, l.r.none)
}

func (r *rig) Start(_ context.Context, node int32, req kmsg.Request, done func(kmsg.Response, error)) {
	r.sent = append(r.sent, sent{node, req.(*kmsg.AddPartitionsToTxnRequest), done})
}

// ask asks about partitions of the topic "orders"; what it is told goes to
// answers.
func (r *rig) ask(id string, verify bool, partitions ...int32) {
	var tps []txn.TopicPartition
	for _, p := range partitions {
		tps = append(tps, txn.TopicPartition{Topic: "orders", Partition: p})
	}
	var cmd any = txn.Add{ID: id, ProducerID: 7, Epoch: 3, Version: txn.V2, Partitions: tps}
	if verify {
		cmd = txn.Verify{ID: id, ProducerID: 7, Epoch: 3, Partitions: tps}
	}
	r.Go(context.Background(), id, cmd, func(body any, err error) {
		text := fmt.Sprint(body)
		if err != nil {
			text = wire.CodeOf(err).Name()
		}
		r.answers = append(r.answers, id+": "+text)
	})
}

// answer answers a request with codes by partition; none is 0.
func (s *sent) answer(codes map[int32]wire.Code) {
	resp := kmsg.NewPtrAddPartitionsToTxnResponse()
	for _, row := range s.req.Transactions {
		out := kmsg.NewAddPartitionsToTxnResponseTransaction()
		out.TransactionalID = row.TransactionalID
		for _, t := range row.Topics {
			to := kmsg.NewAddPartitionsToTxnResponseTransactionTopic()
			to.Topic = t.Topic
			for _, p := range t.Partitions {
				to.Partitions = append(to.Partitions, kmsg.AddPartitionsToTxnResponseTransactionTopicPartition{Partition: p, ErrorCode: int16(codes[p])})
			}
			out.Topics = append(out.Topics, to)
		}
		resp.Transactions = append(resp.Transactions, out)
	}
	s.done(resp, nil)
}

func (r *rig) want(what string, want ...string) {
	r.t.Helper()
	if !slices.Equal(r.answers, want) {
		r.t.Errorf("%s: got %q, want %q", what, r.answers, want)
	}
	r.answers = nil
}

func TestACoordinatorOfThisNodeIsAskedWithoutADetour(t *testing.T) {
	r := newRig(t, 1, 2)
	r.ask("a", true, 0)
	r.none = wire.CoordinatorNotAvailable
	r.ask("b", false, 0)
	r.none = nil
	r.want("answers", "a: <nil>", "b: COORDINATOR_NOT_AVAILABLE")
	if len(r.local) != 2 || len(r.sent) != 0 {
		t.Errorf("%d asked here, %d elsewhere; want 2 and 0", len(r.local), len(r.sent))
	}
	alone := New(Options{NodeID: 1, Topic: topic, Image: r.image, Local: localOf{r}})
	alone.Go(context.Background(), "b", txn.Init{}, func(any, error) {})
	if len(r.local) != 3 {
		t.Error("a node without others asked nobody")
	}
}

func TestQuestionsOfOneNodeTravelTogether(t *testing.T) {
	r := newRig(t, 2, 3)
	r.ask("a1", false, 0, 4)
	r.ask("a2", true, 1)
	r.ask("a3", false, 2)
	r.ask("a4", true, 3, 5)
	r.ask("b1", false, 6)
	if len(r.sent) != 3 || r.sent[0].node != 2 || r.sent[1].node != 2 || r.sent[2].node != 3 {
		t.Fatalf("sent %+v", r.sent)
	}
	r.sent[0].answer(nil)
	last := r.sent[3]
	var got []string
	for _, x := range last.req.Transactions {
		got = append(got, fmt.Sprint(x.TransactionalID, " ", x.ProducerID, " ", x.ProducerEpoch, " ", x.VerifyOnly, " ", x.Topics[0].Topic, x.Topics[0].Partitions))
	}
	if want := "a3 7 3 false orders[2]; a4 7 3 true orders[3 5]"; strings.Join(got, "; ") != want {
		t.Errorf("got %q, want %q", strings.Join(got, "; "), want)
	}
	last.answer(map[int32]wire.Code{5: wire.TransactionAbortable})
	r.want("answers", "a1: {[NONE NONE]}", "a3: {[NONE]}", "a4: {[NONE TRANSACTION_ABORTABLE: the transaction failed and can be aborted]}")
}

func TestWhatHoldsForAllPartitionsIsTheTransactionsError(t *testing.T) {
	r := newRig(t, 2)
	for _, tc := range []struct {
		codes map[int32]wire.Code
		want  string
	}{
		{map[int32]wire.Code{0: wire.ProducerFenced, 1: wire.ProducerFenced}, "PRODUCER_FENCED"},
		{map[int32]wire.Code{0: wire.NotCoordinator, 1: wire.NotCoordinator}, "NOT_COORDINATOR"},
		{map[int32]wire.Code{0: wire.UnknownTopicOrPartition, 1: wire.OperationNotAttempted}, "COORDINATOR_LOAD_IN_PROGRESS"},
	} {
		r.ask("a", false, 0, 1)
		r.sent[len(r.sent)-1].answer(tc.codes)
		r.want(fmt.Sprint(tc.codes), "a: "+tc.want)
	}
	for name, tell := range map[string]func(*sent){
		"NETWORK_EXCEPTION":            func(s *sent) { s.done(nil, wire.NetworkException) },
		"REQUEST_TIMED_OUT":            func(s *sent) { s.done(nil, context.DeadlineExceeded) },
		"UNKNOWN_SERVER_ERROR":         func(s *sent) { s.done(kmsg.NewPtrAddPartitionsToTxnResponse(), nil) },
		"CLUSTER_AUTHORIZATION_FAILED": func(s *sent) { s.done(&kmsg.AddPartitionsToTxnResponse{ErrorCode: 31}, nil) },
	} {
		r.ask("a", false, 0)
		tell(&r.sent[len(r.sent)-1])
		r.want(name, "a: "+name)
	}
	r.ask("a", false, 0)
	r.sent[len(r.sent)-1].done(kmsg.NewPtrFetchResponse(), nil)
	r.want("an answer of another kind", "a: UNKNOWN_SERVER_ERROR")
}

func TestACoordinatorThatMovedIsLookedForOnce(t *testing.T) {
	r := newRig(t, 2)
	r.ask("a", true, 0)
	r.leaders[0] = 3
	r.sent[0].answer(map[int32]wire.Code{0: wire.NotCoordinator})
	if len(r.sent) != 2 || r.sent[1].node != 3 {
		t.Fatalf("sent %+v, want another to node 3", r.sent)
	}
	r.leaders[0] = 2
	r.sent[1].answer(map[int32]wire.Code{0: wire.NotCoordinator})
	r.want("moved again", "a: NOT_COORDINATOR")

	r.ask("a", false, 0)
	r.leaders[0] = 1
	r.sent[2].done(nil, wire.NetworkException)
	r.want("moved here", "a: <nil>")
	if add, ok := r.local[0].(txn.Add); !ok || add.ID != "a" || add.ProducerID != 7 || add.Epoch != 3 || add.Version != txn.V2 || len(add.Partitions) != 1 {
		t.Errorf("this node was asked %+v", r.local[0])
	}
	r.leaders[0] = -1
	r.ask("a", false, 0)
	r.want("without a leader", "a: COORDINATOR_NOT_AVAILABLE")
}

func TestOnlyWhatAnotherNodeTakesIsAskedThere(t *testing.T) {
	r := newRig(t, 2)
	for _, cmd := range []any{txn.Init{}, txn.Add{Version: txn.V0}} {
		r.Go(context.Background(), "a", cmd, func(_ any, err error) {
			if wire.CodeOf(err) != wire.UnknownServerError {
				t.Errorf("%T: %v", cmd, err)
			}
		})
	}
	if len(r.sent) != 0 {
		t.Errorf("sent %+v", r.sent)
	}
}
