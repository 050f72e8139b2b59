package cluster

import "ottla/internal/sim"

// Sabotage breaks the product's ground on purpose, so that a test can see the rules
// fail. The zero value breaks nothing.
type Sabotage string

// The kinds of sabotage.
const (
	// LyingSyncs: disks say that they have synced, and have not.
	LyingSyncs Sabotage = "lying syncs"
	// EarlyAnswers: a produce is acknowledged when it is written at the leader.
	EarlyAnswers Sabotage = "early answers"
	// LostMarkers: coordinators take markers for written that never were sent.
	LostMarkers Sabotage = "lost markers"
	// ForgetfulGroups: offsets are acknowledged and not committed.
	ForgetfulGroups Sabotage = "forgetful groups"
	// DirtyReads: readers at read_committed are given all there is.
	DirtyReads Sabotage = "dirty reads"
	// BlindTrust: a replica leads although its end is in doubt.
	BlindTrust Sabotage = "blind trust"
)

// lies tells what becomes of an operation of a disk that lies.
func (s Sabotage) lies(op sim.Op) sim.Action {
	if s == LyingSyncs && (op.Kind == sim.OpSync || op.Kind == sim.OpSyncFS) {
		return sim.Action{Lose: true}
	}
	return sim.Action{}
}
