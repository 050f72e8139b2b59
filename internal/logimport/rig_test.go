package logimport

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ottla/internal/controller"
	"ottla/internal/datadir"
	"ottla/internal/inspect"
	"ottla/internal/log"
	"ottla/internal/logimport/fixture"
	"ottla/internal/metadata"
	"ottla/internal/quorum"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// kafkaDir unpacks one of the directories that a real Kafka 4.4 left
// (`go run ./test/imports -fixture`).
func kafkaDir(t *testing.T, name string) string {
	t.Helper()
	return fixture.Unpack(t, filepath.Join("testdata", name+".tar.gz"))
}

// quick is the real disk without the waits: what a power cut leaves is not what
// these tests are about.
type quick struct{ *vfs.OS }

func (q quick) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f, err := q.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return quickFile{f}, nil
}

func (quick) SyncDir(string) error { return nil }

func (quick) SyncFS(string) error { return nil }

type quickFile struct{ vfs.File }

func (quickFile) Sync() error { return nil }

// options import source into a new directory.
func options(t *testing.T, source string) Options {
	t.Helper()
	ids := byte(0)
	return Options{
		FS: quick{vfs.NewOS()}, Sources: []string{source}, Data: filepath.Join(t.TempDir(), "data"),
		Now:   func() time.Time { return time.UnixMilli(1_800_000_000_000) },
		NewID: func() uuid.UUID { ids++; return uuid.UUID{0xd1, ids} },
	}
}

func mustRun(t *testing.T, o Options) *Result {
	t.Helper()
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// treeSum tells whether a directory changed.
func treeSum(t *testing.T, root string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d %x\n", path, info.ModTime().UnixNano(), b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// imageOf opens an imported directory's metadata as a node does.
func imageOf(t *testing.T, o Options) *metadata.Image {
	t.Helper()
	d, err := datadir.Open(o.FS, o.Data, datadir.Options{NodeID: -1})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := log.OpenDir(log.DirOptions{FS: o.FS, Path: o.Data, Now: o.Now})
	if err != nil {
		t.Fatal(err)
	}
	q, err := quorum.Open(quorum.Options{
		NodeID: d.NodeID, DirectoryID: d.DirectoryID, ClusterID: d.ClusterID, Dir: dir, Now: o.Now,
		Machine: controller.New(controller.Options{NewID: o.NewID, ClusterID: d.ClusterID, Features: map[string][2]int16{"metadata.version": {7, 33}}}),
		OnImage: func(*metadata.Image, *metadata.Delta) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	img := q.Image()
	if err := errors.Join(q.Close(), dir.Close(nil), d.Close()); err != nil {
		t.Fatal(err)
	}
	return img
}

// verified fails on anything that is wrong in a directory.
func verified(t *testing.T, dir string) {
	t.Helper()
	report, err := inspect.Verify(vfs.NewOS(), dir, func(p inspect.Problem) error {
		t.Errorf("%s byte %d: %s", p.File, p.Byte, p.Reason)
		return nil
	})
	if err != nil || report.Records == 0 {
		t.Fatalf("verify %s: %+v %v", dir, report, err)
	}
}

// refused wants an import to be refused before anything was begun.
func refused(t *testing.T, o Options, want string) {
	t.Helper()
	_, err := Run(t.Context(), o)
	var r *Refused
	if !errors.As(err, &r) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want a refusal with %q", err, want)
	}
	if _, err := os.Stat(filepath.Join(o.Data, datadir.ImportMarker)); err == nil {
		t.Errorf("the import was begun all the same")
	}
}
