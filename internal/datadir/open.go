package datadir

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// firstNodeID is given out when no node id is wanted: a cluster begins with it.
const firstNodeID = 1

// Options say what directory is wanted.
type Options struct {
	// ClusterID that the directory must belong to; "" takes any, and draws
	// one for a fresh directory.
	ClusterID string
	// NodeID that it must belong to; -1 takes any, and gives a fresh one 1.
	NodeID int32
	// Adopt takes a directory that the clone guard would refuse (restored
	// from a backup, moved between disks), or whose mark is damaged while
	// meta.properties is sound; the operator vouches that no other node runs
	// on a copy of it.
	Adopt bool
	// Import takes a directory that lies under an import's marker and makes it
	// ours, whatever it holds: the import vouches for it.
	Import bool
	// Joined notes in a fresh directory that its node was let into a cluster that
	// others founded: it never founds one itself.
	Joined bool
	// NewID draws identifiers; nil draws them from the system's random source.
	NewID func() uuid.UUID
}

// Dir is a directory that is held: locked, and known to be ours.
type Dir struct {
	Path        string
	ClusterID   string
	NodeID      int32
	DirectoryID uuid.UUID
	// Fresh tells that Open made it: there is nothing of an earlier run in it.
	Fresh bool
	// Joined tells that the node was let into a cluster that others founded.
	Joined bool

	lock io.Closer
}

// Open takes the directory at dir, which it creates where it is missing. Every
// failure is a *Refused. The caller closes the Dir when nothing uses the
// directory any more.
func Open(f vfs.FS, dir string, o Options) (*Dir, error) {
	if err := makeDir(f, dir); err != nil {
		return nil, err
	}
	// A first look before the lock, so that a directory which is not ours
	// does not even get a lock file.
	l, err := lookAt(f, dir)
	if err != nil {
		return nil, unusable(dir, err)
	}
	if err := l.refuseForeign(dir, o.Import); err != nil {
		return nil, err
	}
	lock, err := takeLock(f, dir)
	if err != nil {
		return nil, err
	}
	d := &Dir{Path: dir, lock: lock}
	if err := d.claim(f, o); err != nil {
		lock.Close()
		return nil, err
	}
	return d, nil
}

// Close gives the directory back.
func (d *Dir) Close() error {
	if d.lock == nil {
		return nil
	}
	err := d.lock.Close()
	d.lock = nil
	if err != nil {
		return fmt.Errorf("give back data directory %s: %w", d.Path, err)
	}
	return nil
}

// makeDir makes the directory where it is missing.
func makeDir(f vfs.FS, dir string) error {
	info, err := f.Stat(dir)
	if err == nil {
		if !info.IsDir() {
			return &Refused{Kind: NotDirectory, Path: dir, Reason: "is a file",
				Advice: "Name a directory, or a path where one can be made."}
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return unusable(dir, err)
	}
	if err := f.MkdirAll(dir, 0o755); err != nil {
		return unusable(dir, err)
	}
	return nil
}

// syncPath makes the names that lead to dir durable. It does so for every
// fresh directory, whoever made it: a start that was killed may have made
// names that no disk has yet. What this user may not read is not ours.
func syncPath(f vfs.FS, dir string) error {
	for p := path.Dir(dir); ; p = path.Dir(p) {
		if err := f.SyncDir(p); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
		if p == path.Dir(p) {
			return nil
		}
	}
}

// refuseForeign refuses what does not carry our mark and is not empty.
func (l *look) refuseForeign(dir string, importing bool) error {
	switch {
	case l.mark != nil, l.importing && importing:
		return nil
	case l.importing:
		return &Refused{Kind: Foreign, Path: dir,
			Reason: "holds an import of Kafka's logs that did not finish",
			Advice: "Run `ottla log import` into it again: it starts anew."}
	case l.meta == nil && l.other == "":
		return nil
	case l.meta != nil || l.kafka:
		return &Refused{Kind: KafkaData, Path: dir,
			Reason: "holds logs of Apache Kafka (" + cmp.Or(l.other, metaName) + ") and no " + markName + " of ours",
			Advice: "Name an empty directory; `ottla log import` brings Kafka's logs into one."}
	default:
		return &Refused{Kind: Foreign, Path: dir,
			Reason: "is not empty (" + l.other + ") and was not made by Ottla",
			Advice: "Name an empty directory or one that does not exist yet."}
	}
}

// takeLock locks the directory and leaves our pid in the lock file.
func takeLock(f vfs.FS, dir string) (io.Closer, error) {
	name := path.Join(dir, lockName)
	lock, err := f.Lock(name)
	if err != nil {
		if errors.Is(err, vfs.ErrLocked) {
			return nil, inUse(f, dir, err)
		}
		return nil, unusable(dir, err)
	}
	if err := writePID(f, name); err != nil {
		lock.Close()
		return nil, unusable(dir, err)
	}
	return lock, nil
}

// inUse names the holder as well as its lock file tells it.
func inUse(f vfs.FS, dir string, cause error) error {
	r := &Refused{Kind: InUse, Path: dir, Reason: "is in use by another process",
		Advice: "Stop that process, or name another directory."}
	text, _, err := readFile(f, path.Join(dir, lockName))
	if err != nil {
		r.Cause = cause
		return r
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil || pid <= 0:
	case pid == os.Getpid():
		r.PID = pid
		r.Reason = "is in use by another server of this process (pid " + strconv.Itoa(pid) + ")"
		r.Advice = "Close that server first, or name another directory."
	default:
		r.PID = pid
		r.Reason = "is in use by process " + strconv.Itoa(pid)
	}
	return r
}

// writePID writes our pid into the lock file, for whoever finds it locked.
func writePID(f vfs.FS, name string) error {
	file, err := f.OpenFile(name, os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// claim, with the lock held, reads whose the directory is or makes it ours.
func (d *Dir) claim(f vfs.FS, o Options) error {
	l, err := lookAt(f, d.Path)
	if err != nil {
		return unusable(d.Path, err)
	}
	if err := l.refuseForeign(d.Path, o.Import); err != nil {
		return err
	}
	info, err := f.Stat(d.Path)
	if err != nil {
		return unusable(d.Path, err)
	}
	inode := inodeOf(info)
	if l.mark == nil {
		return d.found(f, o, inode)
	}
	m, err := d.readMark(&l, o)
	if err != nil {
		return err
	}
	return d.take(f, o, m, &l, inode)
}

// found makes a fresh directory ours.
func (d *Dir) found(f vfs.FS, o Options, inode uint64) error {
	newID := o.NewID
	if newID == nil {
		newID = drawID
	}
	id := identity{clusterID: o.ClusterID, nodeID: o.NodeID, directoryID: newID()}
	if id.clusterID == "" {
		id.clusterID = newID().String()
	}
	if id.nodeID < 0 {
		id.nodeID = firstNodeID
	}
	d.set(id)
	d.Fresh, d.Joined = true, o.Joined
	if err := syncPath(f, d.Path); err != nil {
		return unusable(d.Path, err)
	}
	return d.write(f, mark{format: Format, identity: id, inode: inode, joined: o.Joined})
}

// readMark parses the mark; with Adopt a damaged one is made again from a
// sound meta.properties.
func (d *Dir) readMark(l *look, o Options) (mark, error) {
	m, err := parseMark(l.mark)
	if err == nil {
		return m, nil
	}
	if errors.Is(err, errNewerFormat) {
		return m, &Refused{Kind: NewerFormat, Path: d.Path,
			Reason: fmt.Sprintf("has format %d, and this version of Ottla knows formats up to %d", m.format, Format),
			Advice: "Start it with the version that wrote it, or a later one."}
	}
	id, metaErr := parseMeta(l.meta)
	if metaErr != nil {
		return m, &Refused{Kind: Damaged, Path: d.Path,
			Reason: "has a damaged " + markName + ", and " + metaName + " cannot stand in for it (" + metaErr.Error() + ")",
			Advice: "Restore both files from a backup of this directory.", Cause: err}
	}
	if !o.Adopt {
		return m, &Refused{Kind: Damaged, Path: d.Path, Reason: "has a damaged " + markName,
			Advice: "If no other node runs on a copy of this directory, start once with --adopt: it is made again from " + metaName + ".",
			Cause:  err}
	}
	return mark{format: Format, identity: id}, nil
}

// take checks a directory of ours against what is wanted, and mends what is
// derived.
func (d *Dir) take(f vfs.FS, o Options, m mark, l *look, inode uint64) error {
	if err := d.judge(o, m, inode); err != nil {
		return err
	}
	meta, metaErr := parseMeta(l.meta)
	if metaErr == nil && meta != m.identity {
		return &Refused{Kind: Damaged, Path: d.Path,
			Reason: fmt.Sprintf("contradicts itself: %s names cluster %s, node %d, directory %s, and %s cluster %s, node %d, directory %s",
				markName, m.clusterID, m.nodeID, m.directoryID, metaName, meta.clusterID, meta.nodeID, meta.directoryID),
			Advice: "Put back the " + metaName + " that belongs here, or remove it: it is then made again."}
	}
	d.set(m.identity)
	d.Joined = m.joined
	if m.inode == inode && metaErr == nil {
		return nil
	}
	m.inode = inode
	return d.write(f, m)
}

// judge refuses another cluster's, another node's or a copied directory.
func (d *Dir) judge(o Options, m mark, inode uint64) error {
	switch {
	case o.ClusterID != "" && o.ClusterID != m.clusterID:
		return &Refused{Kind: OtherCluster, Path: d.Path,
			Reason: "belongs to cluster " + m.clusterID + ", and this node is to be of cluster " + o.ClusterID,
			Advice: "Name the directory of this cluster, or leave the cluster id out to go on with the one it has."}
	case o.NodeID >= 0 && o.NodeID != m.nodeID:
		return &Refused{Kind: OtherNode, Path: d.Path,
			Reason: fmt.Sprintf("belongs to node %d, and this is to be node %d", m.nodeID, o.NodeID),
			Advice: fmt.Sprintf("Name the directory of node %d, or set node.id to %d.", o.NodeID, m.nodeID)}
	case m.inode != 0 && inode != 0 && m.inode != inode && !o.Adopt:
		return &Refused{Kind: Copied, Path: d.Path,
			Reason: fmt.Sprintf("is a copy of the directory of node %d of cluster %s (it was made at inode %d and lies at %d)", m.nodeID, m.clusterID, m.inode, inode),
			Advice: "Two nodes on copies of one directory would destroy the cluster. If this copy replaces the original for good, start once with --adopt."}
	}
	return nil
}

// write makes both files anew, the mark first.
func (d *Dir) write(f vfs.FS, m mark) error {
	if err := writeFile(f, path.Join(d.Path, markName), formatMark(m)); err != nil {
		return unusable(d.Path, err)
	}
	if err := writeFile(f, path.Join(d.Path, metaName), formatMeta(m.identity)); err != nil {
		return unusable(d.Path, err)
	}
	return nil
}

func (d *Dir) set(id identity) {
	d.ClusterID, d.NodeID, d.DirectoryID = id.clusterID, id.nodeID, id.directoryID
}

// unusable sorts an error of the file system.
func unusable(dir string, err error) *Refused {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return &Refused{Kind: NoPermission, Path: dir, Reason: "cannot be read and written by this user",
			Advice: "Give this user the rights, or name another directory.", Cause: err}
	case errors.Is(err, syscall.ENOTDIR):
		return &Refused{Kind: NotDirectory, Path: dir, Reason: "leads through a file",
			Advice: "Name a directory, or a path where one can be made.", Cause: err}
	}
	return &Refused{Kind: Unusable, Path: dir, Reason: "cannot be used", Cause: err,
		Advice: "See to the disk (room, mount, health), or name another directory."}
}

// drawID draws from the system's random source, which does not fail (the
// runtime ends the process first).
func drawID() uuid.UUID {
	id, err := uuid.New(rand.Reader)
	if err != nil {
		panic("datadir: the system's random source failed: " + err.Error())
	}
	return id
}
