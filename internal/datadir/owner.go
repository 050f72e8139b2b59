package datadir

import (
	"path"

	"ottla/internal/vfs"
)

// Owner tells whose a directory is, without taking it: a node may hold it and
// run. One that does not carry a sound mark of ours is a *Refused.
func Owner(f vfs.FS, dir string) (*Dir, error) {
	text, err := readOwner(f, path.Join(dir, markName))
	if err != nil {
		return nil, unusable(dir, err)
	}
	if text == nil {
		return nil, &Refused{Kind: Foreign, Path: dir, Reason: "is not the data directory of a node",
			Advice: "Name the first data directory of a node."}
	}
	m, err := parseMark(text)
	if err != nil {
		return nil, &Refused{Kind: Damaged, Path: dir, Reason: "has a " + markName + " that cannot be read", Cause: err,
			Advice: "Start the node: it says what can be done."}
	}
	d := &Dir{Path: dir}
	d.set(m.identity)
	return d, nil
}
