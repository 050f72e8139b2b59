package timers

import (
	"context"
	"errors"

	"ottla/internal/outbox"
	"ottla/internal/timer"
	"ottla/internal/timer/schema"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// question is what is asked of the coordinator of a partition of the timers' topic.
type question struct {
	partition int32
	op        int8
	items     []own.TimerItem
	line      string // or a topic
	from, to  int64
	firstMs   int64 // of a Set: when the first of its timers is due
}

// answer is what it says.
type answer struct {
	errs   []error // of a Set or Cancel, one an item
	value  []byte  // of a Get; nil: there is none
	offset int64   // of a Line; a number of timers
}

// ask asks whoever coordinates a partition, again and again while there is nobody,
// and while it does no harm: until ctx ends, or askWithin.
func (f *Family) ask(ctx context.Context, q question) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	for wait := firstPause; ; wait = min(2*wait, lastPause) {
		a, err := f.askOnce(ctx, q)
		if err == nil || ctx.Err() != nil || !f.mayRepeat(&q, err) {
			return a, err
		}
		f.d.Pause(ctx, wait)
		if ctx.Err() != nil {
			return a, err
		}
	}
}

// clockSkew is how far nodes' clocks may differ.
const clockSkew = 1000

// mayRepeat tells whether a question may be asked again after an error: what was
// certainly not done, what only reads or may be done twice, what a line's offset
// guards, and a timer that cannot have been appended yet.
func (f *Family) mayRepeat(q *question, err error) bool {
	switch wire.CodeOf(err) {
	case wire.CoordinatorLoadInProgress, wire.CoordinatorNotAvailable, wire.NotLeaderOrFollower:
		return true
	case wire.NotCoordinator, wire.NetworkException:
		switch q.op {
		case own.TimersGet, own.TimersLine, own.TimersTakeUp, own.TimersCount, own.TimersCancelTopic:
			return true
		case own.TimersSet:
			return q.firstMs > f.d.Wall().UnixMilli()+clockSkew
		}
	}
	return false
}

// askOnce asks the node that leads the partition by this node's metadata.
func (f *Family) askOnce(ctx context.Context, q question) (answer, error) {
	node := f.d.NodeID
	if t := f.d.Cluster.Image().TopicByName(Topic); t != nil && int(q.partition) < len(t.Partitions) {
		node = t.Partitions[q.partition].Leader
	}
	switch {
	case node == f.d.NodeID || f.d.Peers == nil:
		return f.here(ctx, q)
	case node < 0:
		return answer{}, wire.Errorf(wire.NotLeaderOrFollower, "%s-%d has no leader", Topic, q.partition)
	}
	resp, err := outbox.Call[*own.TimersResponse](ctx, f.d.Peers, node, &own.TimersRequest{
		Partition: q.partition, Op: q.op, Items: q.items, Line: q.line, From: q.from, To: q.to,
	})
	if err != nil {
		return answer{}, wire.Errorf(outbox.CodeOf(err), "ask node %d, which coordinates timers of %s-%d: %w", node, Topic, q.partition, err)
	}
	if resp.ErrorCode != 0 {
		return answer{}, said(resp.ErrorCode, resp.ErrorMessage)
	}
	a := answer{value: resp.Value, offset: resp.Offset}
	for _, r := range resp.Results {
		a.errs = append(a.errs, said(r.ErrorCode, r.ErrorMessage))
	}
	return a, nil
}

// said is an error as another node has told it.
func said(code int16, message string) error {
	switch {
	case code == 0:
		return nil
	case wire.Code(code) == wire.ResourceNotFound:
		return timer.ErrGone
	case message == "":
		return wire.Code(code)
	}
	return wire.Errorf(wire.Code(code), "%s", message)
}

// here asks the coordinator of this node. What was certainly not done has the code
// NOT_LEADER_OR_FOLLOWER, and what may have been NOT_COORDINATOR.
func (f *Family) here(ctx context.Context, q question) (answer, error) {
	cmd, err := command(q)
	if err != nil {
		return answer{}, err
	}
	type reply struct {
		body any
		err  error
	}
	c := make(chan reply, 1)
	f.d.Timers.GoAt(ctx, q.partition, cmd, func(body any, err error) { c <- reply{body, err} })
	var r reply
	select {
	case r = <-c:
	case <-ctx.Done():
		r.err = wire.Errorf(wire.RequestTimedOut, "the coordinator of timers did not answer in time: %w", ctx.Err())
	}
	if r.err != nil {
		return answer{}, certain(r.err)
	}
	var a answer
	switch body := r.body.(type) {
	case []error:
		a.errs = body
	case int64:
		a.offset = body
	case timer.Found:
		if body.Offset >= 0 {
			a.value, err = f.read(q.partition, body.Offset)
		}
	}
	return a, err
}

// certain tells what was not done from what may have been, as a runtime says it:
// only that has a cause.
func certain(err error) error {
	var e *wire.Error
	if errors.As(err, &e) && e.Code == wire.NotCoordinator && e.Cause == nil {
		return wire.Errorf(wire.NotLeaderOrFollower, "%w", err)
	}
	return err
}

// command is a question as a machine takes it.
func command(q question) (any, error) {
	switch q.op {
	case own.TimersSet, own.TimersTakeUp:
		timers := make([]timer.Timer, len(q.items))
		for i, item := range q.items {
			v, err := schema.ParseTimer(item.Value)
			if err != nil {
				return nil, wire.Errorf(wire.InvalidRequest, "the timer %q: %w", item.Key, err)
			}
			timers[i] = timerOf(item.Key, &v)
		}
		if q.op == own.TimersSet {
			return timer.Set{Timers: timers}, nil
		}
		return timer.TakeUp{Line: q.line, From: q.from, To: q.to, Timers: timers}, nil
	case own.TimersCancel:
		keys := make([]string, len(q.items))
		for i := range q.items {
			keys[i] = q.items[i].Key
		}
		return timer.Cancel{Keys: keys}, nil
	case own.TimersGet:
		if len(q.items) != 1 {
			return nil, wire.Errorf(wire.InvalidRequest, "one timer is read at a time, not %d", len(q.items))
		}
		return timer.Find{Key: q.items[0].Key}, nil
	case own.TimersLine:
		return timer.Line{Line: q.line}, nil
	case own.TimersCount:
		return timer.CountTopic{Topic: q.line}, nil
	case own.TimersCancelTopic:
		return timer.CancelTopic{Topic: q.line}, nil
	}
	return nil, wire.Errorf(wire.InvalidRequest, "timers know no operation %d", q.op)
}

// read is the value of the timer's record at an offset; nil when it is not there any
// more.
func (f *Family) read(partition int32, offset int64) ([]byte, error) {
	p, code := f.d.Partitions.ByName([]byte(Topic), partition)
	if code != wire.None {
		return nil, code
	}
	var out []byte
	err := payloads(p, []int64{offset}, func(_ int, _, value []byte) { out = append([]byte{}, value...) })
	if errors.Is(err, errNoPayload) {
		return nil, nil
	}
	return out, err
}
