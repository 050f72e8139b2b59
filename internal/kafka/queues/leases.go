package queues

import (
	"context"

	"ottla/internal/kafka/shares/lead"
	"ottla/internal/metadata"
	"ottla/internal/outbox"
	"ottla/internal/share"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Options make Leases.
type Options struct {
	NodeID     int32
	Image      func() *metadata.Image
	Partitions lead.Partitions
	// Lead are the share-partitions of this node.
	Lead func() *lead.Manager
	// Reset makes a share-partition's state anew, from an offset on.
	Reset func(ctx context.Context, key store.Key, start int64) error
	Peers outbox.Peers // nil: there are no other nodes
	// Trusted tells whether no other node can have taken this one's place yet, and
	// Mute whether this one is cut off from the others for all that it knows. Nil: none
	// ever does, and it never is.
	Trusted, Mute func() bool
}

// Leases are those of all nodes. Its methods may be called from any goroutine.
type Leases struct{ o Options }

// New makes Leases.
func New(o Options) *Leases { return &Leases{o} }

// Part names a share-partition of a queue.
type Part struct {
	Group string
	Topic uuid.UUID
	Index int32
}

func (p Part) key() store.Key { return store.Key{Group: p.Group, TopicID: p.Topic, Partition: p.Index} }

// Want is what somebody wants to take.
type Want struct {
	Max      int   // records
	MaxBytes int   // of batches; one comes whole however large
	LockMs   int64 // how long they are held
	// Holder names who takes, so that he knows his own when he has forgotten them
	// (Contents); 0 names nobody.
	Holder uint64
}

// Lease is what was taken: nothing when Acquired is empty.
type Lease struct {
	// Epoch is the state's: receipts have it.
	Epoch int32
	// Batches hold the records, and others; Acquired says which offsets are
	// leased. An offset without a record is one that compaction took.
	Batches  []byte
	Acquired []share.Range
}

// Count is how many offsets are leased.
func (l *Lease) Count() int {
	n := 0
	for _, r := range l.Acquired {
		n += int(r.Last - r.First + 1)
	}
	return n
}

// leader is the node that leads a part's partition.
func (l *Leases) leader(p Part) (int32, error) {
	t := l.o.Image().TopicByID(p.Topic)
	if t == nil || p.Index < 0 || int(p.Index) >= len(t.Partitions) {
		return -1, wire.Errorf(wire.UnknownTopicOrPartition, "partition %d of the topic with id %s is not there", p.Index, p.Topic)
	}
	node := t.Partitions[p.Index].Leader
	if node < 0 {
		return -1, wire.Errorf(wire.LeaderNotAvailable, "%s-%d has no leader at the moment", t.Name, p.Index)
	}
	return node, nil
}

// Near tells whether this node leads a part's partition.
func (l *Leases) Near(p Part) bool {
	node, err := l.leader(p)
	return err == nil && l.here(node)
}

func (l *Leases) here(node int32) bool { return node == l.o.NodeID || l.o.Peers == nil }

// Take leases records that are free; it does not wait for any. When ctx ends while
// another node is at it, what that node gave is awaited for a moment more: the caller
// has it then, and may give it back.
func (l *Leases) Take(ctx context.Context, p Part, w Want) (Lease, error) {
	if err := ctx.Err(); err != nil {
		return Lease{}, err
	}
	node, err := l.leader(p)
	if err != nil {
		return Lease{}, err
	}
	if l.here(node) {
		return l.takeHere(ctx, p, w)
	}
	return l.takeThere(ctx, node, p, w)
}

// Redeem carries out what is said by receipts, with an error or nil for each
// word, as lead.Part.Redeem has them.
func (l *Leases) Redeem(ctx context.Context, p Part, words []share.Word) []error {
	node, err := l.leader(p)
	switch {
	case err != nil:
		return all(len(words), err)
	case l.here(node):
		return l.redeemHere(ctx, p, words)
	}
	return l.redeemThere(ctx, node, p, words)
}

// Survey counts what a part has.
func (l *Leases) Survey(ctx context.Context, p Part) (lead.Survey, error) {
	node, err := l.leader(p)
	if err != nil {
		return lead.Survey{}, err
	}
	if l.here(node) {
		return l.surveyHere(ctx, p)
	}
	return l.surveyThere(ctx, node, p)
}

// Contents lists what a part has that is not done, from an offset on, in at most
// so many runs.
func (l *Leases) Contents(ctx context.Context, p Part, from int64, most int) (lead.Contents, error) {
	node, err := l.leader(p)
	if err != nil {
		return lead.Contents{}, err
	}
	if l.here(node) {
		return l.contentsHere(ctx, p, from, most)
	}
	return l.contentsThere(ctx, node, p, from, most)
}

// Held are records that were leased by their offsets.
type Held struct {
	Epoch    int32 // the state's: receipts have it
	Acquired []share.Range
}

// Hold leases the records at offsets that are free: the caller knows that members
// see records there, and reads them himself. Of w LockMs and Holder count.
func (l *Leases) Hold(ctx context.Context, p Part, offsets []int64, w Want) (Held, error) {
	node, err := l.leader(p)
	if err != nil {
		return Held{}, err
	}
	if l.here(node) {
		return l.holdHere(ctx, p, offsets, w)
	}
	return l.holdThere(ctx, node, p, offsets, w)
}

// Reset has a part begin at the end of its log, with nothing of what was: all
// receipts are void.
func (l *Leases) Reset(ctx context.Context, p Part) error { return l.reset(ctx, p, false) }

// Forget has a part begin where a group without a state begins, with nothing of
// what was.
func (l *Leases) Forget(ctx context.Context, p Part) error { return l.reset(ctx, p, true) }

func (l *Leases) reset(ctx context.Context, p Part, forget bool) error {
	node, err := l.leader(p)
	if err != nil {
		return err
	}
	if l.here(node) {
		return l.resetHere(ctx, p, forget)
	}
	return l.resetThere(ctx, node, p, forget)
}

func all(n int, err error) []error {
	out := make([]error, n)
	for i := range out {
		out[i] = err
	}
	return out
}
