package ottla

import (
	"sync"
	"time"

	"ottla/internal/vfs/faulty"
)

// Faults break a node's disk and its connections on demand, in memory and on a
// real disk alike. The zero value breaks nothing. It belongs in Options.Faults
// before the start; everything on it may be called at any time, from any
// goroutine. What is set outlives a node: a disk that is full stays full for
// the next node that is started with the same Faults.
type Faults struct {
	disk faulty.Faults

	mu     sync.Mutex // guards all below
	nodes  map[*Server]struct{}
	refuse bool
	cut    int64
}

// FaultsMet counts the faults that were really met, so that a test can hold
// that it tested something.
type FaultsMet struct {
	Delayed int64 // writes and syncs of a slow disk
	Failed  int64 // writes and syncs that failed with EIO
	Full    int64 // writes and new files that found no room
	Cut     int64 // connections that were closed
}

// Met tells which faults were met so far.
func (f *Faults) Met() FaultsMet {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.disk.Met()
	return FaultsMet{Delayed: m.Delayed, Failed: m.Failed, Full: m.Full, Cut: f.cut}
}

// SlowDisk holds up every write and every sync by so much; 0 ends it.
func (f *Faults) SlowDisk(write, sync time.Duration) { f.disk.Slow(write, sync) }

// FailNextWrite lets the next write to disk fail with EIO: the node takes its
// log directory offline for good, as it does for a real disk that fails.
func (f *Faults) FailNextWrite() { f.disk.FailNextWrite() }

// FailNextSync lets the next sync fail with EIO. A failed sync may have lost
// what was written, so the log directory goes offline: producers hear
// KAFKA_STORAGE_ERROR, and /readyz says why, until the node is started again.
func (f *Faults) FailNextSync() { f.disk.FailNextSync() }

// FullDisk makes the disk full, or gives it back its room. Producers hear
// KAFKA_STORAGE_ERROR while it is full, reading goes on, and writing does as
// soon as there is room.
func (f *Faults) FullDisk(full bool) { f.disk.Full(full) }

// LimitDisk leaves room for so many bytes more; what is deleted gives room back.
// A negative number ends the limit.
func (f *Faults) LimitDisk(bytes int64) {
	if bytes < 0 {
		f.disk.Unlimit()
		return
	}
	f.disk.Limit(bytes)
}

// CutConnections closes every client's connection now, whatever it waits for.
// Answers under way are lost, what they would have told has happened. Clients
// connect again unless RefuseConnections keeps them out.
func (f *Faults) CutConnections() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.nodes {
		f.cut += int64(s.node.CutConnections())
	}
}

// RefuseConnections closes every new connection at once, or lets them in again.
// Those that are open stay open.
func (f *Faults) RefuseConnections(refuse bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = refuse
	for s := range f.nodes {
		s.node.RefuseConnections(refuse)
	}
}

// Heal ends every fault, and those that have not been met yet. A log directory
// that went offline stays so until the node is started again.
func (f *Faults) Heal() {
	f.disk.Heal()
	f.RefuseConnections(false)
}

func (f *Faults) join(s *Server) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.nodes == nil {
		f.nodes = map[*Server]struct{}{}
	}
	f.nodes[s] = struct{}{}
	s.node.RefuseConnections(f.refuse)
}

func (f *Faults) leave(s *Server) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.nodes, s)
}
