package shares

import (
	"context"
	"log/slog"
	"net"
	"time"

	"ottla/internal/config"
	"ottla/internal/kafka/api"
	"ottla/internal/kafka/post"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/kafka/wheel"
	"ottla/internal/metric"
	"ottla/internal/outbox"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// stateTopic is where the states of share-partitions are.
const stateTopic = "__share_group_state"

// Groups runs the groups of this node: see kafka/groups.
type Groups interface {
	Do(ctx context.Context, group string, cmd any) (any, error)
	Go(ctx context.Context, group string, cmd any, done func(any, error))
}

// States runs the share coordinator of this node.
type States interface {
	lead.Store
	Do(ctx context.Context, key string, cmd any) (any, error)
}

// Deps are what the family needs of its node.
type Deps struct {
	Cluster    api.Cluster
	Partitions lead.Partitions
	Groups     Groups
	States     States
	// Persister reaches the share coordinators of all nodes; nil: States is all
	// there is.
	Persister lead.Store
	// Peers are asked for partitions that other nodes lead; nil: there are none.
	Peers  outbox.Peers
	NodeID int32
	// Mute tells whether this node is cut off from the others for all that it knows;
	// nil: never.
	Mute func() bool
	// Prepare makes an internal topic if it is not there, and returns when a
	// key's coordinator may be asked; at once where the topic has been there
	// before.
	Prepare func(ctx context.Context, topic, key string) error
	View    *config.View
	Now     func() time.Time // of locks and waits
	Wall    func() time.Time // of what is stored
	Logger  *slog.Logger
	// Morgue writes the dead letters of queues; nil: as those of other groups.
	Morgue Morgue
	// Letters counts dead letters, LettersFailed tries that failed; nil counts
	// nothing.
	Letters, LettersFailed *metric.Counter
}

// Family holds what the handlers share.
type Family struct {
	d        Deps
	graves   post.Office // the partitions of dead letters
	wheel    *wheel.Wheel
	lead     *lead.Manager
	sessions *sessions
	cached   settingsCache
	fetchMax int
	patience time.Duration
}

// New makes the family; Close must follow.
func New(d Deps) *Family {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Persister == nil {
		d.Persister = d.States
	}
	f := &Family{d: d, wheel: wheel.New(), sessions: newSessions(0)}
	if d.View == nil {
		return f
	}
	f.graves = post.Office{
		NodeID: d.NodeID, Partitions: d.Partitions, Peers: d.Peers, View: d.View, Image: d.Cluster.Image, Timeout: makeTimeout,
	}
	f.fetchMax = int(d.View.Int(nil, "fetch.max.bytes"))
	f.patience = d.View.Duration(nil, "share.coordinator.write.timeout.ms")
	f.sessions = newSessions(int(d.View.Int(nil, "group.share.max.share.sessions")))
	f.lead = lead.New(lead.Options{
		Partitions: d.Partitions, Store: preparing{f}, Settings: f.settings, Now: d.Now, Wall: d.Wall,
		Wheel: f.wheel, Patience: f.patience, Dead: f.bury, Logger: d.Logger,
	})
	return f
}

// Rows lists the family's APIs without their handlers' needs, for documents.
func Rows() []api.API {
	f := New(Deps{})
	defer f.Close()
	return f.APIs()
}

// APIs are the family's rows.
func (f *Family) APIs() []api.API {
	return []api.API{
		f.shareGroupHeartbeatRow(), f.shareGroupDescribeRow(), f.shareFetchRow(), f.shareAcknowledgeRow(),
		f.initializeRow(), f.readRow(), f.writeRow(), f.deleteRow(), f.summaryRow(),
		f.describeOffsetsRow(), f.alterOffsetsRow(), f.deleteOffsetsRow(),
	}
}

// Close stops what the family runs; the door is closed by then, and the
// coordinator of states answers everything that it was given.
func (f *Family) Close() {
	f.wheel.Close()
	if f.lead != nil {
		f.lead.Close()
	}
}

// Lead are the share-partitions of this node.
func (f *Family) Lead() *lead.Manager { return f.lead }

// MemberGone tells that a member has left its group, by itself or for its
// silence: its sessions end.
func (f *Family) MemberGone(group, member string) {
	f.sessions.drop(sessionKey{group, member})
	f.left(sessionKey{group, member})
}

// part gives a share-partition whose partition is led here.
func (f *Family) part(key store.Key) (*lead.Part, error) {
	if _, code := f.d.Partitions.ByID(key.TopicID, key.Partition); code != wire.None {
		return nil, code
	}
	if p := f.lead.Part(key); p != nil {
		return p, nil
	}
	return nil, wire.NotLeaderOrFollower
}

// left gives back what a member holds that has no session any more. Of a group
// without any session at this node nothing is kept in memory.
func (f *Family) left(key sessionKey) {
	f.lead.Leave(key.group, key.member)
	if !f.sessions.any(key.group) {
		f.lead.Rest(key.group)
	}
}

// connClosed ends the sessions of a connection that has ended.
func (f *Family) connClosed(conn uint64) {
	for _, key := range f.sessions.closeAll(conn) {
		f.left(key)
	}
}

// preparing is the share coordinator, whose topic is made when it is first
// asked.
type preparing struct{ f *Family }

// Go gives a command to the coordinator, once what it needs is there; done is
// told the reply.
func (p preparing) Go(ctx context.Context, key string, cmd any, done func(any, error)) {
	if _, first := cmd.(store.Read); first {
		if err := p.f.prepare(ctx, key); err != nil {
			done(nil, err)
			return
		}
	}
	p.f.d.Persister.Go(ctx, key, cmd, done)
}

// prepare makes the topic of states if it is not there.
func (f *Family) prepare(ctx context.Context, key string) error {
	return f.d.Prepare(ctx, stateTopic, key)
}

// topicID finds a topic by its name.
func (f *Family) topicID(name string) (uuid.UUID, bool) {
	if t := f.d.Cluster.Image().TopicByName(name); t != nil {
		return t.ID, true
	}
	return uuid.UUID{}, false
}

// hostOf is a connection's peer as Kafka shows the hosts of members.
func hostOf(c *api.Conn) string {
	if c.Remote == nil {
		return "/"
	}
	host, _, err := net.SplitHostPort(c.Remote.String())
	if err != nil {
		host = c.Remote.String()
	}
	return "/" + host
}
