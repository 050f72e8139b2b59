package logimport

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/vfs"
)

// source is one of Kafka's log directories.
type source struct {
	path        string
	clusterID   string
	nodeID      int32
	directoryID string // "" before KIP-858
	clean       bool
	partitions  map[string]bool // directories TOPIC-N
	skipped     []string        // directories of the forms that a delete or a move leaves
	recovery    map[string]int64
	starts      map[string]int64
	highs       map[string]int64
	cleaner     map[string]int64
}

// holder takes a shared lock on somebody else's lock file; package vfs has it
// for the real disk.
type holder interface {
	Hold(name string) (io.Closer, error)
}

// openSources reads and holds all source directories.
func (r *run) openSources() (held []io.Closer, err error) {
	if len(r.o.Sources) == 0 {
		return nil, &Refused{Path: "the import", Reason: "has no source", Advice: "Name Kafka's log directory."}
	}
	for _, path := range r.o.Sources {
		s, lock, err := r.openSource(strings.TrimRight(path, "/"))
		if lock != nil {
			held = append(held, lock)
		}
		if err != nil {
			return held, err
		}
		if first := s; len(r.src) > 0 {
			first = r.src[0]
			if s.clusterID != first.clusterID || s.nodeID != first.nodeID {
				return held, &Refused{Path: s.path, Reason: fmt.Sprintf("is of node %d of cluster %s, and %s of node %d of cluster %s", s.nodeID, s.clusterID, first.path, first.nodeID, first.clusterID),
					Advice: "Name the directories of one node."}
			}
		}
		r.src = append(r.src, s)
	}
	r.result.ClusterID, r.result.NodeID = r.src[0].clusterID, r.src[0].nodeID
	r.result.Clean = true
	for _, s := range r.src {
		r.result.Clean = r.result.Clean && s.clean
		r.result.Skipped = append(r.result.Skipped, s.skipped...)
	}
	return held, nil
}

func (r *run) openSource(path string) (*source, io.Closer, error) {
	s := &source{path: path, partitions: map[string]bool{}}
	entries, err := r.o.FS.ReadDir(path)
	if err != nil {
		return nil, nil, &Refused{Path: path, Reason: "cannot be listed", Advice: "Name Kafka's log directory (log.dirs).", Cause: err}
	}
	for _, e := range entries {
		_, _, isLog := layout.ParseDirName(e.Name())
		switch name := e.Name(); {
		case name == "ottla.properties":
			return nil, nil, &Refused{Path: path, Reason: "is a data directory of Ottla, not Kafka's", Advice: "Start Ottla on it with `ottla serve --data`."}
		case name == checkpoint.CleanShutdown:
			s.clean = true
		case e.IsDir() && isLog:
			s.partitions[name] = true
		case e.IsDir() && layout.Leftover.MatchString(name), e.IsDir() && strings.HasSuffix(name, "-future"):
			s.skipped = append(s.skipped, path+"/"+name)
		}
	}
	if err := s.readMeta(r.o.FS); err != nil {
		return nil, nil, err
	}
	lock, err := r.hold(path)
	if err != nil {
		return nil, nil, err
	}
	return s, lock, s.readOffsets(r.o.FS)
}

// hold sees to it that Kafka does not run on the directory, and does not start
// while it is read. A directory without a lock file is a copy of one.
func (r *run) hold(path string) (io.Closer, error) {
	h, ok := r.o.FS.(holder)
	if !ok {
		return nil, nil
	}
	lock, err := h.Hold(path + "/.lock")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, vfs.ErrLocked):
		return nil, &Refused{Path: path, Reason: "is in use: Kafka runs on it", Advice: "Stop Kafka (kafka-server-stop) and wait until its process has ended."}
	case err != nil:
		return nil, &Refused{Path: path, Reason: "cannot be held", Advice: "See to its .lock file.", Cause: err}
	}
	return lock, nil
}

// readMeta reads meta.properties.
func (s *source) readMeta(f vfs.FS) error {
	name := s.path + "/meta.properties"
	b, err := checkpoint.Read(f, name)
	if err != nil {
		return &Refused{Path: s.path, Reason: "has no meta.properties that can be read", Advice: "Name Kafka's log directory (log.dirs).", Cause: err}
	}
	p := properties(b)
	if v := p["version"]; v != "1" {
		return &Refused{Path: name, Reason: fmt.Sprintf("has version %q, and version 1 is known", v),
			Advice: "Version 0 is of Kafka with ZooKeeper: move it to KRaft first (Kafka 3.9 does). A newer one needs a newer Ottla."}
	}
	node, err := strconv.ParseInt(p["node.id"], 10, 32)
	if err != nil || node < 0 || p["cluster.id"] == "" {
		return &Refused{Path: name, Reason: fmt.Sprintf("names node %q of cluster %q", p["node.id"], p["cluster.id"]), Advice: "Restore it from a backup."}
	}
	s.clusterID, s.nodeID, s.directoryID = p["cluster.id"], int32(node), p["directory.id"]
	return nil
}

// properties reads KEY=VALUE lines, as Kafka writes them.
func properties(b []byte) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			out[strings.TrimSpace(key)] = strings.ReplaceAll(strings.TrimSpace(value), `\`, "")
		}
	}
	return out
}

// readOffsets reads Kafka's checkpoints. One that is there and cannot be read
// is refused: without its log start offsets, records that were deleted would
// come back.
func (s *source) readOffsets(f vfs.FS) error {
	for _, c := range []struct {
		name string
		to   *map[string]int64
	}{
		{checkpoint.RecoveryPoints, &s.recovery}, {checkpoint.LogStarts, &s.starts},
		{checkpoint.HighWatermarks, &s.highs}, {checkpoint.CleanerOffsets, &s.cleaner},
	} {
		*c.to = map[string]int64{}
		b, err := checkpoint.Read(f, s.path+"/"+c.name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(b) == 0 {
			continue // Kafka makes them empty
		}
		var lines []checkpoint.Offset
		if err == nil {
			lines, err = checkpoint.ParseOffsets(b)
		}
		if err != nil {
			return &Refused{Path: s.path + "/" + c.name, Reason: "cannot be read", Advice: "Restore it from a backup, or remove it where what it says may be lost.", Cause: err}
		}
		for _, l := range lines {
			(*c.to)[layout.DirName(l.Topic, l.Partition)] = l.Offset
		}
	}
	return nil
}
