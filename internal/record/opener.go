package record

import (
	"bytes"
	"io"
	"runtime"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// MaxDecompressed is the most bytes of records that any batch may open to, and
// what a limit of 0 means: Kafka's default of max.decompressed.message.bytes.
const MaxDecompressed = 1<<31 - 9

// The sizes that bound memory while compressed batches are opened. An opener
// holds about lightBytes and its decoder; the few that hold a slot may take up
// to wholeBytes.
const (
	chunkBytes = 64 << 10 // what one step of a streaming decoder opens
	lightBytes = 256 << 10
	keepBytes  = 1 << 20  // the largest buffer that an idle opener keeps
	spareBytes = 8 << 20  // the largest that is kept at all; a block of lz4 and what snappy holds fit
	wholeBytes = 16 << 20 // the largest block that is opened in one piece
	windowSize = 8 << 20  // how far back a stream may refer (RFC 8878 §3.1.1.1.2)
)

// idle holds openers that wait for their next batch. A channel, because it is
// bounded and needs no lock: one opener a processor is as many as can work.
var idle = make(chan *opener, max(2, runtime.GOMAXPROCS(0)))

// slots bounds how many openers may hold large buffers at once. Opening is
// pure computation, so whoever waits for a slot loses nothing that the
// processors could have given.
var slots = make(chan struct{}, min(max(2, runtime.GOMAXPROCS(0)), 16))

// spare keeps a few large buffers, and zstdStreams a few decoders with a window,
// for the next large batch, whichever opener gets that.
var (
	spare       = make(chan []byte, 2)
	zstdStreams = make(chan *zstd.Decoder, 2)
)

// opener opens the records of one compressed batch piece by piece. It is taken
// from idle by newOpener and given back by close.
type opener struct {
	codec    Codec
	src      []byte // what is not opened yet; borrowed
	limit    int64  // how many bytes may come out
	produced int64
	patient  bool // may wait for a slot
	slot     bool // holds one

	buf    []byte       // lent to whoever reads the pieces
	stream stream       // the usual reader of the pieces
	in     bytes.Reader // src for the streaming decoders
	gzip   *gzip.Reader
	snappy snappyReader
	lz4    lz4Reader
	zstd   zstdReader
}

// newOpener readies an opener for the records src of a batch. With patient it
// waits for a slot when it needs large buffers; that is for callers who do
// nothing else meanwhile, so never where foreign code runs between two pieces.
func newOpener(codec Codec, src []byte, limit int, patient bool) (*opener, error) {
	var o *opener
	select {
	case o = <-idle:
	default:
		o = new(opener)
	}
	if limit <= 0 || limit > MaxDecompressed {
		limit = MaxDecompressed
	}
	o.codec, o.src, o.limit, o.produced, o.patient = codec, src, int64(limit), 0, patient
	if err := o.open(); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

// open readies the decoder of the codec.
func (o *opener) open() error {
	switch o.codec {
	case Gzip:
		return o.openGzip()
	case Snappy:
		return o.snappy.open(o)
	case LZ4:
		return o.lz4.open(o)
	case Zstd:
		return o.zstd.open(o)
	default:
		return invalid("the batch has the unknown compression %d", int8(o.codec))
	}
}

// next appends the next piece of the records to dst. After the last it answers
// io.EOF; every other error is an *Error. It never returns much more than the
// limit allows.
func (o *opener) next(dst []byte) ([]byte, error) {
	if o.produced > lightBytes {
		o.takeSlot()
	}
	before := len(dst)
	var err error
	switch o.codec {
	case Gzip:
		dst, err = o.nextGzip(dst)
	case Snappy:
		dst, err = o.snappy.next(o, dst)
	case LZ4:
		dst, err = o.lz4.next(o, dst)
	default:
		dst, err = o.zstd.next(o, dst)
	}
	o.produced += int64(len(dst) - before)
	if o.produced > o.limit {
		return dst[:before], tooMuch(o.limit)
	}
	return dst, err
}

// close gives the opener back. What it lent must not be used any more.
func (o *opener) close() {
	o.src = nil
	o.in.Reset(nil)
	if cap(o.buf) > keepBytes {
		giveSpare(o.buf)
		o.buf = nil
	}
	o.snappy.close()
	o.lz4.close()
	o.zstd.close()
	if o.slot {
		o.slot = false
		<-slots
	}
	select {
	case idle <- o:
	default:
	}
}

// takeSlot is called before much memory is taken.
func (o *opener) takeSlot() {
	if o.patient && !o.slot {
		slots <- struct{}{}
		o.slot = true
	}
}

// room makes sure that n more bytes fit into dst, taking a slot when that
// makes it large.
func (o *opener) room(dst []byte, n int) []byte {
	need := len(dst) + n
	if cap(dst) >= need {
		return dst
	}
	if need > lightBytes {
		o.takeSlot()
	}
	var grown []byte
	if need > keepBytes {
		grown = takeSpare(need)
	}
	if grown == nil {
		size := max(need, 2*cap(dst), chunkBytes)
		if need > keepBytes {
			size = need + need/4
		}
		if need <= spareBytes {
			size = min(size, spareBytes) // so that it can be kept
		}
		grown = make([]byte, 0, size)
	}
	return append(grown, dst...)
}

// takeSpare finds a spare buffer for need bytes, or answers nil.
func takeSpare(need int) []byte {
	select {
	case b := <-spare:
		if cap(b) >= need {
			return b[:0]
		}
	default:
	}
	return nil
}

func giveSpare(b []byte) {
	if cap(b) > spareBytes {
		return
	}
	select {
	case spare <- b:
	default:
	}
}

// readChunk appends up to a chunk of r to dst.
func (o *opener) readChunk(r io.Reader, dst []byte) ([]byte, error) {
	dst = o.room(dst, chunkBytes)
	end := min(len(dst)+chunkBytes, cap(dst))
	for len(dst) < end {
		n, err := r.Read(dst[len(dst):end])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			if len(dst) == end {
				return dst, nil // EOF comes again
			}
			return dst, io.EOF
		}
		if err != nil {
			return dst, garbage(o.codec, err)
		}
	}
	return dst, nil
}

func (o *opener) openGzip() error {
	o.in.Reset(o.src)
	if o.gzip == nil {
		o.gzip = new(gzip.Reader)
	}
	if err := o.gzip.Reset(&o.in); err != nil {
		return garbage(Gzip, err)
	}
	return nil
}

func (o *opener) nextGzip(dst []byte) ([]byte, error) {
	return o.readChunk(o.gzip, dst)
}

func garbage(codec Codec, err error) *Error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return invalid("the %s-compressed records are cut short", codec)
	}
	return invalid("the %s-compressed records cannot be opened: %v", codec, err)
}

func tooMuch(limit int64) *Error {
	return invalid("the compressed records open to more than %d bytes (max.decompressed.message.bytes)", limit)
}
