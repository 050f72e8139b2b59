package cluster

import (
	"bytes"
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
	want := w.bytesOf(t, x.Index, x.Replicas[0])
	if len(want.batches) == 0 {
		return
	}
	victim := want.batches[w.chaos.IntN(len(want.batches))]
	for _, id := range x.Replicas {
		w.damage(w.node(id), mainTopic, x.Index, victim.bytes)
	}
	w.hit("all copies damaged")
	w.note("%s-%d: offset %d is damaged on %v", t.Name, x.Index, victim.base, x.Replicas)
	w.ruined = true
	for range 3 {
		for _, id := range x.Replicas {
			w.readRuined(w.node(id).p, t, x, &want, victim.base)
		}
		w.run(3 * time.Second) // mending is tried, and must change nothing
	}
}

// damage flips a bit of a batch on a node's disk.
func (w *World) damage(n *node, topic string, index int32, batch []byte) {
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
			return
		}
	}
	w.fail("%v has no batch of %d bytes in %s-%d", n, len(batch), topic, index)
}

// readRuined reads a replica whole: all but one batch is what it was, and that one is
// refused, at times with the one behind it.
func (w *World) readRuined(p *process, t *metadata.Topic, x *metadata.Partition, want *content, ruined int64) {
	if p == nil {
		w.fail("a node has ended of a damaged batch")
	}
	for i := 0; i < len(want.batches); {
		b := want.batches[i]
		var got []byte
		part, code := p.broker.AnyByID(t.ID, x.Index)
		if code == wire.None {
			got, code = readAnyone(part, b.base, 2000)
		}
		if b.base == ruined {
			if code != wire.CorruptMessage {
				w.fail("%v: %s-%d answers %s with %d bytes for offset %d, which is damaged everywhere", p.n, t.Name, x.Index, code.Name(), len(got), ruined)
			}
			w.hit("damage of all copies said")
			i++
			continue
		}
		if code == wire.CorruptMessage && i > 0 && want.batches[i-1].base == ruined {
			w.hit("damage hides the next batch") // the flipped bit is one of its length
			i++
			continue
		}
		if code != wire.None || len(got) < len(b.bytes) {
			w.fail("%v: %s-%d answers %s with %d bytes for offset %d, which is well; damaged is offset %d", p.n, t.Name, x.Index, code.Name(), len(got), b.base, ruined)
		}
		for ; i < len(want.batches) && len(got) > 0; i++ {
			_, batch, rest, err := record.Next(got)
			if err == record.ErrShort {
				break
			}
			if err != nil || !bytes.Equal(batch, want.batches[i].bytes) {
				w.fail("%v: %s-%d serves another batch at offset %d: %v", p.n, t.Name, x.Index, want.batches[i].base, err)
			}
			got = rest
		}
	}
}
