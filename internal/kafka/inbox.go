package kafka

import (
	"fmt"

	"ottla/internal/kafka/slab"
	"ottla/internal/wire"
)

// Reading sizes. A read takes up to usualRead bytes, which holds many small
// requests; a connection whose requests are large reads them one by one, so
// that each begins a slab and none is copied.
const (
	usualRead = 64 << 10
	largeFrom = 32 << 10 // requests of this size are read exactly
	// shrinkAt: a slab this many times larger than what is in it is not kept
	// while waiting.
	shrinkAt = 16
	// progressStep is how many bytes of one request count as being active.
	progressStep = 64 << 10
)

// source is where an inbox reads. read waits until there are bytes, then calls
// in.room for memory and fills it; while it waits, it calls in.idle first.
type source interface {
	read(in *inbox) (int, error)
}

// inbox cuts the input into frames. It holds a slab only while there are bytes
// in it: buf[r:w] is unread.
type inbox struct {
	src   source
	limit int // largest frame
	slab  *slab.Slab
	r, w  int
	last  int // size of the last frame with its length, 0 at first
	moved int // bytes of the frame at hand that were already counted as progress
}

// have is what was read and not yet given out.
func (in *inbox) have() []byte {
	if in.slab == nil {
		return nil
	}
	return in.slab.B[in.r:in.w]
}

// frame gives out the next request without its length, if it is complete. It
// is valid until the next call of fill.
func (in *inbox) frame() ([]byte, bool, error) {
	b := in.have()
	if len(b) < wire.FrameHeader {
		return nil, false, nil
	}
	size := wire.FrameSize(b)
	if size < 0 || size > in.limit {
		return nil, false, fmt.Errorf("a request of %d bytes, at most %d are taken (socket.request.max.bytes)", size, in.limit)
	}
	total := wire.FrameHeader + size
	if len(b) < total {
		return nil, false, nil
	}
	in.r += total
	in.last, in.moved = total, 0
	return b[wire.FrameHeader:total:total], true, nil
}

// fill waits for more bytes. It tells whether they are worth keeping an idle
// connection for: the last ones of a large request count, single bytes that
// trickle in do not.
func (in *inbox) fill() (progress bool, err error) {
	if in.r == in.w {
		in.release()
	}
	n, err := in.src.read(in)
	if err != nil {
		return false, err
	}
	in.w += n
	if have := in.w - in.r; have-in.moved >= progressStep {
		in.moved, progress = have, true
	}
	return progress, nil
}

// room is the memory for the next read. A slab that is too small for the frame
// at hand is used up first, then replaced by one four times its size: so what is
// held stays in proportion to what came.
func (in *inbox) room() []byte {
	have := in.w - in.r
	if have == 0 {
		in.release()
		want := usualRead
		if in.last >= largeFrom {
			want = in.last
		}
		in.slab = slab.Get(want)
		return in.slab.B[:min(want, len(in.slab.B))]
	}
	total := wire.FrameHeader
	if have >= wire.FrameHeader {
		total += wire.FrameSize(in.have())
	}
	if in.r+total > len(in.slab.B) {
		if have == len(in.slab.B) {
			in.move(slab.Get(min(total, 4*have)))
		} else if in.r > 0 {
			in.w = copy(in.slab.B, in.have())
			in.r = 0
		}
	}
	end := len(in.slab.B)
	if total >= largeFrom {
		end = min(end, in.r+total) // stop where the next request begins
	}
	return in.slab.B[in.w:end]
}

// move puts what is there to the front of another slab.
func (in *inbox) move(to *slab.Slab) {
	in.w = copy(to.B, in.have())
	in.r = 0
	slab.Put(in.slab)
	in.slab = to
}

// idle is called before a wait: memory far larger than what is in it goes back.
func (in *inbox) idle() {
	have := in.w - in.r
	if have == 0 {
		in.release()
		return
	}
	if n := slab.Size(have + 1); n*shrinkAt <= len(in.slab.B) {
		in.move(slab.Get(n))
	}
}

// release gives the slab back.
func (in *inbox) release() {
	slab.Put(in.slab)
	in.slab, in.r, in.w = nil, 0, 0
}
