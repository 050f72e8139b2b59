package datadir

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

func TestMarkRoundTrip(t *testing.T) {
	for _, joined := range []bool{false, true} {
		want := mark{format: Format, inode: 1<<63 + 5, joined: joined, identity: identity{clusterID: "C", nodeID: 1<<31 - 1, directoryID: uuid.UUID{1, 2, 3}}}
		got, err := parseMark(formatMark(want))
		if err != nil || got != want {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestMetaReadsWhatKafkaWrites(t *testing.T) {
	text := "#\n#Mon Nov 23 10:00:00 UTC 2026\ncluster.id=Wq6wxRrFSUeS4pZzTWHtEg\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAQ\nnode.id=3\nversion=1\n"
	got, err := parseMeta([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if want := (identity{"Wq6wxRrFSUeS4pZzTWHtEg", 3, uuid.UUID{15: 1}}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestBadMetaIsAnError(t *testing.T) {
	for _, text := range []string{
		"", "version=0\n", "version=1\nno equals sign\n", "version=1\nversion=1\n", "version=1\nnode.id=1\n",
		"version=1\ncluster.id=C\nnode.id=-1\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAQ\n",
		"version=1\ncluster.id=C\nnode.id=1\ndirectory.id=short\n",
		"version=1\ncluster.id=C\nnode.id=1\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAA\n",
	} {
		if id, err := parseMeta([]byte(text)); err == nil {
			t.Errorf("parseMeta(%q) = %+v, want an error", text, id)
		}
	}
}

// No flipped bit of a mark goes unseen.
func TestEveryFlippedBitOfTheMarkIsFound(t *testing.T) {
	text := formatMark(mark{format: Format, inode: 77, identity: identity{"C", 7, uuid.UUID{9}}})
	for i := range text {
		for bit := range 8 {
			bad := append([]byte(nil), text...)
			bad[i] ^= 1 << bit
			if m, err := parseMark(bad); err == nil {
				t.Fatalf("byte %d bit %d flipped went unseen: %+v", i, bit, m)
			}
		}
	}
}

func FuzzParseMark(f *testing.F) {
	f.Add(formatMark(mark{format: Format, inode: 77, identity: identity{"C", 7, uuid.UUID{9}}}))
	f.Add([]byte("format=1\nchecksum=00000000\n"))
	f.Add([]byte("\nchecksum="))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseMark(text)
		if err != nil {
			return
		}
		if again, err := parseMark(formatMark(m)); err != nil || again != m {
			t.Fatalf("%+v comes back as %+v, %v", m, again, err)
		}
	})
}

// failing fails the calls that a read-only or broken disk fails.
type failing struct {
	vfs.FS
	err error
}

func (f failing) Lock(string) (io.Closer, error)     { return nil, f.err }
func (f failing) MkdirAll(string, fs.FileMode) error { return f.err }

func TestErrorsOfTheDiskAreSorted(t *testing.T) {
	for _, tt := range []struct {
		err  error
		kind Kind
	}{
		{fs.ErrPermission, NoPermission}, {syscall.EACCES, NoPermission}, {syscall.ENOTDIR, NotDirectory},
		{syscall.EROFS, Unusable}, {syscall.EIO, Unusable}, {syscall.ENOSPC, Unusable},
	} {
		f := failing{realFS(t), &fs.PathError{Op: "open", Path: "x", Err: tt.err}}
		r := refused(t, f, t.TempDir(), anyOne(), tt.kind)
		if !errors.Is(r, tt.err) {
			t.Errorf("%v does not carry its cause %v", r, tt.err)
		}
		refused(t, f, t.TempDir()+"/new", anyOne(), tt.kind)
	}
}

var errDisk = syscall.EIO

func TestCloseTwiceIsHarmless(t *testing.T) {
	d, err := Open(realFS(t), t.TempDir(), anyOne())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.Path + "/" + lockName); err != nil {
		t.Errorf("the lock file is gone, which would let two processes lock two files: %v", err)
	}
}
