package quorum

import (
	"crypto/rand"
	"log/slog"
	"time"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// Machine is the state machine that the quorum's leader runs: the controller.
// Step decides and changes nothing; its records are applied, one by one, once
// they are accepted into the log, so that the next Step sees them; Reset makes
// its state that of an image, at the begin of a leadership and after a loss.
type Machine interface {
	Step(now time.Time, cmd any) (records []metadata.Record, reply any, err error)
	Apply(r metadata.Record)
	Reset(img *metadata.Image)
}

// Options make a node of the quorum.
type Options struct {
	NodeID      int32
	DirectoryID uuid.UUID
	ClusterID   string
	// Dir holds __cluster_metadata-0, with quorum-state and snapshots in it.
	Dir     *log.Dir
	Machine Machine
	Now     func() time.Time
	Logger  *slog.Logger
	// OnImage is called, in order, on the quorum's goroutine, for every step
	// of the committed image, before the replies to the commands in it leave:
	// so a reply to CreateTopics may promise that its partitions serve. The
	// first call after Start carries the image recovered from disk with a
	// Delta that lists all of it as created.
	OnImage func(img *metadata.Image, d *metadata.Delta)
	// SnapshotBytes is how many bytes of log bring a snapshot; 0 means 20 MiB,
	// Kafka's metadata.log.max.record.bytes.between.snapshots.
	SnapshotBytes int64
	// Endpoints are where this node's controller listens, for the voters
	// record of a new quorum.
	Endpoints []VoterEndpoint

	// Send posts a frame to a node, which gives it to Receive there. It never
	// blocks and may drop; the frame is handed over and at most MaxFrame long.
	// Nil where there is nobody else.
	Send func(node int32, frame []byte)
	// Joining opens an empty directory as one that waits to be taken in by a
	// quorum (Join, asked of its leader); it never founds one. A directory that
	// holds a metadata log goes on with that, whatever Joining says.
	Joining bool
	// Rejoin lets a node whose metadata log is gone (an operator moved a damaged
	// one away), and that would be refused without it, wait to be taken in as
	// with Joining, under another directory id. A fresh directory founds.
	Rejoin bool
	// Peers tells who may be in the quorum as long as no configuration is known
	// here. May be nil: whoever sends is answered in any case.
	Peers func() []Voter
	// OnLeader is told, on the quorum's goroutine, when another node leads or
	// the epoch changes. leader is -1 when none is known, and this node's id
	// once Do is served here.
	OnLeader func(leader, epoch int32)
	// AutoVoters is up to how many voters the leader makes of learners that
	// caught up, by itself and one at a time: quorum.auto.voters; 0 means 3.
	AutoVoters int
	// NewID draws the directory id of a member that joins; nil means random.
	NewID func() uuid.UUID
}

const (
	defaultSnapshotBytes = 20 << 20
	defaultAutoVoters    = 3
)

func (o *Options) fill() {
	if o.SnapshotBytes <= 0 {
		o.SnapshotBytes = defaultSnapshotBytes
	}
	if o.OnImage == nil {
		o.OnImage = func(*metadata.Image, *metadata.Delta) {}
	}
	if o.OnLeader == nil {
		o.OnLeader = func(int32, int32) {}
	}
	if o.Send == nil {
		o.Send = func(int32, []byte) {}
	}
	if o.Peers == nil {
		o.Peers = func() []Voter { return nil }
	}
	if o.AutoVoters <= 0 {
		o.AutoVoters = defaultAutoVoters
	}
	if o.NewID == nil {
		o.NewID = randomID
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

func randomID() uuid.UUID {
	id, err := uuid.New(rand.Reader)
	if err != nil {
		panic("quorum: the system has no randomness: " + err.Error()) // crypto/rand does not fail
	}
	return id
}
