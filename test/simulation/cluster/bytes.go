package cluster

import (
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// content is what a replica holds below its high watermark.
type content struct {
	start   int64
	batches []batchAt
}

type batchAt struct {
	base  int64
	bytes []byte
}

// from is everything from an offset on.
func (c *content) from(offset int64) (out []byte) {
	for _, b := range c.batches {
		if b.base >= offset {
			out = append(out, b.bytes...)
		}
	}
	return out
}

// bytesOf reads a replica whole.
func (w *World) bytesOf(t *metadata.Topic, index, id int32) content {
	part, code := w.node(id).p.broker.AnyByID(t.ID, index)
	if code != wire.None {
		w.fail("%s-%d at node %d: %s", t.Name, index, id, code.Name())
	}
	o := part.Offsets()
	c := content{start: o.LogStart}
	for at := o.LogStart; at < o.HighWatermark; {
		a := partition.FetchArgs{Offset: at, MaxBytes: 1 << 20, MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1, Anyone: true}
		var f partition.Fetched
		if err := part.Fetch(&a, &f); err != nil {
			w.fail("%s-%d at node %d cannot be read from offset %d: %v", t.Name, index, id, at, err)
		}
		b := make([]byte, f.Slice.Len)
		if f.Slice.Len == 0 {
			break // compaction left nothing up there
		}
		_, err := f.Slice.ReadAt(b, 0)
		f.Slice.Release()
		if err != nil {
			w.fail("%s-%d at node %d cannot be read at offset %d: %v", t.Name, index, id, at, err)
		}
		for len(b) > 0 {
			h, batch, rest, err := record.Next(b)
			if err != nil {
				break
			}
			c.batches = append(c.batches, batchAt{h.BaseOffset, batch})
			b, at = rest, h.NextOffset()
		}
	}
	return c
}
