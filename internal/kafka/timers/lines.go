package timers

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/metric"
	"ottla/internal/timer"
)

// DeliverTo is the setting that makes a topic a delay line.
const DeliverTo = "deliver.to"

// Coordinators are the timers of all nodes, as lines use them: a Family.
type Coordinators interface {
	TakeUp(ctx context.Context, c timer.TakeUp) error
	LineAt(ctx context.Context, line string) (int64, error)
}

// LinesDeps are what Lines need of their node.
type LinesDeps struct {
	NodeID int32
	Image  func() *metadata.Image
	// To tells which topic another one delivers to; empty for none.
	To         func(img *metadata.Image, topic string) string
	Partitions Partitions
	Timers     Coordinators
	// Topic is timer.Options.Topic.
	Topic  func(name string) (timer.Topic, bool)
	Logger *slog.Logger
	// Read counts records of lines, Malformed those whose headers say no time, and
	// GivenUp those that their topic does not take.
	Read, Malformed, GivenUp *metric.Counter
	Pause                    func(ctx context.Context, d time.Duration)
}

// Lines read the delay lines that this node leads. A node without any pays nothing.
type Lines struct {
	d      LinesDeps
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex // guards readers and closed
	topics map[string]*lineTopic
	closed bool
}

// lineTopic is a topic that is a line.
type lineTopic struct {
	to      string
	id      metadata.Topic // name and id
	readers map[int32]*line
}

// NewLines makes Lines that read nothing yet; Close must follow.
func NewLines(d LinesDeps) *Lines {
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Pause == nil {
		d.Pause = pause
	}
	l := &Lines{d: d, topics: map[string]*lineTopic{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// Close ends all readers and waits for them.
func (l *Lines) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	l.wg.Wait()
}

// Follow begins and ends readers as topics, their settings and who leads them
// change. It does not wait.
func (l *Lines) Follow(img *metadata.Image, d *metadata.Delta) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	for _, t := range d.Deleted {
		l.end(t.Name)
	}
	for _, t := range d.Created {
		l.look(img, t.Name)
	}
	for _, c := range d.Configs {
		if c.Type == metadata.ResourceTopic {
			l.look(img, c.Name)
		}
	}
	for _, p := range d.Changed {
		if l.topics[p.Topic.Name] != nil {
			l.look(img, p.Topic.Name)
		}
	}
}

// look brings the readers of one topic to what the image says. mu held.
func (l *Lines) look(img *metadata.Image, name string) {
	t := img.TopicByName(name)
	to := ""
	if t != nil {
		to = l.d.To(img, name)
	}
	if has := l.topics[name]; has != nil && (t == nil || has.to != to || has.id.ID != t.ID) {
		l.end(name)
	}
	if t == nil || to == "" {
		return
	}
	has := l.topics[name]
	if has == nil {
		has = &lineTopic{to: to, id: metadata.Topic{Name: name, ID: t.ID}, readers: map[int32]*line{}}
		l.topics[name] = has
	}
	for _, p := range t.Partitions {
		switch r := has.readers[p.Index]; {
		case p.Leader == l.d.NodeID && r == nil:
			has.readers[p.Index] = l.begin(has, p.Index)
		case p.Leader != l.d.NodeID && r != nil:
			r.cancel()
			delete(has.readers, p.Index)
		}
	}
}

// end ends the readers of a topic. mu held.
func (l *Lines) end(name string) {
	has := l.topics[name]
	if has == nil {
		return
	}
	for _, r := range has.readers {
		r.cancel()
	}
	delete(l.topics, name)
}

// begin starts a reader. mu held.
func (l *Lines) begin(t *lineTopic, index int32) *line {
	r := newLine(&l.d, t.id.Name, t.to, t.id.ID, index)
	ctx, cancel := context.WithCancel(l.ctx)
	r.cancel = cancel
	l.wg.Go(func() { r.run(ctx) })
	return r
}

// Settle waits until all lines that this node leads are read to their ends, and
// tells how far: a sum that rises with every record. An error tells of a line that
// cannot be read, or whose timers cannot be stored.
func (l *Lines) Settle(ctx context.Context) (read int64, err error) {
	for _, r := range l.all() {
		at, err := r.settle(ctx)
		if err != nil {
			return 0, err
		}
		read += at
	}
	return read, nil
}

// all are the readers, in order.
func (l *Lines) all() []*line {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []*line
	for _, name := range slices.Sorted(maps.Keys(l.topics)) {
		t := l.topics[name]
		for _, index := range slices.Sorted(maps.Keys(t.readers)) {
			out = append(out, t.readers[index])
		}
	}
	return out
}
