package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/letter"
	"ottla/internal/event/place"
	"ottla/internal/kafka/queues"
	"ottla/internal/record"
	"ottla/internal/share"
)

// moving is a move under way. One goroutine owns it.
type moving struct {
	s       *Service
	move    Move
	version int64 // of its object
	mover   mover
	done    map[int32]map[int64]bool // what the last step before a crash moved
	begun   bool
	fresh   bool // all that was written of it before it ran is known
	// holder is who holds what is about to be moved: this runner, as did the earlier
	// ones of the move, who are kept out when it begins.
	holder uint64
	chosen *chosen // of a move of chosen messages, once it has begun
	noted  time.Time
}

// lockMovedMs is how long a message is held while it is moved.
const lockMovedMs = 60_000

// run moves until nothing is left, and notes the end.
func (r *moving) run(ctx context.Context) {
	defer r.mover.close()
	for ctx.Err() == nil && r.mine(ctx) {
		switch status, err := r.status(ctx); {
		case err != nil:
			sleep(ctx, time.Second)
			continue
		case status == MoveCancelling:
			r.end(ctx, MoveCancelled, "")
			return
		case status != MoveRunning: // what began it was old news
			return
		}
		over, err := r.some(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !errors.Is(err, errFinal):
			r.s.o.Logger.Warn("a move of messages halts and goes on soon", "queue", r.move.From.Name, "move", r.move.Handle, "err", err)
			r.begun = false
			sleep(ctx, time.Second)
		case err != nil:
			r.end(ctx, MoveFailed, err.Error())
			return
		case over && !r.cancelled():
			r.end(ctx, MoveCompleted, "")
			return
		case time.Since(r.noted) > noteEvery:
			r.note(ctx)
		}
	}
}

// errFinal marks why a move cannot go on.
var errFinal = errors.New("the move cannot go on")

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// status is that of the move; "" when it is forgotten. The first time all that was
// written of it is read before: a node that starts hears of each move again, from
// its beginning on.
func (r *moving) status(ctx context.Context) (string, error) {
	if !r.fresh {
		if _, _, err := r.s.o.Objects.List(ctx, moveRef(r.move.Handle), "", 1); err != nil {
			return "", err
		}
		r.fresh = true
	}
	o, ok := r.s.o.Objects.Peek(moveRef(r.move.Handle))
	if !ok {
		return "", nil
	}
	m, err := moveOf(&o)
	r.version = max(r.version, o.Version)
	return m.Status, err
}

// cancelled tells whether somebody wants the move to end.
func (r *moving) cancelled() bool {
	o, ok := r.s.o.Objects.Peek(moveRef(r.move.Handle))
	if !ok {
		return true
	}
	m, err := moveOf(&o)
	r.version = max(r.version, o.Version)
	return err == nil && m.Status == MoveCancelling
}

// note writes how far the move is, unless it is to end.
func (r *moving) note(ctx context.Context) {
	r.noted = time.Now()
	if r.cancelled() {
		return
	}
	version, err := r.s.putMove(ctx, &r.move, r.version)
	if err == nil {
		r.version = version
	}
}

// end writes how the move ended, whatever was written meanwhile.
func (r *moving) end(ctx context.Context, status, why string) {
	r.move.Status, r.move.FailureReason = status, why
	for try := 1; try <= updates; try++ {
		version, err := r.s.putMove(ctx, &r.move, r.version)
		if err == nil {
			r.version = version
			return
		}
		o, gone := r.s.o.Objects.Current(ctx, moveRef(r.move.Handle))
		if gone != nil {
			r.s.o.Logger.Warn("the end of a move is not noted; it is tried again", "queue", r.move.From.Name, "move", r.move.Handle, "err", errors.Join(err, gone))
			sleep(ctx, time.Second)
			return
		}
		r.version = o.Version
	}
}

// some moves what one take of each partition gives; over when there was nothing.
func (r *moving) some(ctx context.Context) (over bool, err error) {
	q, err := r.s.open(ctx, r.move.From)
	if errors.Is(err, ErrNotFound) {
		return false, fmt.Errorf("%w: %w", errFinal, err)
	}
	if err != nil {
		return false, err
	}
	if from := r.move.FromID; from != "" && from != q.ID {
		return false, fmt.Errorf("%w: %s was deleted, and made anew, since", errFinal, q.Full())
	}
	if !r.begun || !r.mover.ready() {
		if err := r.begin(ctx, q); err != nil {
			return false, err
		}
	}
	if len(r.move.Where) > 0 {
		return r.choose(ctx, q)
	}
	over = true
	for _, p := range q.parts() {
		most := mostMoved
		if rate := int(r.move.RatePerSecond); rate > 0 {
			most = min(most, max(1, rate/4))
		}
		began := time.Now()
		n, err := r.part(ctx, q, p, most)
		if err != nil {
			return false, err
		}
		if n == 0 {
			continue
		}
		over = false
		if rate := r.move.RatePerSecond; rate > 0 {
			sleep(ctx, time.Duration(n)*time.Second/time.Duration(rate)-time.Since(began))
		}
	}
	return over, nil
}

// part moves some messages of one partition: takes them, writes them and the
// progress in one transaction, acknowledges them.
func (r *moving) part(ctx context.Context, q *opened, p queues.Part, most int) (int, error) {
	l, err := r.s.o.Leases.Take(ctx, p, queues.Want{Max: most, MaxBytes: takeBytes, LockMs: lockMovedMs, Holder: r.holder})
	if err != nil || len(l.Acquired) == 0 {
		return 0, err
	}
	var b batch
	err = eachLeased(&l, func(_ *record.Header, x *record.Record, offset int64, count int16) {
		b.words = append(b.words, accept(l.Epoch, offset, count))
		if x != nil && !r.done[p.Index][offset] { // else no record, or moved before the crash
			r.put(ctx, &b, q, p, offset, x)
		}
	})
	if err != nil {
		b.failed = err
	}
	return len(b.words), r.finish(ctx, q, p, &b)
}

// batch is what one step moves.
type batch struct {
	records []*kgo.Record
	offsets []int64
	words   []share.Word // that acknowledge all that is held
	failed  error        // why it cannot be moved
}

// put adds a message to a batch.
func (r *moving) put(ctx context.Context, b *batch, q *opened, p queues.Part, offset int64, x *record.Record) {
	to, err := r.target(ctx, x)
	if err != nil {
		b.failed = err
		return
	}
	out := moved(to, q, p, offset, x)
	out.Timestamp = r.s.o.Now()
	if size, most := batchOf(out, r.s.most(to)), r.s.most(to); size > most {
		b.failed = fmt.Errorf("%w: %w: %s becomes a record of %d bytes, and the topic %s takes %d: let it take more (max.message.bytes), or leave the message out",
			errFinal, ErrTooLarge, letter.NameOf(q.Topic, p.Index, offset), size, to, most)
		return
	}
	b.records = append(b.records, out)
	b.offsets = append(b.offsets, offset)
}

// batchOf is how many bytes a record has as a batch by itself, as clients count them;
// what is surely not above most is not counted out.
func batchOf(r *kgo.Record, most int) int {
	if rough := roughSize(r) + record.HeaderSize + batchSlack; rough <= most {
		return rough
	}
	b := record.NewBuilder()
	var headers []record.RecordHeader
	for _, h := range r.Headers {
		headers = append(headers, record.RecordHeader(h))
	}
	b.Add(0, r.Key, r.Value, headers...)
	return b.Size() + batchSlack
}

// batchSlack is more than clients count beside the batch itself.
const batchSlack = 64

// finishWithin bounds a step that a node which stops makes to its end.
const finishWithin = 10 * time.Second

// finish writes a batch with the progress, and acknowledges what it is of; or it
// gives that back. A step that was begun is ended although the node stops: nothing
// stays held.
func (r *moving) finish(ctx context.Context, q *opened, p queues.Part, b *batch) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer cancel()
	if b.failed == nil && len(b.records) > 0 {
		err := r.mover.step(ctx, source{q.Topic, q.topic.ID, p.Index, q.topic.ID.String()}, b.offsets, b.records)
		switch {
		case hopeless(err):
			b.failed = fmt.Errorf("%w: %w", errFinal, err)
		case err != nil:
			return err // who begins next knows whether it counts, and what is held
		}
	}
	if b.failed != nil { // nothing was written
		for i := range b.words {
			b.words[i].Type, b.words[i].Holder = share.Return, r.holder
		}
		for _, err := range r.s.redeem(ctx, p, b.words) {
			if err != nil {
				r.s.o.Logger.Debug("messages that could not be moved stay held for a while", "queue", q.Name, "err", err)
			}
		}
		return b.failed
	}
	for _, err := range r.s.redeem(ctx, p, b.words) {
		if err != nil {
			return fmt.Errorf("acknowledge what was moved: %w", err)
		}
	}
	delete(r.done, p.Index)
	r.move.Moved += int64(len(b.records))
	r.s.counts.moved.Of(q.Name).Add(len(b.records))
	return nil
}

// hopeless tells of a refusal of records that stays one: their transaction is never
// committed.
func hopeless(err error) bool {
	return errors.Is(err, kerr.InvalidRecord) || errors.Is(err, kerr.InvalidTopicException) || errors.Is(err, kerr.InvalidTimestamp)
}

// target is the topic that a message goes to.
func (r *moving) target(ctx context.Context, x *record.Record) (string, error) {
	if r.move.To != nil {
		to, err := r.s.Get(ctx, *r.move.To)
		if errors.Is(err, ErrNotFound) {
			return "", fmt.Errorf("%w: %w", errFinal, err)
		}
		if err != nil {
			return "", err
		}
		if r.s.follow(ctx, &to); r.s.o.Image().TopicByName(to.Topic) == nil {
			return "", fmt.Errorf("%w: the topic %s of %s is not there any more", errFinal, to.Topic, to.Full())
		}
		return to.Topic, nil
	}
	rule, target := "", ""
	for i := range x.Headers {
		switch x.Headers[i].Key {
		case deadRule:
			rule = string(x.Headers[i].Value)
		case deadTarget:
			target = string(x.Headers[i].Value)
		}
		if x.Headers[i].Key != deadTopic {
			continue
		}
		topic := string(x.Headers[i].Value)
		if strings.HasPrefix(topic, ownPrefix) { // a Kafka producer may write any header
			return "", fmt.Errorf("%w: a message says that it came from %q, which is the cluster's own", errFinal, topic)
		}
		if r.s.o.Image().TopicByName(topic) == nil {
			return "", fmt.Errorf("%w: the topic %s, which a message came from, is not there any more", errFinal, topic)
		}
		return topic, nil
	}
	if rule != "" { // put on the bus again, it would go to all its other targets too
		return "", fmt.Errorf("%w: a message is an event that %s could not give to %s: events do not go back by themselves; name a queue to move to", errFinal, rule, target)
	}
	return "", fmt.Errorf("%w: a message is no dead letter: nothing says where it came from; name a queue to move to", errFinal)
}

// Attributes of dead letters of rules and subscriptions, by EventBridge's names.
const (
	deadRule   = "RULE_ARN"
	deadTarget = "TARGET_ARN"
)

// moved is the record that a message becomes: with its id, and without what was
// said of it as a dead letter. It counts as sent now.
func moved(topic string, q *opened, p queues.Part, offset int64, x *record.Record) *kgo.Record {
	out := &kgo.Record{Topic: topic, Partition: place.Anywhere, Key: clone(x.Key), Value: clone(x.Value)}
	id := ""
	for i := range x.Headers {
		h := &x.Headers[i]
		switch {
		case h.Key == queues.HeaderID:
			id = string(h.Value)
		case h.Key == queues.HeaderSent, h.Key == queues.HeaderDedup, strings.HasPrefix(h.Key, deadPrefix):
		default:
			out.Headers = append(out.Headers, kgo.RecordHeader{Key: h.Key, Value: clone(h.Value)})
		}
	}
	if id == "" {
		id = queues.MessageID(q.topic.ID, p.Index, offset)
	}
	out.Headers = append(out.Headers, kgo.RecordHeader{Key: queues.HeaderID, Value: []byte(id)},
		kgo.RecordHeader{Key: headerMoved, Value: strconv.AppendInt(append([]byte(q.Topic+"-"), strconv.Itoa(int(p.Index))+"@"...), offset, 10)})
	return out
}

// headerMoved tells where a message lay before it was moved: TOPIC-PARTITION@OFFSET.
const headerMoved = queues.HeaderPrefix + "moved-from"

func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}
