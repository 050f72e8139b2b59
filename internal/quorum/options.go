package quorum

import (
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
}

const defaultSnapshotBytes = 20 << 20

func (o *Options) fill() {
	if o.SnapshotBytes <= 0 {
		o.SnapshotBytes = defaultSnapshotBytes
	}
	if o.OnImage == nil {
		o.OnImage = func(*metadata.Image, *metadata.Delta) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}
