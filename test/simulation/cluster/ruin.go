package cluster

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// ruin is the other mode of rot: after all was judged, one batch is damaged on every
// replica. Then nothing can mend it; it must be said to everybody who reads it, be
// served to nobody, and cost nothing else.
func (w *World) ruin() {
	if !w.o.Ruin || w.o.VerifyAge > 0 {
		return // what a running node has just checked it trusts
	}
	t := w.controller().quorum.Image().TopicByName(mainTopic)
	x := t.Partitions[w.chaos.IntN(len(t.Partitions))]
	r := &ruin{t: t, x: x, want: w.bytesOf(t, x.Index, x.Replicas[0]), claims: map[int32]int{}}
	if len(r.want.batches) == 0 {
		return
	}
	r.at = w.chaos.IntN(len(r.want.batches))
	victim := r.want.batches[r.at]
	for _, id := range x.Replicas {
		r.claims[id] = w.damage(w.node(id), mainTopic, x.Index, victim.bytes)
	}
	w.hit("all copies damaged")
	w.note("%s-%d: offset %d is damaged on %v", t.Name, x.Index, victim.base, x.Replicas)
	w.ruined = true
	for range 3 {
		for _, id := range x.Replicas {
			w.readRuined(w.node(id), r)
		}
		w.run(3 * time.Second) // mending is tried, and must change nothing
	}
}

// ruin is a partition with a batch that is damaged on every replica.
type ruin struct {
	t      *metadata.Topic
	x      *metadata.Partition
	want   content
	at     int           // the batch, of those
	claims map[int32]int // by node: how long its header says that it is
}

// hides tells whether a batch behind the damaged one cannot be told from its bytes: its
// length has turned into one that ends where another batch does. What is in between
// could as well be bytes of its records that look like a batch, so it is not served;
// wherever else a length leads, nothing fits there, and all that is well must be.
func (r *ruin) hides(node int32, batch int) bool {
	end := 0
	for i, b := range r.want.batches[r.at:] {
		if end += len(b.bytes); end == r.claims[node] {
			return batch > r.at && batch <= r.at+i
		}
	}
	return false
}

// damage flips a bit of a batch on a node's disk, and tells how long the batch claims to
// be then.
func (w *World) damage(n *node, topic string, index int32, batch []byte) int {
	for _, name := range n.disk.Files() {
		if !strings.HasPrefix(name, fmt.Sprintf("%s/%s-%d/", dataPath, topic, index)) || !strings.HasSuffix(name, ".log") {
			continue
		}
		if at := bytes.Index(must(n.disk.Content(name)), batch); at >= 0 {
			off, err := n.disk.FlipAny(name, int64(at), int64(at+len(batch)))
			if err != nil {
				w.fail("%v: %v", n, err)
			}
			w.note("%v: byte %d of a batch of %d in %s", n, off-int64(at), len(batch), name)
			length := must(n.disk.Content(name))[at+8:] // behind the base offset; counts from behind itself on
			return int(int32(binary.BigEndian.Uint32(length))) + 12
		}
	}
	w.fail("%v has no batch of %d bytes in %s-%d", n, len(batch), topic, index)
	return 0
}

// readRuined reads a replica whole: all but one batch is what it was, and that one is
// refused.
func (w *World) readRuined(n *node, r *ruin) {
	if n.p == nil {
		w.fail("%v has ended of a damaged batch", n)
	}
	place, ruined := fmt.Sprintf("%s-%d", r.t.Name, r.x.Index), r.want.batches[r.at].base
	for i := 0; i < len(r.want.batches); {
		b := r.want.batches[i]
		var got []byte
		part, code := n.p.broker.AnyByID(r.t.ID, r.x.Index)
		if code == wire.None {
			got, code = readAnyone(part, b.base, 2000)
		}
		switch {
		case i == r.at && code != wire.CorruptMessage:
			w.fail("%v: %s answers %s with %d bytes for offset %d, which is damaged everywhere", n, place, code.Name(), len(got), ruined)
		case i == r.at:
			w.hit("damage of all copies said")
			i++
			continue
		case code == wire.CorruptMessage && r.hides(n.id, i):
			w.hit("damage hides what is behind it")
			i++
			continue
		case code != wire.None || len(got) < len(b.bytes):
			w.fail("%v: %s answers %s with %d bytes for offset %d, which is well; damaged is offset %d", n, place, code.Name(), len(got), b.base, ruined)
		}
		for ; i < len(r.want.batches) && len(got) > 0; i++ {
			_, batch, rest, err := record.Next(got)
			if err == record.ErrShort {
				break
			}
			if err != nil || !bytes.Equal(batch, r.want.batches[i].bytes) {
				w.fail("%v: %s serves another batch at offset %d: %v", n, place, r.want.batches[i].base, err)
			}
			got = rest
		}
	}
}
