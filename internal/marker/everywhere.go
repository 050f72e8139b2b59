package marker

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/metadata"
	"ottla/internal/outbox"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// everywhere is Once with partitions that other nodes lead: those nodes are
// asked first, so that they write while this one does.
func (w *Writer) everywhere(ctx context.Context, m *txn.Marker, done func([]wire.Code)) {
	elsewhere := w.shares(m)
	if len(elsewhere) == 0 {
		w.Once(ctx, m, done)
		return
	}
	t := newTry(ctx, len(m.Partitions), done)
	here := make([]bool, len(m.Partitions))
	for i := range here {
		here[i] = true
	}
	for _, s := range elsewhere {
		s.t = t
		for _, i := range s.at {
			here[i] = false
		}
		w.ask(ctx, s)
	}
	var made []byte
	for i, tp := range m.Partitions {
		if !here[i] {
			continue
		}
		if made == nil {
			made = w.made(m)
		}
		w.write(ctx, t, i, tp, m, made)
	}
	t.asked()
}

// share is what one other node has of a marker.
type share struct {
	t    *try
	m    *txn.Marker
	node int32
	at   []int // places in the marker's partitions
}

// shares are those of other nodes, in their order.
func (w *Writer) shares(m *txn.Marker) []*share {
	if w.o.Peers == nil {
		return nil
	}
	img := w.o.Image()
	var out []*share
	for i, tp := range m.Partitions {
		node := w.leader(img, tp)
		if node == w.o.NodeID {
			continue
		}
		k := slices.IndexFunc(out, func(s *share) bool { return s.node == node })
		if k < 0 {
			k = len(out)
			out = append(out, &share{m: m, node: node})
		}
		out[k].at = append(out[k].at, i)
	}
	slices.SortFunc(out, func(a, b *share) int { return int(a.node) - int(b.node) })
	return out
}

// leader is the node that a marker for a partition goes to, -1 when there is
// none at the moment. What is not there, or takes no markers, this node answers
// for.
func (w *Writer) leader(img *metadata.Image, tp txn.TopicPartition) int32 {
	p := w.placed(img, tp)
	if p == nil {
		return w.o.NodeID
	}
	return p.Leader
}

// deleted tells whether a partition that a transaction touched is no more, where a
// node says that there is none: another one may be behind, and a replica that went
// from this one to others is deleted here. The metadata of this node know what is
// there. They may be those before the ones that made it the transaction's
// coordinator, but not when it has no such partition itself: partitions are made and
// deleted first (package broker).
func (w *Writer) deleted(tp txn.TopicPartition) bool { return w.placed(w.o.Image(), tp) == nil }

// placed is a partition as the metadata have it, nil when it is not there or
// takes no markers.
func (w *Writer) placed(img *metadata.Image, tp txn.TopicPartition) *metadata.Partition {
	if metadata.IsInternal(tp.Topic) && tp.Topic != w.o.OffsetsTopic {
		return nil
	}
	t := img.TopicByName(tp.Topic)
	if t == nil || tp.Partition < 0 || int(tp.Partition) >= len(t.Partitions) {
		return nil
	}
	return t.Partitions[tp.Partition]
}

// ask puts a share into the next request to its node.
func (w *Writer) ask(ctx context.Context, s *share) {
	if s.node < 0 {
		s.settle(nil, wire.LeaderNotAvailable)
		return
	}
	w.box.Put(ctx, s.node, s)
}

// settle notes what became of a share; partitions that are not among codes have
// the one for all.
func (s *share) settle(codes map[txn.TopicPartition]wire.Code, all wire.Code) {
	for _, i := range s.at {
		code, ok := codes[s.m.Partitions[i]]
		if !ok {
			code = all
		}
		s.t.settle(i, code)
	}
}

// inTxn tells whether a producer has a transaction open in a partition, of its
// leader, wherever that is. It waits.
func (w *Writer) inTxn(ctx context.Context, tp txn.TopicPartition, producerID int64) (bool, error) {
	node := w.o.NodeID
	if w.o.Peers != nil {
		node = w.leader(w.o.Image(), tp)
	}
	switch {
	case node == w.o.NodeID:
		p, code := w.o.Partitions.ByName([]byte(tp.Topic), tp.Partition)
		switch {
		case code == wire.None:
			return p.InTxn(producerID), nil
		case code == wire.UnknownTopicOrPartition && w.deleted(tp):
			return false, nil
		}
		return false, code
	case node < 0:
		return false, wire.LeaderNotAvailable
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req := kmsg.NewPtrDescribeProducersRequest()
	row := kmsg.NewDescribeProducersRequestTopic()
	row.Topic, row.Partitions = tp.Topic, []int32{tp.Partition}
	req.Topics = append(req.Topics, row)
	resp, err := outbox.Call[*kmsg.DescribeProducersResponse](ctx, w.o.Peers, node, req)
	if err != nil {
		return false, wire.Errorf(outbox.CodeOf(err), "ask node %d for the producers of %s-%d: %w", node, tp.Topic, tp.Partition, err)
	}
	for i := range resp.Topics {
		for _, p := range resp.Topics[i].Partitions {
			if p.ErrorCode != 0 {
				return false, wire.Code(p.ErrorCode)
			}
			for _, a := range p.ActiveProducers {
				if a.ProducerID == producerID {
					return a.CurrentTxnStartOffset >= 0, nil
				}
			}
		}
	}
	return false, nil
}
