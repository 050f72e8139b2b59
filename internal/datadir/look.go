package datadir

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"ottla/internal/vfs"
)

// Names of the files in the directory.
const (
	lockName   = ".lock"
	metaName   = "meta.properties"
	markName   = "ottla.properties"
	tempSuffix = ".tmp"
)

// ImportMarker lies in a directory that an import of Kafka's logs is filling:
// only an import takes it until the mark is there.
const ImportMarker = "ottla.import"

// look is what a directory holds, as far as telling whose it is goes.
type look struct {
	mark, meta []byte // nil when there is none
	kafka      bool   // something that only a log directory of Kafka's layout has
	other      string // a name that an empty directory would not hold, "" when none
	importing  bool   // an import began here
}

// partitionDir matches TOPIC-N, with the suffixes that Kafka gives.
var partitionDir = regexp.MustCompile(`^[a-zA-Z0-9._-]+-[0-9]+(\.[0-9a-zA-Z_-]+-(delete|stray|future))?$`)

// lookAt lists the directory and reads the two files that name its owner.
func lookAt(f vfs.FS, dir string) (look, error) {
	entries, err := f.ReadDir(dir)
	if err != nil {
		return look{}, err
	}
	var l look
	for _, e := range entries {
		l.note(e)
	}
	if l.mark, err = readOwner(f, path.Join(dir, markName)); err != nil {
		return look{}, err
	}
	if l.meta, err = readOwner(f, path.Join(dir, metaName)); err != nil {
		return look{}, err
	}
	return l, nil
}

// readOwner reads one of the two files, nil when there is none. One that is
// there and cannot be such a file (a directory, far too long) comes back
// empty, which no parser takes for sound.
func readOwner(f vfs.FS, name string) ([]byte, error) {
	text, found, err := readFile(f, name)
	switch {
	case err != nil && (errors.Is(err, fs.ErrPermission) || !found):
		return nil, err
	case err != nil:
		return []byte{}, nil
	case !found:
		return nil, nil
	}
	return text, nil
}

// note takes one entry into account.
func (l *look) note(e fs.DirEntry) {
	name := e.Name()
	switch {
	case name == markName, name == metaName:
	case name == lockName, name == markName+tempSuffix, name == metaName+tempSuffix:
		// left by a start that did not get further
	case name == ImportMarker:
		l.importing = true
	case name == "lost+found" && e.IsDir():
		// the root of a file system of its own
	case e.IsDir() && partitionDir.MatchString(name),
		strings.HasSuffix(name, "-offset-checkpoint"), name == ".kafka_cleanshutdown",
		name == "bootstrap.checkpoint":
		l.kafka = true
		l.other = name
	case l.other == "":
		l.other = name
	}
}
