package vfs

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"testing"
)

func TestMemFilesCostAboutWhatTheyHold(t *testing.T) {
	m := NewMem(0)
	var files []File
	for i := range 100 {
		f := create(t, m, "/f"+string(rune('a'+i%26))+string(rune('a'+i/26)))
		if _, err := f.WriteAt(make([]byte, 700), 0); err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if used := m.used.Load(); used != 100*1024 {
		t.Errorf("100 files of 700 bytes use %d bytes, want 100 times 1024", used)
	}
	big := files[0]
	if _, err := big.WriteAt(make([]byte, 10*chunkSize), 0); err != nil {
		t.Fatal(err)
	}
	if used := m.used.Load(); used != 99*1024+10*chunkSize {
		t.Errorf("with a file of 10 chunks %d bytes used, want %d", used, 99*1024+10*chunkSize)
	}
	if err := big.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if used := m.used.Load(); used != 99*1024 {
		t.Errorf("after truncation %d bytes used, want %d", used, 99*1024)
	}
}

func TestMemGivesMemoryBackWithTheLastHolder(t *testing.T) {
	m := NewMem(1 << 20)
	f := create(t, m, "f")
	if _, err := f.WriteAt(make([]byte, 100_000), 0); err != nil {
		t.Fatal(err)
	}
	before := m.used.Load()
	if err := m.Remove("f"); err != nil {
		t.Fatal(err)
	}
	if got := m.used.Load(); got != before {
		t.Errorf("removed while open: %d bytes used, want %d", got, before)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := m.used.Load(); got != 0 {
		t.Errorf("closed: %d bytes used, want 0", got)
	}
}

func TestMemFullWritesWhatFitsAndGoesOnWhenRoomReturns(t *testing.T) {
	m := NewMem(4 * chunkSize)
	f, g := create(t, m, "f"), create(t, m, "g")
	if _, err := f.WriteAt(make([]byte, 3*chunkSize), 0); err != nil {
		t.Fatal(err)
	}
	n, err := g.WriteAt(make([]byte, 2*chunkSize), 0)
	if n != chunkSize || !errors.Is(err, syscall.ENOSPC) || !NoSpace(err) {
		t.Errorf("write of 2 chunks with room for one = %d, %v, want %d, ENOSPC", n, err, chunkSize)
	}
	if size, _ := g.Size(); size != chunkSize {
		t.Errorf("size after the short write %d, want %d", size, chunkSize)
	}
	if err := g.Allocate(0, 2*chunkSize); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Allocate on the full disk = %v, want ENOSPC", err)
	}
	if u, _ := m.Usage("/"); u.Free != 0 {
		t.Errorf("Free = %d on the full disk", u.Free)
	}
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if n, err := g.WriteAt(make([]byte, 2*chunkSize), 0); n != 2*chunkSize || err != nil {
		t.Errorf("write after room returned = %d, %v", n, err)
	}
}

func TestMemRefusesOffsetsBeyondItsRoom(t *testing.T) {
	f := create(t, NewMem(1<<20), "f")
	if n, err := f.WriteAt([]byte("x"), 1<<62); n != 0 || !NoSpace(err) {
		t.Errorf("WriteAt(1<<62) = %d, %v, want no space", n, err)
	}
}

func TestMemReadsHolesAsZeros(t *testing.T) {
	f := create(t, NewMem(0), "f")
	if _, err := f.WriteAt([]byte("end"), 3*chunkSize); err != nil {
		t.Fatal(err)
	}
	want := append(make([]byte, 3*chunkSize), "end"...)
	if got := content(t, f); !bytes.Equal(got, want) {
		t.Errorf("a file with a hole does not read as zeros and its end")
	}
	p := make([]byte, 10)
	if n, err := f.ReadAt(p, 3*chunkSize-2); n != 5 || err != io.EOF || string(p[:5]) != "\x00\x00end" {
		t.Errorf("ReadAt over the end = %d, %v, %q", n, err, p[:n])
	}
}

func TestMemZeroesWhatTruncationCut(t *testing.T) {
	f := create(t, NewMem(0), "f")
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xff}, 1000), 0); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{600, 100, 1000} {
		if err := f.Truncate(size); err != nil {
			t.Fatal(err)
		}
	}
	want := append(bytes.Repeat([]byte{0xff}, 100), make([]byte, 900)...)
	if got := content(t, f); !bytes.Equal(got, want) {
		t.Errorf("bytes above a truncation came back")
	}
}

func TestMemTakesReadersAndWritersAtOnce(t *testing.T) {
	m := NewMem(0)
	f := create(t, m, "f")
	var wg sync.WaitGroup
	const record = 100
	for w := range 4 {
		wg.Go(func() {
			b := bytes.Repeat([]byte{byte('a' + w)}, record)
			for i := range 300 {
				if _, err := f.WriteAt(b, int64((i*4+w)*record)); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			p := make([]byte, record)
			for i := range 300 {
				n, err := f.ReadAt(p, int64(i*4*record))
				if err != nil && err != io.EOF {
					t.Error(err)
				}
				for _, c := range p[:n] {
					if c != 0 && c != 'a' {
						t.Errorf("writer a's record holds %q", p[:n])
						return
					}
				}
			}
		})
		wg.Go(func() {
			for range 100 {
				name := "x" + string(rune('a'+w))
				g, err := m.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
				if err != nil {
					t.Error(err)
					return
				}
				if err := errors.Join(m.Rename(name, name+"2"), m.Remove(name+"2"), g.Close()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if size, _ := f.Size(); size != 1200*record {
		t.Errorf("size %d, want %d", size, 1200*record)
	}
}
