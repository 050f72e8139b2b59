package vfs

import "os"

// Link makes newname another name of the file oldname (a hard link). Both must
// lie on one file system. It is durable after SyncDir of the parent.
func (o *OS) Link(oldname, newname string) error { return os.Link(oldname, newname) }
