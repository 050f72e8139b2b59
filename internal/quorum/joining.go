package quorum

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path"
	"strings"

	pb "go.etcd.io/raft/v3/raftpb"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// idName is the file with the directory id of a member that joined: one drawn
// for this metadata log, so that a lost one never comes back under its id. The
// founder of a quorum has none and goes by its data directory's. Its text is
// the id, a blank, and the id's CRC-32C.
const idName = "directory.id"

// maxIDBytes bounds what is read of it.
const maxIDBytes = 1 << 10

func encodeID(id uuid.UUID) []byte {
	return fmt.Appendf(nil, "%s %08x\n", id, crc32.Checksum(id[:], castagnoli))
}

func decodeID(text []byte) (uuid.UUID, error) {
	name, sum, ok := strings.Cut(strings.TrimSuffix(string(text), "\n"), " ")
	if !ok {
		return uuid.UUID{}, errors.New("it is not an id and its checksum")
	}
	id, err := uuid.Parse(name)
	if err != nil {
		return uuid.UUID{}, err
	}
	if string(encodeID(id)) != string(text) {
		return uuid.UUID{}, fmt.Errorf("its checksum is %q, its id has %08x", sum, crc32.Checksum(id[:], castagnoli))
	}
	return id, nil
}

// readID finds under which Raft id this directory takes part; one that is to
// join and holds nothing yet gets one, durably.
func (c *recoverer) readID() error {
	name := path.Join(c.dir, idName)
	text, err := readWhole(c.o.Dir.FS(), name, maxIDBytes)
	if errors.Is(err, fs.ErrNotExist) {
		if !c.o.Joining || c.holdsSomething() {
			c.id = raftID(c.o.NodeID, c.o.DirectoryID)
			return nil
		}
		text = encodeID(c.o.NewID())
		err = vfs.Replace(c.o.Dir.FS(), name, name+".tmp", func(file vfs.File) error {
			_, err := file.WriteAt(text, 0)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	id, err := decodeID(text)
	if err != nil {
		return refuse(c.dir, "has a damaged "+idName, err)
	}
	c.o.DirectoryID, c.joins = id, true
	c.id = raftID(c.o.NodeID, id)
	return nil
}

// beginAnew forgets, in a directory that is to join and holds nothing, the log
// that was there before: it was moved away by order, or lost, and its member
// does not come back.
func (c *recoverer) beginAnew() error {
	if !c.o.Joining || c.holdsSomething() {
		return nil
	}
	if err := c.o.Dir.Discard(ident); err != nil {
		return fmt.Errorf("begin metadata log %s anew: %w", c.dir, err)
	}
	return nil
}

// holdsSomething tells whether there is a metadata log already.
func (c *recoverer) holdsSomething() bool {
	entries, err := c.o.Dir.FS().ReadDir(c.dir)
	for _, e := range entries {
		if e.Name() == stateName || strings.HasSuffix(e.Name(), checkpointSuffix) || strings.HasSuffix(e.Name(), installSuffix) || strings.HasSuffix(e.Name(), ".log") {
			return true
		}
	}
	return err != nil && !errors.Is(err, fs.ErrNotExist)
}

// wait is the state of a member that has nothing yet: no configuration, so it
// never begins an election, and an empty image that is not shown.
func (c *recoverer) wait() {
	s := &storage{conf: &pb.ConfState{}, hard: c.hard}
	s.hard.commit = 0
	s.read = func(lo, hi, max uint64) ([]*pb.Entry, error) {
		return c.journal.read(lo, hi, s.index.startOf(lo), max)
	}
	c.r = recovered{store: s, files: c.files, voters: newVoterSet(), image: metadata.Empty(), id: c.id, waiting: true}
}

// finishInstall ends what a crash interrupted: a snapshot that was taken from
// another member, checked and promised, takes the place of the log.
func (c *recoverer) finishInstall() error {
	id := c.files.promised
	if id == nil {
		return nil
	}
	_, meta, err := c.files.loadFile(c.files.stem(*id)+installSuffix, *id)
	if err != nil {
		return refuse(c.dir, "has a damaged snapshot that was being installed", err)
	}
	if err := finishInstall(c.files, c.journal, meta); err != nil {
		return fmt.Errorf("install the snapshot %s of %s: %w", id.file(), c.dir, err)
	}
	c.files.promised = nil
	return nil
}
