package fake

import (
	"context"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/letter"
	"ottla/internal/event/queue"
)

// lying are the messages of a queue as they lie there: all in partition 0, at
// offsets in the order in which they stand.
func (f *Queues) lying(h *held) []queue.Lying {
	var out []queue.Lying
	for i, m := range h.messages {
		r := &kgo.Record{Topic: h.Topic, Offset: int64(i), Timestamp: m.sent, Value: m.Body}
		if m.Group != "" {
			r.Key = []byte(m.Group)
		}
		if m.source != "" {
			for name, text := range map[string]string{"topic": m.source, "message": "it was taken too often", "delivery.count": "3"} {
				r.Headers = append(r.Headers, kgo.RecordHeader{Key: letter.Prefix + name, Value: []byte(text)})
			}
		}
		l := queue.Lying{Letter: letter.Read(r), Taken: m.count, Condition: queue.Free}
		l.ID, l.SentMs = m.id, m.sent.UnixMilli()
		if m.free.After(f.now) {
			l.Condition, l.UntilMs = queue.Out, m.free.UnixMilli()
		}
		out = append(out, l)
	}
	return out
}

// Browse lists messages.
func (f *Queues) Browse(_ context.Context, ref queue.Ref, o queue.BrowseOptions) ([]queue.Lying, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.find(ref)
	if err != nil {
		return nil, "", err
	}
	filter, err := letter.Parse(o.Where)
	if err != nil {
		return nil, "", queue.ErrInvalid
	}
	first, _ := strconv.ParseInt(o.After, 10, 64) // "" is 0
	var out []queue.Lying
	for _, l := range f.lying(h) {
		if l.Offset < first || !filter.Takes(l.Letter, f.now) {
			continue
		}
		if out = append(out, l); len(out) == o.Max {
			return out, strconv.FormatInt(l.Offset+1, 10), nil
		}
	}
	return out, "", nil
}

// Revise moves one message with another body to the queue that is named.
func (f *Queues) Revise(_ context.Context, ref queue.Ref, v queue.Revision) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.find(ref)
	if err != nil {
		return "", err
	}
	if v.Partition != 0 || v.Offset >= int64(len(h.messages)) || h.messages[v.Offset].free.After(f.now) {
		return "", queue.ErrStale
	}
	m := h.messages[v.Offset]
	to := f.destination(&queue.Move{To: v.To}, m)
	if to == nil {
		return "", queue.ErrInvalid
	}
	h.messages = append(h.messages[:v.Offset:v.Offset], h.messages[v.Offset+1:]...)
	m.Body, m.count, m.source = v.Body, 0, ""
	to.messages = append(to.messages, m)
	return letter.NameOf(to.Topic, 0, int64(len(to.messages)-1)), nil
}

// Explain tells what holds messages.
func (f *Queues) Explain(ctx context.Context, ref queue.Ref) (queue.Standing, error) {
	s, err := f.Stats(ctx, ref)
	if err != nil {
		return queue.Standing{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.find(ref)
	if err != nil {
		return queue.Standing{}, err
	}
	p := queue.PartStanding{Leader: 1, Locked: s.InFlight, Most: 120_000, NowMs: f.now.UnixMilli()}
	out := queue.Standing{Stats: s}
	for _, l := range f.lying(h) {
		out.MostTaken = max(out.MostTaken, l.Taken)
		if l.Condition != queue.Free {
			p.Holds = append(p.Holds, queue.Hold{First: l.Offset, Last: l.Offset, Condition: l.Condition, Taken: l.Taken, UntilMs: l.UntilMs, Behind: -1, Group: string(l.Key)})
		}
	}
	out.Parts = []queue.PartStanding{p}
	return out, nil
}

// StartChosen is StartMove; what is chosen is all.
func (f *Queues) StartChosen(ctx context.Context, from queue.Ref, to *queue.Ref, ratePerSecond int32, where []string) (queue.Move, error) {
	m, err := f.StartMove(ctx, from, to, ratePerSecond)
	if err != nil {
		return m, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	at := len(f.moves) - 1
	f.moves[at].Where = where
	return f.moves[at], nil
}
