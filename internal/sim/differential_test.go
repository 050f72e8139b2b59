package sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ottla/internal/vfs"
)

// Without faults, the simulated disk and the one in memory answer like the real
// one: random operations run on all three, errors of the same kind and the same
// bytes must come out.
func TestDisksAgreeWithTheRealOneOnRandomOperations(t *testing.T) {
	for seed := range uint64(60) {
		o := vfs.NewOS()
		twins := []*player{
			{name: "OS", fs: o, root: t.TempDir()},
			{name: "Mem", fs: vfs.NewMem(1 << 30), root: "/t"},
			{name: "Disk", fs: NewDisk(seed), root: "/t"},
		}
		r := rand.New(rand.NewPCG(seed, 1))
		for _, p := range twins {
			if err := p.fs.MkdirAll(p.root, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 400 {
			m := drawMove(r)
			want := twins[0].play(m)
			for _, p := range twins[1:] {
				if got := p.play(m); got != want {
					t.Fatalf("seed %d, move %d %+v: %s answers\n%s\nwant\n%s", seed, i, m, p.name, got, want)
				}
			}
		}
		want := twins[0].tree(t, "")
		for _, p := range twins[1:] {
			if got := p.tree(t, ""); got != want {
				t.Errorf("seed %d: %s ends as\n%s\nwant\n%s", seed, p.name, got, want)
			}
		}
		for _, p := range twins {
			p.closeAll()
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
}

// move is one random operation.
type move struct {
	op        string
	a, b      string // names
	flag      int
	slot      int // of the open files
	off, size int64
	fill      byte
}

func drawMove(r *rand.Rand) move {
	names := []string{"f", "g", "h", "d", "d/f", "d/g", "d/e", "d/e/f", "x", "x/y"}
	ops := []string{
		"open", "open", "open", "write", "write", "write", "writev", "read", "read", "truncate", "size",
		"close", "sync", "mkdir", "remove", "rename", "rename", "removeall", "list", "stat", "syncdir", "syncfs", "allocate",
	}
	flags := []int{
		os.O_RDWR | os.O_CREATE, os.O_RDWR, os.O_RDONLY, os.O_RDWR | os.O_CREATE | os.O_EXCL,
		os.O_RDWR | os.O_TRUNC, os.O_WRONLY | os.O_CREATE,
	}
	return move{
		op: ops[r.IntN(len(ops))], a: names[r.IntN(len(names))], b: names[r.IntN(len(names))],
		flag: flags[r.IntN(len(flags))], slot: r.IntN(4),
		off: r.Int64N(200_000) >> r.IntN(18), size: 1 + r.Int64N(30_000)>>r.IntN(18), fill: byte(1 + r.IntN(255)),
	}
}

// player plays moves on one disk.
type player struct {
	name  string
	fs    vfs.FS
	root  string
	files [4]vfs.File
	dirs  [4]bool // whether the open file is a directory
}

// play makes one move and tells its outcome in words that must be the same on
// every disk.
func (p *player) play(m move) string {
	a, b := filepath.Join(p.root, m.a), filepath.Join(p.root, m.b)
	switch m.op {
	case "open":
		f, err := p.fs.OpenFile(a, m.flag, 0o644)
		if err != nil {
			return kind(err)
		}
		p.close(m.slot)
		_, err = p.fs.ReadDir(a)
		p.files[m.slot], p.dirs[m.slot] = f, err == nil
		return "ok"
	case "mkdir":
		return kind(p.fs.MkdirAll(a, 0o755))
	case "remove":
		return kind(p.fs.Remove(a))
	case "removeall":
		return kind(p.fs.RemoveAll(a))
	case "rename":
		return kind(p.fs.Rename(a, b))
	case "syncdir":
		_, err := p.fs.ReadDir(a) // of files, only this tells that they are none
		if err == nil {
			err = p.fs.SyncDir(a)
		}
		return kind(err)
	case "syncfs":
		return kind(p.fs.SyncFS(p.root))
	case "stat":
		fi, err := p.fs.Stat(a)
		if err != nil {
			return kind(err)
		}
		if fi.IsDir() {
			return fi.Name() + " dir"
		}
		return fmt.Sprint(fi.Name(), fi.Size())
	case "list":
		entries, err := p.fs.ReadDir(a)
		s := kind(err)
		for _, e := range entries {
			s += fmt.Sprint(" ", e.Name(), e.IsDir())
		}
		return s
	}
	if p.files[m.slot] == nil {
		return "no file"
	}
	return p.playFile(m, p.files[m.slot])
}

func (p *player) playFile(m move, f vfs.File) string {
	data := bytes.Repeat([]byte{m.fill}, int(m.size))
	switch m.op {
	case "write":
		n, err := f.WriteAt(data, m.off)
		return fmt.Sprint(n, kind(err))
	case "writev":
		n, err := f.WritevAt([][]byte{data, {}, data[:len(data)/2]}, m.off)
		return fmt.Sprint(n, kind(err))
	case "read":
		n, err := f.ReadAt(data, m.off)
		return fmt.Sprint(n, kind(err), sum(data[:n]))
	case "truncate":
		if err := f.Truncate(m.off); err != nil {
			return "refused" // EINVAL or EBADF, by the system
		}
	case "allocate":
		if err := f.Allocate(m.off, m.size); err != nil {
			return "refused"
		}
	case "size":
		if p.dirs[m.slot] {
			return "a directory's size is the system's own"
		}
		n, err := f.Size()
		return fmt.Sprint(n, kind(err))
	case "sync":
		return kind(f.Sync())
	case "close":
		err := f.Close()
		p.files[m.slot] = nil
		return kind(err)
	}
	return "ok"
}

func (p *player) close(slot int) {
	if f := p.files[slot]; f != nil {
		p.files[slot] = nil
		if err := f.Close(); err != nil {
			panic(err)
		}
	}
}

func (p *player) closeAll() {
	for slot := range p.files {
		p.close(slot)
	}
}

// tree shows everything below dir.
func (p *player) tree(t *testing.T, dir string) string {
	t.Helper()
	entries, err := p.fs.ReadDir(filepath.Join(p.root, dir))
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if e.IsDir() {
			fmt.Fprintf(&s, "%s/\n%s", name, p.tree(t, name))
			continue
		}
		b := readAll(t, p.fs, filepath.Join(p.root, name))
		fmt.Fprintf(&s, "%s %d bytes, sum %x\n", name, len(b), sum(b))
	}
	return s.String()
}

func readAll(t *testing.T, d vfs.FS, name string) []byte {
	t.Helper()
	f, err := d.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	size, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, size)
	if n, err := f.ReadAt(b, 0); int64(n) != size || err != nil && err != io.EOF {
		t.Fatalf("read %d of %d bytes of %s: %v", n, size, name, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return b
}

func sum(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}

// kind names the class of an error.
func kind(err error) string {
	if err == nil {
		return "ok"
	}
	for _, c := range []error{
		io.EOF, fs.ErrNotExist, syscall.ENOTEMPTY, fs.ErrExist, fs.ErrClosed, syscall.ENOTDIR, syscall.EISDIR,
		syscall.EINVAL, syscall.EBADF, syscall.ENOSPC,
	} {
		if errors.Is(err, c) {
			return c.Error()
		}
	}
	return err.Error()
}
