package queues

import (
	"context"
	"errors"
	"regexp"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/shares/lead"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/share"
	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

func TestMessagesAreCalledByTheirPlaceEverywhere(t *testing.T) {
	topic := uuid.UUID{1, 2, 3}
	id := MessageID(topic, 7, 42)
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("%q is no UUID of version 8", id)
	}
	if again := MessageID(topic, 7, 42); again != id {
		t.Errorf("%q, then %q", id, again)
	}
	seen := map[string]bool{id: true}
	for _, other := range []string{MessageID(topic, 7, 43), MessageID(topic, 8, 42), MessageID(uuid.UUID{1, 2, 4}, 7, 42)} {
		if seen[other] {
			t.Errorf("two places are called %q", other)
		}
		seen[other] = true
	}
}

// nowhere leads nothing.
type nowhere struct{}

func (nowhere) ByID(uuid.UUID, int32) (*partition.Partition, wire.Code) {
	return nil, wire.NotLeaderOrFollower
}

// alone are leases of a node that leads nothing and knows no topic.
func alone() *Leases {
	return New(Options{NodeID: 1, Image: metadata.Empty, Partitions: nowhere{}, Lead: func() *lead.Manager { return nil }})
}

func TestWhatIsNotThereIsSaidToBeSo(t *testing.T) {
	l, p := alone(), Part{Group: "g", Topic: uuid.UUID{9}}
	if l.Near(p) {
		t.Error("a partition that is not there is near")
	}
	_, taken := l.Take(t.Context(), p, Want{Max: 1})
	_, counted := l.Survey(t.Context(), p)
	said := l.Redeem(t.Context(), p, make([]share.Word, 2))
	_, listed := l.Contents(t.Context(), p, 0, 1)
	_, held := l.Hold(t.Context(), p, []int64{1}, Want{LockMs: 1})
	for what, err := range map[string]error{"contents": listed, "hold": held, "take": taken, "survey": counted, "reset": l.Reset(t.Context(), p), "forget": l.Forget(t.Context(), p), "redeem": said[1]} {
		if !errors.Is(err, wire.UnknownTopicOrPartition) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What other nodes ask is answered from here or refused, never asked on.
func TestOtherNodesAreRefusedWhatIsNotLedHere(t *testing.T) {
	l, part := alone(), own.QueuePart{Group: "g", Topic: uuid.UUID{9}}
	take, err := l.serveTake(t.Context(), nil, &own.QueueTakeRequest{QueuePart: part, MaxRecords: 1})
	if got := take.(*own.QueueTakeResponse); err != nil || wire.Code(got.ErrorCode) != wire.NotLeaderOrFollower || len(got.Ranges) != 0 {
		t.Errorf("take: %+v, %v", got, err)
	}
	redeem, err := l.serveRedeem(t.Context(), nil, &own.QueueRedeemRequest{QueuePart: part, Words: make([]own.QueueWord, 3)})
	if got := redeem.(*own.QueueRedeemResponse); err != nil || len(got.Results) != 3 || wire.Code(got.Results[2].ErrorCode) != wire.NotLeaderOrFollower {
		t.Errorf("redeem: %+v, %v", got, err)
	}
	contents, err := l.serveContents(t.Context(), nil, &own.QueueContentsRequest{QueuePart: part, Most: 1})
	if got := contents.(*own.QueueContentsResponse); err != nil || wire.Code(got.ErrorCode) != wire.NotLeaderOrFollower || len(got.Runs) != 0 {
		t.Errorf("contents: %+v, %v", got, err)
	}
	for n, want := range map[int]wire.Code{1: wire.NotLeaderOrFollower, mostWords + 1: wire.InvalidRequest} {
		hold, err := l.serveHold(t.Context(), nil, &own.QueueHoldRequest{QueuePart: part, Offsets: make([]own.QueueOffset, n)})
		if got := hold.(*own.QueueHoldResponse); err != nil || wire.Code(got.ErrorCode) != want || len(got.Ranges) != 0 {
			t.Errorf("hold %d: %+v, %v", n, got, err)
		}
	}
	for _, what := range []int8{own.AskSurvey, own.AskWait, own.AskReset, own.AskForget} {
		ask, err := l.serveAsk(t.Context(), nil, &own.QueueAskRequest{QueuePart: part, What: what, WaitMs: 1 << 40})
		if got := ask.(*own.QueueAskResponse); err != nil || wire.Code(got.ErrorCode) != wire.NotLeaderOrFollower {
			t.Errorf("ask %d: %+v, %v", what, got, err)
		}
	}
	ask, err := l.serveAsk(t.Context(), nil, &own.QueueAskRequest{QueuePart: part, What: 99})
	if got := ask.(*own.QueueAskResponse); err != nil || wire.Code(got.ErrorCode) != wire.InvalidRequest {
		t.Errorf("an unknown question: %+v, %v", got, err)
	}
}

// peers answer for other nodes.
type peers struct {
	resp kmsg.Response
	err  error
}

func (p peers) Start(_ context.Context, _ int32, _ kmsg.Request, done func(kmsg.Response, error)) {
	done(p.resp, p.err)
}

func TestAnswersOfOtherNodesAreTakenAsTheyAre(t *testing.T) {
	l, p := alone(), Part{Group: "g", Topic: uuid.UUID{9}}
	l.o.Peers = peers{resp: &own.QueueTakeResponse{StateEpoch: 3, Ranges: []own.QueueRange{{First: 5, Last: 6, Count: 2}}, Batches: []byte("b")}}
	got, err := l.takeThere(t.Context(), 2, p, Want{Max: 5})
	if err != nil || got.Epoch != 3 || len(got.Acquired) != 1 || got.Acquired[0] != (share.Range{First: 5, Last: 6, Count: 2}) || string(got.Batches) != "b" {
		t.Errorf("%+v, %v", got, err)
	}
	l.o.Peers = peers{resp: &own.QueueRedeemResponse{Results: []own.QueueResult{{}, {ErrorCode: int16(wire.InvalidRecordState), ErrorMessage: "gone"}}}}
	errs := l.redeemThere(t.Context(), 2, p, make([]share.Word, 2))
	if errs[0] != nil || !errors.Is(errs[1], wire.InvalidRecordState) {
		t.Errorf("%v", errs)
	}
	for _, err := range l.redeemThere(t.Context(), 2, p, make([]share.Word, 3)) {
		if wire.CodeOf(err) != wire.UnknownServerError {
			t.Errorf("two results for three words: %v", err)
		}
	}
	run := own.QueueRun{First: 3, Last: 4, Count: 2, State: 1, AtMs: 9, Behind: -1, Member: "m"}
	l.o.Peers = peers{resp: &own.QueueContentsResponse{Runs: []own.QueueRun{run}, Bound: 7, High: 8, Locked: 2, Most: 3, NowMs: 4}}
	c, err := l.contentsThere(t.Context(), 2, p, 0, 9)
	if want := (share.Undone{Range: share.Range{First: 3, Last: 4, Count: 2}, State: share.Acquired, AtMs: 9, Behind: -1, Member: "m"}); err != nil ||
		len(c.Undone) != 1 || c.Undone[0] != want || c.Bound != 7 || c.High != 8 || c.Locked != 2 || c.Most != 3 || c.NowMs != 4 {
		t.Errorf("contents %+v, %v", c, err)
	}
	l.o.Peers = peers{resp: &own.QueueHoldResponse{StateEpoch: 3, Ranges: []own.QueueRange{{First: 5, Last: 5, Count: 2}}}}
	held, err := l.holdThere(t.Context(), 2, p, []int64{4, 5}, Want{LockMs: 9})
	if err != nil || held.Epoch != 3 || len(held.Acquired) != 1 || held.Acquired[0] != (share.Range{First: 5, Last: 5, Count: 2}) {
		t.Errorf("hold %+v, %v", held, err)
	}
	l.o.Peers = peers{err: context.DeadlineExceeded}
	if _, err := l.surveyThere(t.Context(), 2, p); wire.CodeOf(err) != wire.RequestTimedOut {
		t.Errorf("no answer: %v", err)
	}
}

func TestWordsToOtherNodesAreReadBack(t *testing.T) {
	r := share.Receipt{Epoch: 3, Offset: 1 << 40, Count: 7}
	for _, w := range []share.Word{
		{Receipt: r, Type: share.Accept, Late: true}, {Receipt: r, Type: share.Release, ForMs: -1}, {Receipt: r, Type: share.Return, Holder: 1<<64 - 5},
	} {
		sent := ownWord(&w)
		if got := wordOf(&sent); got != w {
			t.Errorf("got %+v, want %+v", got, w)
		}
	}
}
