package server

import (
	"log/slog"
	"time"

	"ottla/internal/clock"
	"ottla/internal/config"
	"ottla/internal/vfs"
)

// Options make a node.
type Options struct {
	FS vfs.FS
	// LoopbackTargets lets schedules call addresses of this machine, over plain
	// HTTP too: for development.
	LoopbackTargets bool
	// NoBuses has this node run no buses: another Service stands in the place of its own,
	// which would take back what that knows of sources (tests of event/run).
	NoBuses bool
	// Dirs are the log directories; the first also holds the metadata log.
	Dirs []string
	// ClusterID and NodeID are what the directories must belong to; "" and -1
	// take what is there, or give out new ones.
	ClusterID string
	NodeID    int32
	// Adopt takes a directory that looks like a copy of another.
	Adopt bool
	// Join are addresses of nodes of the cluster that a fresh directory shall
	// belong to, any of them; a directory that belongs to one already finds it
	// by itself. Without them a fresh directory founds a cluster.
	Join []string
	// Token admits a node to the cluster (Server.Token of one of its nodes); ""
	// where both sides are Insecure.
	Token string
	// Insecure admits nodes that have no token, and joins without one. Nodes
	// prove who they are all the same.
	Insecure bool
	// NoVote keeps the node from becoming a voter of the metadata quorum by
	// itself.
	NoVote bool
	// Listen are the Kafka listeners, at least one.
	Listen []Listener
	// HTTP is the HTTP port's address; "" for none.
	HTTP string
	// HTTPOptional falls back to the next free ports when HTTP is busy.
	HTTPOptional bool
	// Static are the settings the node was started with.
	Static *config.Static
	// VerifyAge is how long bytes read or written are trusted before a read
	// checks them again.
	VerifyAge time.Duration
	// Reserve is the disk space kept for metadata and internal topics.
	Reserve int64
	// Now is the domain clock: retention, record times, expiry, compaction. It
	// may jump; see Settle.
	Now func() time.Time
	// Clock is what Now shows where that can be moved, over HTTP too; nil where it
	// is real.
	Clock *clock.Clock
	// Live is the clock of sessions, rebalances and connections, which never
	// jumps; nil means Now.
	Live   func() time.Time
	Logger *slog.Logger
	// Level is the logger's level, shown and changed as a broker logger; nil
	// when there is none to change.
	Level   *slog.LevelVar
	Version string
}

// Listener is one Kafka port.
type Listener struct {
	Name string // PLAINTEXT unless configured
	Addr string // host:port to bind; port 0 takes a free one
	// AdvertiseHost and AdvertisePort are what clients are told; "" and 0
	// tell each client the address that it used.
	AdvertiseHost string
	AdvertisePort int32
}
