package store

import (
	"ottla/internal/share"
	"ottla/internal/uuid"
)

// The commands that a machine steps and their replies, one share-partition
// each. A refusal is an error with a wire.Code.

// Initialize makes a state anew, whatever was. Start is -1 when the first
// reader shall find out where to begin. The reply is nil.
type Initialize struct {
	Key        Key
	StateEpoch int32
	Start      int64
	// LeaderEpoch is that of the leader who asks, -1 of anybody else: then it
	// stays as it is.
	LeaderEpoch int32
}

// Read gives a state to the leader of its partition, and keeps older leaders
// out from now on. LeaderEpoch -1 keeps nobody out. The reply is a State.
type Read struct {
	Key         Key
	LeaderEpoch int32
	// OrNone asks for an empty State where there is none; else that is an
	// error.
	OrNone bool
}

// Exact implements coordinator.Exact: what was acknowledged must not be given out
// again.
func (Read) Exact() {}

// State is a state as it is stored.
type State struct {
	StateEpoch int32
	Start      int64 // -1: not known yet
	Rows       []share.Stored
}

// Put stores what changed. Start -1 leaves the start as it is, Done -1 says
// that the number of records done is not known. Its rows are the machine's
// from then on. The reply is nil.
type Put struct {
	Key                     Key
	StateEpoch, LeaderEpoch int32
	Start                   int64
	Done                    int32
	Rows                    []share.Stored
}

// Delete forgets a state; one that is not there is no error. The reply is nil.
type Delete struct{ Key Key }

// Firm implements coordinator.Firm: there may be one by now.
func (Delete) Firm(any) bool { return true }

// Forget deletes the states of topics that are gone. The reply is true when
// there were more than one turn may delete, and another Forget shall follow.
type Forget struct{ Topics []uuid.UUID }

// Summarize shows a state without its rows; the reply is a Summary.
type Summarize struct {
	Key         Key
	LeaderEpoch int32
}

// Summary is what groups show of a state. Without one, Start is -1.
type Summary struct {
	Known                   bool // there is a state
	StateEpoch, LeaderEpoch int32
	Start                   int64
	Done                    int32
}
