package logimport

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"ottla/internal/datadir"
	"ottla/internal/log/checkpoint"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// left are names that an empty directory may hold.
func harmless(name string) bool { return name == ".lock" || name == "lost+found" }

// takeTarget makes Data the directory of this import: it is empty, or cleared
// of an import that did not finish, and carries the marker.
func (r *run) takeTarget() (io.Closer, error) {
	dir := strings.TrimRight(r.o.Data, "/")
	r.o.Data = dir
	for _, s := range r.src {
		if s.path == dir {
			return nil, &Refused{Path: dir, Reason: "is the source itself", Advice: "Name another directory for --data."}
		}
	}
	if err := r.o.FS.MkdirAll(dir, 0o755); err != nil {
		return nil, &Refused{Path: dir, Reason: "cannot be made", Advice: "Name a directory that this user may write.", Cause: err}
	}
	old, err := r.inspectTarget(dir)
	if err != nil {
		return nil, err
	}
	lock, err := r.o.FS.Lock(dir + "/.lock")
	if errors.Is(err, vfs.ErrLocked) {
		return nil, &Refused{Path: dir, Reason: "is in use by another process", Advice: "Wait for it to end, or name another directory."}
	}
	if err != nil {
		return nil, &Refused{Path: dir, Reason: "cannot be locked", Advice: "See to the disk and the rights of this user.", Cause: err}
	}
	if err := r.mark(dir, old); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// inspectTarget lists what an unfinished import left; anything else is refused.
func (r *run) inspectTarget(dir string) (old []string, err error) {
	entries, err := r.o.FS.ReadDir(dir)
	if err != nil {
		return nil, &Refused{Path: dir, Reason: "cannot be listed", Advice: "Name a directory.", Cause: err}
	}
	begun, founded := false, false
	for _, e := range entries {
		switch name := e.Name(); {
		case name == datadir.ImportMarker:
			begun = true
		case name == "ottla.properties":
			founded = true
		case !harmless(name):
			old = append(old, name)
		}
	}
	if founded || len(old) > 0 && !begun {
		return nil, &Refused{Path: dir, Reason: "is not empty", Advice: "Name an empty directory for --data, or one that does not exist yet."}
	}
	return old, nil
}

func (r *run) mark(dir string, old []string) error {
	text := "An import of Kafka's logs fills this directory.\nsource=" + strings.Join(r.o.Sources, ",") + "\n"
	if err := checkpoint.Write(r.o.FS, dir, datadir.ImportMarker, []byte(text), true); err != nil {
		return fmt.Errorf("mark %s: %w", dir, err)
	}
	for _, name := range old {
		if err := r.o.FS.RemoveAll(dir + "/" + name); err != nil {
			return fmt.Errorf("clear away an unfinished import: %w", err)
		}
	}
	if err := r.o.FS.SyncDir(dir); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// found makes the filled directory a node's, and takes the marker away.
func (r *run) found() error {
	d, err := datadir.Open(r.o.FS, r.o.Data, datadir.Options{
		ClusterID: r.result.ClusterID, NodeID: r.result.NodeID, Import: true, NewID: func() uuid.UUID { return r.dirID },
	})
	if err != nil {
		return fmt.Errorf("make %s a node's: %w", r.o.Data, err)
	}
	if err := r.o.FS.Remove(path.Join(r.o.Data, datadir.ImportMarker)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("take the import's marker away: %w", err), d.Close())
	}
	if err := r.o.FS.SyncDir(r.o.Data); err != nil {
		return errors.Join(fmt.Errorf("sync %s: %w", r.o.Data, err), d.Close())
	}
	return d.Close()
}
