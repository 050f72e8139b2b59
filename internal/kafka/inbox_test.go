package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand"
	"testing"

	"ottla/internal/kafka/slab"
)

// scripted gives out bytes in pieces of given sizes, as a socket might.
type scripted struct {
	bytes []byte
	sizes func() int
}

func (s *scripted) read(in *inbox) (int, error) {
	if s.sizes()%3 == 0 {
		in.idle()
	}
	if len(s.bytes) == 0 {
		return 0, io.EOF
	}
	room := in.room()
	n := copy(room[:min(len(room), s.sizes())], s.bytes)
	s.bytes = s.bytes[n:]
	return n, nil
}

// frames reads everything there is.
func frames(in *inbox) (all [][]byte, err error) {
	for {
		f, ok, err := in.frame()
		if err != nil {
			return all, err
		}
		if ok {
			all = append(all, bytes.Clone(f))
			continue
		}
		if _, err := in.fill(); err != nil {
			return all, err
		}
	}
}

func TestFramesComeOutWhole(t *testing.T) {
	for seed := range int64(60) {
		r := rand.New(rand.NewSource(seed))
		var want [][]byte
		var stream []byte
		for range 1 + r.Intn(40) {
			size := r.Intn(200)
			switch r.Intn(6) {
			case 0:
				size = r.Intn(300_000)
			case 1:
				size = 130_000
			}
			f := make([]byte, size)
			r.Read(f)
			want = append(want, f)
			stream = append(binary.BigEndian.AppendUint32(stream, uint32(size)), f...)
		}
		piece := 1 + r.Intn(1<<uint(1+r.Intn(18)))
		src := &scripted{bytes: stream, sizes: func() int { return 1 + r.Intn(piece) }}
		in := &inbox{src: src, limit: 1 << 20}
		got, err := frames(in)
		if !errors.Is(err, io.EOF) || len(got) != len(want) {
			t.Fatalf("seed %d: %d frames, want %d, %v", seed, len(got), len(want), err)
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("seed %d: frame %d of %d bytes differs", seed, i, len(want[i]))
			}
		}
		if in.slab != nil {
			in.release()
		}
	}
}

// drip gives out one byte at a time of a frame that promises much.
type drip struct {
	promised uint32
	given    int
	stop     int
}

func (d *drip) read(in *inbox) (int, error) {
	in.idle()
	if d.given == d.stop {
		return 0, io.EOF
	}
	room := in.room()
	n := min(len(room), 1+d.given/8)
	for i := range n {
		b := byte(0)
		if at := d.given + i; at < 4 {
			b = byte(d.promised >> (24 - 8*at))
		}
		room[i] = b
	}
	d.given = min(d.given+n, d.stop)
	return n, nil
}

func TestMemoryGrowsWithWhatCameNotWithWhatWasPromised(t *testing.T) {
	for _, stop := range []int{10, 5_000, 70_000, 1_000_000, 9_000_000} {
		d := &drip{promised: 100 << 20, stop: stop}
		in := &inbox{src: d, limit: 100 << 20}
		for {
			if _, ok, err := in.frame(); ok || err != nil {
				t.Fatalf("a frame of 100 MiB came out of %d bytes, %v", stop, err)
			}
			if _, err := in.fill(); err != nil {
				break
			}
			if have, size := in.w-in.r, len(in.slab.B); size > 4*have+usualRead {
				t.Fatalf("%d bytes held by a slab of %d", have, size)
			}
		}
		in.idle()
		if have := in.w - in.r; in.slab != nil && len(in.slab.B) > shrinkAt*slab.Size(have+1) {
			t.Errorf("%d bytes wait in a slab of %d", have, len(in.slab.B))
		}
		in.release()
	}
}

func TestSmallPartsOfRequestsWaitInSmallSlabs(t *testing.T) {
	in := &inbox{src: &scripted{bytes: []byte{0, 0, 0, 50, 1, 2}, sizes: func() int { return 100 }}, limit: 1000, last: 1 << 20}
	if _, err := in.fill(); err != nil {
		t.Fatal(err)
	}
	in.idle()
	if len(in.slab.B) != slab.Min || !bytes.Equal(in.have(), []byte{0, 0, 0, 50, 1, 2}) {
		t.Errorf("%x in a slab of %d", in.have(), len(in.slab.B))
	}
	in.release()
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte{0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 1, 9}, uint8(2))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		in := &inbox{src: &scripted{bytes: stream, sizes: func() int { return 1 + int(piece) }}, limit: 1 << 16}
		got, _ := frames(in)
		total := 0
		for _, f := range got {
			total += 4 + len(f)
		}
		if total > len(stream) {
			t.Fatalf("%d bytes of frames out of %d", total, len(stream))
		}
		in.release()
	})
}
