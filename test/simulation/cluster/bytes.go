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

// contentOf reads what a fetch found, and gives its file back.
func contentOf(f *partition.Fetched) ([]byte, error) {
	if f.Slice.Len == 0 {
		return nil, nil
	}
	defer f.Slice.Release()
	b := make([]byte, f.Slice.Len)
	_, err := f.Slice.ReadAt(b, 0)
	return b, err
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
		b, err := contentOf(&f)
		if err != nil {
			w.fail("%s-%d at node %d cannot be read at offset %d: %v", t.Name, index, id, at, err)
		}
		if len(b) == 0 {
			break // compaction left nothing up there
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
