package walk

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"ottla/internal/record"
)

const (
	bufSize = 64 << 10
	// sparse is how much is read for one header when batches are larger
	// than smallBatch: the bytes between headers are not wanted then.
	sparse     = 512
	smallBatch = 8 << 10
	// keepBuf is the largest buffer that goes back to the pool.
	keepBuf = 1 << 20
)

// Bad says that no valid batch begins where one should.
type Bad struct {
	Byte   int64
	Reason string
}

// Error tells the byte and what is wrong there.
func (b *Bad) Error() string { return fmt.Sprintf("byte %d: %s", b.Byte, b.Reason) }

// Reader walks the batches in the bytes [Pos, Limit) of a file.
type Reader struct {
	src        io.ReaderAt
	pos, limit int64
	buf        []byte // holds the file's bytes [bufAt, bufAt+bufLen)
	bufAt      int64
	bufLen     int
	ahead      int // how much to read for a header
}

var pool = sync.Pool{New: func() any { return &Reader{buf: make([]byte, bufSize)} }}

// Get takes a Reader for the bytes [pos, limit) of src; pos is a batch
// boundary. Put gives it back.
func Get(src io.ReaderAt, pos, limit int64) *Reader {
	r := pool.Get().(*Reader)
	r.src, r.pos, r.limit = src, pos, limit
	r.bufAt, r.bufLen, r.ahead = 0, 0, sparse
	return r
}

// Put gives the Reader back. Slices that Batch returned die with it.
func (r *Reader) Put() {
	r.src = nil
	if len(r.buf) <= keepBuf {
		pool.Put(r)
	}
}

// Pos is where the next batch begins.
func (r *Reader) Pos() int64 { return r.pos }

// Move goes to another batch boundary.
func (r *Reader) Move(pos int64) { r.pos = pos }

// Header reads the header of the batch at Pos without moving. io.EOF means
// that Pos is the limit; *Bad that these bytes begin no batch that fits below
// the limit; anything else that the disk failed.
func (r *Reader) Header(h *record.Header) error {
	left := r.limit - r.pos
	if left <= 0 {
		return io.EOF
	}
	if left < record.HeaderSize {
		return &Bad{r.pos, fmt.Sprintf("%d bytes are left, less than a batch header", left)}
	}
	b, err := r.bytes(record.HeaderSize, r.ahead)
	if err != nil {
		return err
	}
	if *h, err = record.ParseHeader(b); err != nil {
		return &Bad{r.pos, err.Error()}
	}
	switch {
	case h.BaseOffset < 0 || h.LastOffsetDelta < 0 || h.LastOffset() < h.BaseOffset:
		return &Bad{r.pos, fmt.Sprintf("base offset %d with last offset delta %d", h.BaseOffset, h.LastOffsetDelta)}
	case int64(h.Size()) > left:
		return &Bad{r.pos, fmt.Sprintf("a batch of %d bytes where %d are left", h.Size(), left)}
	}
	if h.Size() <= smallBatch {
		r.ahead = bufSize
	} else {
		r.ahead = sparse
	}
	return nil
}

// Skip moves past the batch that h heads.
func (r *Reader) Skip(h *record.Header) { r.pos += int64(h.Size()) }

// Batch returns all bytes of the batch that h heads; valid until the next
// call. Its size was checked against the limit by Header.
func (r *Reader) Batch(h *record.Header) ([]byte, error) { return r.bytes(h.Size(), bufSize) }

// bytes returns n bytes from pos on, reading want bytes if it has to read.
func (r *Reader) bytes(n, want int) ([]byte, error) {
	if i := r.pos - r.bufAt; i >= 0 && i+int64(n) <= int64(r.bufLen) {
		return r.buf[i : i+int64(n)], nil
	}
	want = int(min(int64(max(n, want)), r.limit-r.pos))
	have := 0 // bytes from pos on that are there already
	if i := r.pos - r.bufAt; i >= 0 && i < int64(r.bufLen) {
		have = copy(r.buf, r.buf[i:r.bufLen])
	}
	if want > len(r.buf) {
		r.buf = append(make([]byte, 0, want), r.buf[:have]...)[:want]
	}
	got, err := r.src.ReadAt(r.buf[have:max(want, have)], r.pos+int64(have))
	got += have
	r.bufAt, r.bufLen = r.pos, got
	if got >= n {
		return r.buf[:n], nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return nil, &Bad{r.pos, fmt.Sprintf("the file ends after %d of %d bytes", got, n)}
	}
	return nil, fmt.Errorf("read at byte %d: %w", r.pos, err)
}
