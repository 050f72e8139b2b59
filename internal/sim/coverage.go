package sim

import (
	"maps"
	"slices"
)

// Fault names something that went wrong on a disk, or a shape in which a crash
// left it. Each is counted when it happens, for a fault that is planned and
// never met tests nothing.
type Fault string

// The faults that are counted.
const (
	PowerCut        Fault = "power cut in the middle of a run"
	Killed          Fault = "process killed"
	SyncFailed      Fault = "sync failed"
	ReadFailed      Fault = "read failed"
	WriteFailed     Fault = "write failed"
	NameFailed      Fault = "create, rename, remove or list failed"
	AllocateFailed  Fault = "allocation failed"
	NoSpace         Fault = "disk full"
	ShortWrite      Fault = "write cut short"
	LostWrite       Fault = "write acknowledged and lost"
	LyingSync       Fault = "sync acknowledged and not done"
	Misdirected     Fault = "write to the wrong place"
	LostPages       Fault = "crash lost pages"
	KeptPages       Fault = "crash kept unsynced pages"
	TornPage        Fault = "crash tore a page between sectors"
	ZeroTail        Fault = "crash kept a size without its bytes"
	GarbageTail     Fault = "crash left garbage behind the synced end"
	LostNames       Fault = "crash lost names"
	KeptNames       Fault = "crash kept unsynced names"
	ReorderedNames  Fault = "crash kept a later name and lost an earlier one"
	FlippedBit      Fault = "bit flipped"
	DamagedRange    Fault = "range zeroed or overwritten"
	ShortenedFile   Fault = "file shortened"
	DeletedFile     Fault = "file deleted"
	StaleFile       Fault = "old version of a file back"
	ForgottenBySync Fault = "failed sync left pages clean and unwritten"
)

// failures names the fault that an error of the hook is.
var failures = map[OpKind]Fault{
	OpOpen: NameFailed, OpCreate: NameFailed, OpMkdir: NameFailed, OpRemove: NameFailed,
	OpRename: NameFailed, OpReadDir: NameFailed, OpStat: NameFailed, OpLock: NameFailed,
	OpRead: ReadFailed, OpWrite: WriteFailed, OpTruncate: WriteFailed, OpAllocate: AllocateFailed,
	OpSync: SyncFailed, OpSyncDir: SyncFailed, OpSyncFS: SyncFailed,
}

func (d *Disk) hit(f Fault) { d.hits[f]++ }

// Hits tells how often each fault was met.
func (d *Disk) Hits() map[Fault]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.hits)
}

// Coverage sums the faults of many runs.
type Coverage map[Fault]int

// Add counts the faults of one disk.
func (c Coverage) Add(d *Disk) {
	for f, n := range d.Hits() {
		c[f] += n
	}
}

// Missing lists those of the wanted faults that were never met.
func (c Coverage) Missing(want ...Fault) []Fault {
	return slices.DeleteFunc(slices.Clone(want), func(f Fault) bool { return c[f] > 0 })
}
