package fake

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ottla/internal/event/queue"
)

const dedupWindow = 5 * time.Minute

// Send appends messages.
func (f *Queues) Send(_ context.Context, ref queue.Ref, messages []queue.Message) ([]queue.Sent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.find(ref)
	if err != nil {
		return nil, err
	}
	out := make([]queue.Sent, len(messages))
	for i, m := range messages {
		if len(m.Body) > int(h.MaxMessageBytes) {
			out[i].Err = fmt.Errorf("%d bytes: %w", len(m.Body), queue.ErrTooLarge)
			continue
		}
		out[i] = f.send(h, m)
	}
	return out, nil
}

func (f *Queues) send(h *held, m queue.Message) queue.Sent {
	if h.FIFO && m.DedupID == "" {
		m.DedupID = fmt.Sprintf("%x", sha256.Sum256(m.Body))
	}
	seen := m.DedupID + " at " + strconv.FormatInt(f.now.UnixNano()/int64(dedupWindow), 10)
	if old, ok := h.seen[seen]; ok && h.FIFO {
		return old
	}
	if m.DelayMs < 0 {
		m.DelayMs = h.DelayMs
	}
	f.lastID++
	one := &message{Message: m, id: fmt.Sprintf("00000000-0000-4000-8000-%012d", f.lastID), sent: f.now, free: f.now.Add(time.Duration(m.DelayMs) * time.Millisecond)}
	if h.FIFO {
		one.sequence = fmt.Sprintf("%020d", f.lastID)
	}
	h.messages = append(h.messages, one)
	s := queue.Sent{ID: one.id, Sequence: one.sequence}
	h.seen[seen] = s
	return s
}

// Take leases messages.
func (f *Queues) Take(ctx context.Context, ref queue.Ref, o queue.TakeOptions) ([]queue.Taken, error) {
	out, wait, err := f.take(ref, o)
	if err != nil || len(out) > 0 || wait == 0 || f.Empty == nil {
		return out, err
	}
	f.Empty(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	out, _, err = f.take(ref, o)
	return out, err
}

func (f *Queues) take(ref queue.Ref, o queue.TakeOptions) (out []queue.Taken, wait int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.find(ref)
	if err != nil {
		return nil, 0, err
	}
	if wait = o.WaitMs; wait < 0 {
		wait = h.WaitMs
	}
	held := o.VisibilityMs
	if held < 0 {
		held = h.VisibilityMs
	}
	busy := map[string]bool{}
	for _, m := range slices.Clone(h.messages) {
		if h.FIFO && busy[m.Group] {
			continue
		}
		if m.free.After(f.now) {
			busy[m.Group] = true
			continue
		}
		if len(out) == max(o.Max, 1) {
			break
		}
		if d := h.DeadLetter; d != nil && m.count >= d.MaxReceives {
			f.bury(h, m)
			continue
		}
		m.count++
		m.free = f.now.Add(time.Duration(held) * time.Millisecond)
		if m.first.IsZero() {
			m.first = f.now
		}
		out = append(out, queue.Taken{
			Message: m.Message, ID: m.id, Receipt: m.receipt(), SentMs: m.sent.UnixMilli(), FirstTakenMs: m.first.UnixMilli(),
			Count: m.count, Sequence: m.sequence, DeadLetterSource: m.source,
		})
	}
	return out, wait, nil
}

func (m *message) receipt() string { return m.id + "/" + strconv.Itoa(int(m.count)) }

// bury moves a message to its queue's dead letters.
func (f *Queues) bury(h *held, m *message) {
	h.messages = slices.DeleteFunc(h.messages, func(o *message) bool { return o == m })
	if h.DeadLetter == nil {
		return
	}
	if to := f.queues[key(h.DeadLetter.Queue)]; to != nil {
		m.source, m.count, m.free = h.ARN(), 0, f.now
		to.messages = append(to.messages, m)
	}
}

// settle finds the message of each receipt and does something with it.
func (f *Queues) settle(ref queue.Ref, receipts []string, do func(i int, h *held, m *message)) []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	errs := make([]error, len(receipts))
	h, err := f.find(ref)
	for i, r := range receipts {
		if err != nil {
			errs[i] = err
			continue
		}
		id, count, ok := strings.Cut(r, "/")
		if _, bad := strconv.Atoi(count); !ok || bad != nil {
			errs[i] = fmt.Errorf("receipt %.20q: %w", r, queue.ErrReceipt)
			continue
		}
		at := slices.IndexFunc(h.messages, func(m *message) bool { return m.id == id && m.receipt() == r })
		if at < 0 || !h.messages[at].free.After(f.now) {
			errs[i] = queue.ErrStale
			continue
		}
		do(i, h, h.messages[at])
	}
	return errs
}

// Ack is done with messages.
func (f *Queues) Ack(_ context.Context, ref queue.Ref, receipts []string) []error {
	return f.settle(ref, receipts, func(_ int, h *held, m *message) {
		h.messages = slices.DeleteFunc(h.messages, func(o *message) bool { return o == m })
	})
}

// Nack gives messages back.
func (f *Queues) Nack(_ context.Context, ref queue.Ref, nacks []queue.Nack) []error {
	receipts := make([]string, len(nacks))
	for i, n := range nacks {
		receipts[i] = n.Receipt
	}
	return f.settle(ref, receipts, func(i int, _ *held, m *message) {
		m.free = f.now.Add(time.Duration(max(nacks[i].DelayMs, 0)) * time.Millisecond)
	})
}

// Extend holds messages longer.
func (f *Queues) Extend(_ context.Context, ref queue.Ref, extensions []queue.Extension) []error {
	receipts := make([]string, len(extensions))
	for i, x := range extensions {
		receipts[i] = x.Receipt
	}
	return f.settle(ref, receipts, func(i int, _ *held, m *message) {
		m.free = f.now.Add(time.Duration(extensions[i].ForMs) * time.Millisecond)
	})
}

// Reject gives messages to the dead letters.
func (f *Queues) Reject(_ context.Context, ref queue.Ref, receipts []string) []error {
	return f.settle(ref, receipts, func(_ int, h *held, m *message) { f.bury(h, m) })
}

// ErrSome is an error that no door knows.
var ErrSome = errors.New("some disk is on fire")
