package queues

import (
	"context"
	"fmt"
	"time"

	"ottla/internal/kafka/shares/lead"
	"ottla/internal/outbox"
	"ottla/internal/share"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

func (p Part) own() own.QueuePart {
	return own.QueuePart{Group: p.Group, Topic: p.Topic, Partition: p.Index}
}

func partOf(p own.QueuePart) Part { return Part{Group: p.Group, Topic: p.Topic, Index: p.Partition} }

// unreached is an error of a question to another node.
func unreached(node int32, err error) error {
	return wire.Errorf(outbox.CodeOf(err), "node %d: %w", node, err)
}

// said is the error that another node told.
func said(node int32, code int16, message string) error {
	if code == 0 {
		return nil
	}
	if message == "" {
		return fmt.Errorf("node %d: %w", node, wire.Code(code))
	}
	return wire.Errorf(wire.Code(code), "node %d: %s", node, message)
}

// moment is how much longer than whoever wants records the question for them lives: an
// answer that nobody hears leaves them leased.
const moment = 500 * time.Millisecond

// outlast is a context that ends a moment after another.
func outlast(life context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(life))
	forget := context.AfterFunc(life, func() {
		t := time.AfterFunc(moment, cancel)
		context.AfterFunc(ctx, func() { t.Stop() })
	})
	return ctx, func() { forget(); cancel() }
}

func (l *Leases) takeThere(ctx context.Context, node int32, p Part, w Want) (Lease, error) {
	ctx, cancel := outlast(ctx)
	defer cancel()
	resp, err := outbox.Call[*own.QueueTakeResponse](ctx, l.o.Peers, node, &own.QueueTakeRequest{
		QueuePart: p.own(), MaxRecords: int32(w.Max), MaxBytes: int32(w.MaxBytes), LockMs: w.LockMs, Holder: w.Holder,
	})
	if err != nil {
		return Lease{}, unreached(node, err)
	}
	out := Lease{Epoch: resp.StateEpoch, Batches: resp.Batches}
	for _, r := range resp.Ranges {
		out.Acquired = append(out.Acquired, share.Range(r))
	}
	return out, said(node, resp.ErrorCode, resp.ErrorMessage)
}

// ownWord is a word as other nodes are told it. One that returns a record has no time:
// its holder goes there.
func ownWord(w *share.Word) own.QueueWord {
	out := own.QueueWord{StateEpoch: w.Epoch, Offset: w.Offset, Count: w.Count, Type: int8(w.Type), ForMs: w.ForMs, Late: w.Late}
	if w.Type == share.Return {
		out.ForMs = int64(w.Holder)
	}
	return out
}

// wordOf is the inverse.
func wordOf(w *own.QueueWord) share.Word {
	out := share.Word{
		Receipt: share.Receipt{Epoch: w.StateEpoch, Offset: w.Offset, Count: w.Count}, Type: share.AckType(w.Type), ForMs: w.ForMs, Late: w.Late,
	}
	if out.Type == share.Return {
		out.ForMs, out.Holder = 0, uint64(w.ForMs)
	}
	return out
}

func (l *Leases) redeemThere(ctx context.Context, node int32, p Part, words []share.Word) []error {
	req := &own.QueueRedeemRequest{QueuePart: p.own()}
	for i := range words {
		req.Words = append(req.Words, ownWord(&words[i]))
	}
	resp, err := outbox.Call[*own.QueueRedeemResponse](ctx, l.o.Peers, node, req)
	if err != nil {
		return all(len(words), unreached(node, err))
	}
	if len(resp.Results) != len(words) {
		return all(len(words), wire.Errorf(wire.UnknownServerError, "node %d answered %d of %d words", node, len(resp.Results), len(words)))
	}
	out := make([]error, len(words))
	for i, r := range resp.Results {
		out[i] = said(node, r.ErrorCode, r.ErrorMessage)
	}
	return out
}

func (l *Leases) ask(ctx context.Context, node int32, req *own.QueueAskRequest) (*own.QueueAskResponse, error) {
	resp, err := outbox.Call[*own.QueueAskResponse](ctx, l.o.Peers, node, req)
	if err != nil {
		return nil, unreached(node, err)
	}
	return resp, said(node, resp.ErrorCode, resp.ErrorMessage)
}

func (l *Leases) surveyThere(ctx context.Context, node int32, p Part) (lead.Survey, error) {
	resp, err := l.ask(ctx, node, &own.QueueAskRequest{QueuePart: p.own(), What: own.AskSurvey})
	if err != nil {
		return lead.Survey{}, err
	}
	return lead.Survey{
		StateEpoch: resp.StateEpoch, Waiting: resp.Waiting, InFlight: resp.InFlight, Delayed: resp.Delayed, Dying: resp.Dying,
		OldestMs: resp.OldestMs,
	}, nil
}

func (l *Leases) contentsThere(ctx context.Context, node int32, p Part, from int64, most int) (lead.Contents, error) {
	resp, err := outbox.Call[*own.QueueContentsResponse](ctx, l.o.Peers, node, &own.QueueContentsRequest{QueuePart: p.own(), From: from, Most: int32(most)})
	if err != nil {
		return lead.Contents{}, unreached(node, err)
	}
	out := lead.Contents{Bound: resp.Bound, High: resp.High, Locked: resp.Locked, Most: resp.Most, NowMs: resp.NowMs}
	for i := range resp.Runs {
		x := &resp.Runs[i]
		out.Undone = append(out.Undone, share.Undone{
			Range: share.Range{First: x.First, Last: x.Last, Count: x.Count}, State: share.State(x.State), AtMs: x.AtMs, Member: x.Member, Holder: x.Holder, Behind: x.Behind,
		})
	}
	return out, said(node, resp.ErrorCode, resp.ErrorMessage)
}

func (l *Leases) holdThere(ctx context.Context, node int32, p Part, offsets []int64, w Want) (Held, error) {
	req := &own.QueueHoldRequest{QueuePart: p.own(), LockMs: w.LockMs, Holder: w.Holder}
	for _, at := range offsets {
		req.Offsets = append(req.Offsets, own.QueueOffset{Offset: at})
	}
	resp, err := outbox.Call[*own.QueueHoldResponse](ctx, l.o.Peers, node, req)
	if err != nil {
		return Held{}, unreached(node, err)
	}
	out := Held{Epoch: resp.StateEpoch}
	for _, r := range resp.Ranges {
		out.Acquired = append(out.Acquired, share.Range(r))
	}
	return out, said(node, resp.ErrorCode, resp.ErrorMessage)
}

func (l *Leases) resetThere(ctx context.Context, node int32, p Part, forget bool) error {
	what := int8(own.AskReset)
	if forget {
		what = own.AskForget
	}
	_, err := l.ask(ctx, node, &own.QueueAskRequest{QueuePart: p.own(), What: what})
	return err
}
