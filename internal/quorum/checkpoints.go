package quorum

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"ottla/internal/metadata"
	"ottla/internal/vfs"
)

const (
	checkpointSuffix = ".checkpoint"
	partSuffix       = ".checkpoint.part"
	// keptSnapshots: the newest, and one to fall back on if it rots.
	keptSnapshots = 2
)

// snapshotID is what a snapshot's file name says.
type snapshotID struct {
	End  int64
	Term int32
}

func (s snapshotID) file() string {
	return fmt.Sprintf("%020d-%010d%s", s.End, s.Term, checkpointSuffix)
}

// parseSnapshotName reads a file name; false when it is not a snapshot's.
func parseSnapshotName(name string) (snapshotID, bool) {
	stem, ok := strings.CutSuffix(name, checkpointSuffix)
	if !ok || len(stem) != 31 || stem[20] != '-' {
		return snapshotID{}, false
	}
	end, err1 := strconv.ParseInt(stem[:20], 10, 64)
	term, err2 := strconv.ParseInt(stem[21:], 10, 32)
	if err1 != nil || err2 != nil || end < 0 || term < 0 {
		return snapshotID{}, false
	}
	return snapshotID{end, int32(term)}, true
}

// checkpoints are the snapshot files of the metadata log, oldest first.
type checkpoints struct {
	fs  vfs.FS
	dir string
	ids []snapshotID
	// newestMeta is what the last of ids says of itself, once it was loaded.
	newestMeta snapshotMeta
	// suspect: the newest could not be read, or did another member no good.
	suspect bool
	// promised is one that was taken from another member and whose
	// installation an earlier run did not finish.
	promised *snapshotID
}

// listCheckpoints finds them and removes what an interrupted write left.
func listCheckpoints(f vfs.FS, dir string) (*checkpoints, error) {
	entries, err := f.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	c := &checkpoints{fs: f, dir: dir}
	for _, e := range entries { // by name, which is by end offset
		if id, ok := parseSnapshotName(e.Name()); ok {
			c.ids = append(c.ids, id)
		}
		if stem, ok := strings.CutSuffix(e.Name(), installSuffix); ok {
			if id, ok := parseSnapshotName(stem + checkpointSuffix); ok {
				c.promised = &id
			}
		}
		if strings.HasSuffix(e.Name(), partSuffix) || strings.HasSuffix(e.Name(), incomingSuffix) {
			if err := f.Remove(path.Join(dir, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

func (c *checkpoints) path(id snapshotID) string { return path.Join(c.dir, id.file()) }

// write makes a snapshot durable. It may run beside everything else but
// another write.
func (c *checkpoints) write(m snapshotMeta, img *metadata.Image) error {
	id := snapshotID{m.End, m.Term}
	temp := strings.TrimSuffix(c.path(id), checkpointSuffix) + partSuffix
	return vfs.Replace(c.fs, c.path(id), temp, func(file vfs.File) error {
		var at int64
		return encodeSnapshot(m, img, func(batch []byte) error {
			n, err := file.WriteAt(batch, at)
			at += int64(n)
			return err
		})
	})
}

// keep notes a written snapshot and removes those that are too old; it tells
// the oldest that is left.
func (c *checkpoints) keep(m snapshotMeta) (oldest snapshotID, err error) {
	c.ids = append(c.ids, snapshotID{m.End, m.Term})
	c.newestMeta, c.suspect = m, false
	for len(c.ids) > keptSnapshots {
		if rerr := c.fs.Remove(c.path(c.ids[0])); rerr != nil && err == nil {
			err = rerr
		}
		c.ids = c.ids[1:]
	}
	return c.ids[0], err
}

// load reads one whole.
func (c *checkpoints) load(id snapshotID) (*metadata.Image, snapshotMeta, error) {
	return c.loadFile(c.path(id), id)
}

func (c *checkpoints) loadFile(name string, id snapshotID) (*metadata.Image, snapshotMeta, error) {
	file, err := c.fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, snapshotMeta{}, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, snapshotMeta{}, err
	}
	img, m, err := decodeSnapshot(file, size, id.End, id.Term)
	if err != nil {
		return nil, m, fmt.Errorf("%s: %w", name, err)
	}
	return img, m, nil
}

// newest loads the newest sound one; damaged are those that were passed over.
func (c *checkpoints) newest() (img *metadata.Image, m snapshotMeta, damaged []error) {
	for i := len(c.ids) - 1; i >= 0; i-- {
		img, m, err := c.load(c.ids[i])
		if err == nil {
			c.newestMeta, c.suspect = m, i < len(c.ids)-1
			return img, m, damaged
		}
		damaged = append(damaged, err)
	}
	return nil, snapshotMeta{}, damaged
}

// size tells how long a snapshot is.
func (c *checkpoints) size(id snapshotID) (int64, error) {
	info, err := c.fs.Stat(c.path(id))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// readPart reads from byte at on into buf; io.EOF with the last part.
func (c *checkpoints) readPart(id snapshotID, at int64, buf []byte) (int, error) {
	file, err := c.fs.OpenFile(c.path(id), os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return file.ReadAt(buf, at)
}
