package api

import (
	"fmt"

	"ottla/internal/kafka/slab"
	"ottla/internal/log"
)

// Out collects what a connection writes next: bytes in Buf and, between them,
// slices of segment files that leave without passing through memory where the
// connection can do that.
type Out struct {
	Buf   []byte
	Parts []Part
	slab  *slab.Slab
	// FileBytes counts the bytes of all Parts.
	FileBytes int
}

// Part is a slice that leaves after Buf[:At]; whoever writes releases it.
type Part struct {
	At    int
	Slice log.Slice
}

// Sizes that decide how a slice leaves. Below copyBelow the system calls of
// sendfile cost more than the copy; maxBuf bounds what one answer of many
// small slices gathers in memory.
const (
	copyBelow = 64 << 10
	maxBuf    = 1 << 20
)

// Begin borrows memory for at least n bytes; Free gives it back.
func (o *Out) Begin(n int) {
	o.slab = slab.Get(n)
	o.Buf = o.slab.B[:0]
}

// Reserve makes room for n more bytes.
func (o *Out) Reserve(n int) {
	if cap(o.Buf)-len(o.Buf) >= n {
		return
	}
	bigger := slab.Get(max(len(o.Buf)+n, 2*cap(o.Buf)))
	b := bigger.B[:copy(bigger.B, o.Buf)]
	slab.Put(o.slab)
	o.slab, o.Buf = bigger, b
}

// Add takes over a slice: small ones are read into Buf and released at once,
// larger ones become a Part. On an error the slice is released and nothing was
// added.
func (o *Out) Add(s log.Slice) error {
	if s.Len >= copyBelow || len(o.Buf)+s.Len > maxBuf {
		o.Parts = append(o.Parts, Part{At: len(o.Buf), Slice: s})
		o.FileBytes += s.Len
		return nil
	}
	o.Reserve(s.Len)
	n := len(o.Buf)
	_, err := s.ReadAt(o.Buf[n:n+s.Len], 0)
	size := s.Len
	s.Release()
	if err != nil {
		return fmt.Errorf("read %d bytes of a segment: %w", size, err)
	}
	o.Buf = o.Buf[:n+size]
	return nil
}

// Reset forgets what was written, releases slices that were not and keeps the
// memory.
func (o *Out) Reset() {
	for i := range o.Parts {
		o.Parts[i].Slice.Release()
		o.Parts[i] = Part{}
	}
	o.Buf, o.Parts, o.FileBytes = o.Buf[:0], o.Parts[:0], 0
}

// Free gives the memory back; the Out is empty then and may Begin again.
func (o *Out) Free() {
	o.Reset()
	slab.Put(o.slab)
	o.slab, o.Buf = nil, nil
}
