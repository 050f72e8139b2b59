package queues

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/share"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// Bounds of what another node asks for.
const (
	mostBytes = 16 << 20
	mostWords = 10_000
	mostRuns  = 10_000
)

// APIs are the rows of what other nodes ask; they are answered from this node's
// share-partitions alone.
func (l *Leases) APIs() []api.API {
	rows := []api.API{
		api.Row(0, 0, l.serveTake), api.Row(0, 0, l.serveRedeem), api.Row(0, 0, l.serveAsk), api.Row(0, 0, l.serveContents), api.Row(0, 0, l.serveHold),
		api.Row(0, 0, l.serveFirsts),
	}
	for i := range rows {
		rows[i].NodesOnly = true
	}
	return rows
}

// told is an error as an answer has it.
func told(err error) (int16, string) {
	if err == nil {
		return 0, ""
	}
	return int16(wire.CodeOf(err)), err.Error()
}

func (l *Leases) serveTake(ctx context.Context, _ *api.Conn, req *own.QueueTakeRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*own.QueueTakeResponse)
	got, err := l.takeHere(ctx, partOf(req.QueuePart), Want{
		Max: int(req.MaxRecords), MaxBytes: min(max(int(req.MaxBytes), 0), mostBytes), LockMs: req.LockMs, Holder: req.Holder,
	})
	resp.ErrorCode, resp.ErrorMessage = told(err)
	resp.StateEpoch, resp.Batches = got.Epoch, got.Batches
	for _, r := range got.Acquired {
		resp.Ranges = append(resp.Ranges, own.QueueRange(r))
	}
	return resp, nil
}

func (l *Leases) serveRedeem(ctx context.Context, _ *api.Conn, req *own.QueueRedeemRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*own.QueueRedeemResponse)
	words := make([]share.Word, 0, len(req.Words))
	for i := range req.Words {
		words = append(words, wordOf(&req.Words[i]))
	}
	errs := all(len(words), wire.InvalidRequest)
	if len(words) <= mostWords {
		errs = l.redeemHere(ctx, partOf(req.QueuePart), words)
	}
	for _, err := range errs {
		var r own.QueueResult
		r.ErrorCode, r.ErrorMessage = told(err)
		resp.Results = append(resp.Results, r)
	}
	return resp, nil
}

func (l *Leases) serveAsk(ctx context.Context, _ *api.Conn, req *own.QueueAskRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*own.QueueAskResponse)
	p := partOf(req.QueuePart)
	var err error
	switch req.What {
	case own.AskSurvey:
		s, failed := l.surveyHere(ctx, p)
		err = failed
		resp.StateEpoch, resp.Waiting, resp.InFlight, resp.Delayed, resp.Dying, resp.OldestMs = s.StateEpoch, s.Waiting, s.InFlight, s.Delayed, s.Dying, s.OldestMs
	case own.AskWait:
		err = l.waitHere(ctx, p, time.Duration(req.WaitMs)*time.Millisecond)
	case own.AskReset:
		err = l.resetHere(ctx, p, false)
	case own.AskForget:
		err = l.resetHere(ctx, p, true)
	default:
		err = wire.Errorf(wire.InvalidRequest, "a queue cannot be asked %d", req.What)
	}
	resp.ErrorCode, resp.ErrorMessage = told(err)
	return resp, nil
}

func (l *Leases) serveContents(ctx context.Context, _ *api.Conn, req *own.QueueContentsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*own.QueueContentsResponse)
	c, err := l.contentsHere(ctx, partOf(req.QueuePart), req.From, min(max(int(req.Most), 1), mostRuns))
	resp.ErrorCode, resp.ErrorMessage = told(err)
	resp.Bound, resp.High, resp.Locked, resp.Most, resp.NowMs = c.Bound, c.High, c.Locked, c.Most, c.NowMs
	for i := range c.Undone {
		u := &c.Undone[i]
		resp.Runs = append(resp.Runs, own.QueueRun{
			First: u.First, Last: u.Last, Count: u.Count, State: int8(u.State), AtMs: u.AtMs, Behind: u.Behind, Member: u.Member, Holder: u.Holder,
		})
	}
	return resp, nil
}

func (l *Leases) serveHold(ctx context.Context, _ *api.Conn, req *own.QueueHoldRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*own.QueueHoldResponse)
	offsets := make([]int64, 0, len(req.Offsets))
	for _, x := range req.Offsets {
		offsets = append(offsets, x.Offset)
	}
	var got Held
	err := error(wire.InvalidRequest)
	if len(offsets) <= mostWords {
		got, err = l.holdHere(ctx, partOf(req.QueuePart), offsets, Want{LockMs: req.LockMs, Holder: req.Holder})
	}
	resp.ErrorCode, resp.ErrorMessage = told(err)
	resp.StateEpoch = got.Epoch
	for _, r := range got.Acquired {
		resp.Ranges = append(resp.Ranges, own.QueueRange(r))
	}
	return resp, nil
}

// waitHere returns when there may be something to take from a part of this node,
// or when it is not this node's any more, or when the time is over.
func (l *Leases) waitHere(ctx context.Context, p Part, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, min(max(most, 0), mostWait))
	defer cancel()
	if _, err := l.part(ctx, p); err != nil {
		return err
	}
	rings := make(bell, 1)
	defer l.watchHere(ctx, p, rings)()
	select {
	case <-rings:
	case <-ctx.Done():
	}
	return nil
}
