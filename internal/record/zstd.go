package record

import (
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

const (
	zstdGuess     = 8       // how many times smaller we expect records to be
	zstdMaxWindow = 1 << 27 // what libzstd reads unless told otherwise
	zstdKeep      = 2 << 20 // a stream with a larger window is not kept
)

// zstdReader opens frames: small contents in one piece, which is fastest and
// needs no window, large ones as a stream with a bounded window. Both decoders
// work in the caller's goroutine.
type zstdReader struct {
	pending bool // nothing was opened yet
	header  zstd.Header
	window  uint64        // what a stream of the first frame must hold
	whole   *zstd.Decoder // stays with the opener
	stream  *zstd.Decoder // not nil while streaming
}

func (r *zstdReader) open(o *opener) error {
	r.pending = true
	r.header = zstd.Header{}
	if len(o.src) == 0 {
		return garbage(Zstd, io.ErrUnexpectedEOF)
	}
	if err := r.header.Decode(o.src); err != nil {
		return garbage(Zstd, err)
	}
	r.window = r.header.WindowSize
	if r.header.SingleSegment {
		r.window = r.header.FrameContentSize
	}
	if r.known() && r.header.FrameContentSize > uint64(o.limit) {
		return tooMuch(o.limit)
	}
	return nil
}

func (r *zstdReader) close() {
	if d := r.stream; d != nil {
		r.stream = nil
		if r.window <= zstdKeep && d.Reset(nil) == nil {
			select {
			case zstdStreams <- d:
			default:
			}
		}
	}
	r.pending = false
}

func (r *zstdReader) next(o *opener, dst []byte) ([]byte, error) {
	if r.stream != nil {
		return r.readStream(o, dst)
	}
	if !r.pending {
		return dst, io.EOF
	}
	r.pending = false
	first, last := r.wholeSizes(len(o.src))
	for size := first; size <= last; size *= 4 {
		out, err := r.openWhole(o, dst, size)
		if !errors.Is(err, zstd.ErrDecoderSizeExceeded) {
			if err != nil {
				return dst, garbage(Zstd, err)
			}
			return out, nil
		}
		if int64(size) > o.limit {
			return dst, tooMuch(o.limit)
		}
	}
	if r.window > windowSize {
		return dst, invalid("the zstd-compressed records need a window of %d bytes; above %d bytes of records it may have %d",
			r.window, wholeBytes, windowSize)
	}
	return r.openStream(o, dst)
}

// wholeSizes tells which sizes of output to try in one piece before streaming.
// What the frame says of its size is believed, for memory is taken for no more
// than keepBytes on its word. A window that no stream may have leaves only the
// other way.
func (r *zstdReader) wholeSizes(compressed int) (first, last int) {
	guess := max(chunkBytes, zstdGuess*compressed)
	if r.known() {
		guess = int(min(max(r.header.FrameContentSize, 1), wholeBytes+1))
	}
	switch {
	case r.window > windowSize && r.known():
		return guess, wholeBytes
	case r.window > windowSize:
		return keepBytes, wholeBytes
	case guess <= keepBytes:
		return guess, guess
	default:
		return 1, 0
	}
}

// known tells whether the first frame says how much it opens to.
func (r *zstdReader) known() bool { return r.header.HasFCS && !r.header.Skippable }

// openWhole opens everything onto dst, if that takes at most about size bytes.
func (r *zstdReader) openWhole(o *opener, dst []byte, size int) ([]byte, error) {
	if r.whole == nil {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(zstdMaxWindow), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			return nil, err
		}
		r.whole = d
	}
	return r.whole.DecodeAll(o.src, o.room(dst, size))
}

func (r *zstdReader) openStream(o *opener, dst []byte) ([]byte, error) {
	o.takeSlot()
	select {
	case r.stream = <-zstdStreams:
	default:
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(windowSize), zstd.WithDecoderMaxMemory(windowSize))
		if err != nil {
			return dst, garbage(Zstd, err)
		}
		r.stream = d
	}
	o.in.Reset(o.src)
	if err := r.stream.Reset(&o.in); err != nil {
		return dst, garbage(Zstd, err)
	}
	return r.readStream(o, dst)
}

func (r *zstdReader) readStream(o *opener, dst []byte) ([]byte, error) {
	return o.readChunk(r.stream, dst)
}
