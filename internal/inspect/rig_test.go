package inspect

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

const dataDir = "/data"

// written is a directory, closed cleanly, whose log orders-0 has several
// segments, an aborted transaction and two leader epochs.
func written(t *testing.T) *vfs.Mem {
	t.Helper()
	m := vfs.NewMem(0)
	dir, err := log.OpenDir(log.DirOptions{FS: m, Path: dataDir, Now: func() time.Time { return time.UnixMilli(5000) }})
	if err != nil {
		t.Fatal(err)
	}
	l, err := dir.Open(log.Ident{Topic: "orders", ID: uuid.UUID{1}}, log.OpenOptions{Config: log.Config{SegmentBytes: 2000, IndexIntervalBytes: 200}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		b := record.NewBuilder()
		b.LeaderEpoch = int32(i / 20)
		if i == 7 {
			b.ProducerID, b.ProducerEpoch, b.BaseSequence, b.Transactional = 9, 0, 0, true
		}
		b.Add(1000+int64(i), []byte("key"), []byte(strings.Repeat("v", 100)), record.RecordHeader{Key: "h", Value: []byte("x")})
		b.Add(1000+int64(i), nil, nil)
		batch := b.Build(l.End().Offset)
		if i == 8 {
			batch = record.EndTxnMarker(9, 0, false, 0, 1008)
			record.SetBaseOffset(batch, l.End().Offset)
			record.SetLeaderEpoch(batch, 0)
		}
		h, err := record.ParseHeader(batch)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append(&h, batch); err != nil {
			t.Fatal(err)
		}
	}
	high := l.End().Offset
	if err := errors.Join(l.Sync(), dir.Close(func(log.Ident) int64 { return high })); err != nil {
		t.Fatal(err)
	}
	return m
}

// files lists a directory's files with a suffix.
func files(t *testing.T, m *vfs.Mem, dir, suffix string) []string {
	t.Helper()
	entries, err := m.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			out = append(out, dir+"/"+e.Name())
		}
	}
	return out
}

// change edits a file's bytes.
func change(t *testing.T, m *vfs.Mem, name string, edit func([]byte) []byte) {
	t.Helper()
	f, err := m.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, size)
	if size > 0 {
		if _, err := f.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
	}
	b = edit(b)
	_, err = f.WriteAt(b, 0)
	if err = errors.Join(err, f.Truncate(int64(len(b)))); err != nil {
		t.Fatal(err)
	}
}

// problems verifies a directory.
func problems(t *testing.T, m vfs.FS, dir string) (Report, []string) {
	t.Helper()
	var out []string
	report, err := Verify(m, dir, func(p Problem) error {
		kind := "wrong"
		if p.Tail {
			kind = "tail"
		}
		out = append(out, fmt.Sprintf("%s %s %d %d: %s", kind, strings.TrimPrefix(p.File, dataDir+"/"), p.Byte, p.Offset, p.Reason))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return report, out
}
