// Package room watches the room on a log directory's disk. It keeps a ballast
// that is given up when metadata or an internal topic finds the disk full, and
// stops ordinary appends a little before the last byte, so that checkpoints and
// directories can still be written.
//
// It does not append and does not sync. Main type: Room; its methods may be
// called from any goroutine and are cheap while there is room.
// Files: room.go.
package room
