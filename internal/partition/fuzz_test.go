package partition

import (
	"bytes"
	"testing"

	"ottla/internal/record"
	"ottla/internal/wire"
)

// FuzzAppend throws bytes at a partition, as a client and as our own. Whatever
// is taken can be read back as one sound batch, and again after a restart;
// whatever is refused has a Kafka code and leaves no trace.
func FuzzAppend(f *testing.F) {
	f.Add(batch(3, 20, "x"), false)
	f.Add(batch(1, 20, "x", from(5, 1, 7)), false)
	f.Add(batch(2, 20, "x", func(b *record.Builder) { b.Codec = record.LZ4 }), false)
	f.Add(batch(1, 20, "x", from(5, 1, 7), transactional), true)
	f.Add(marker(5, 1, false), true)
	f.Add(batch(1, 0, "")[:record.HeaderSize], true)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, b []byte, internal bool) {
		r := memRig(t, func(c *Config) { c.Rules.MaxDecompressed, c.Log.MaxDecompressed = 1<<20, 1<<20 })
		a := AppendArgs{Acks: -1, AllowZstd: true, Internal: internal}
		b = bytes.Clone(b)
		if h, err := record.ParseHeader(b); err == nil && h.Size() == len(b) {
			record.SetTimestamps(b, h.MaxTimestamp, false) // a right checksum, to get further
		}
		var got Appended
		if err := r.p.Append(b, &a, &got); err != nil {
			if c := wire.CodeOf(err); c == wire.UnknownServerError || c == wire.KafkaStorageError {
				t.Errorf("refused with %v", err)
			}
			if o := r.p.Offsets(); o.LogEnd != 0 {
				t.Errorf("a refused batch left %+v", o)
			}
			return
		}
		for range 2 {
			r.round()
			_, stored := r.get(at(0))
			hs := split(t, stored)
			if len(hs) != 1 || hs[0].Size() != len(stored) || hs[0].NextOffset() != got.End {
				t.Fatalf("stored %+v in %d bytes, answered %+v", hs, len(stored), got)
			}
			r.restart()
		}
	})
}
