package groups

import (
	"context"
	"net"
	"time"

	"ottla/internal/config"
	"ottla/internal/coordinator"
	"ottla/internal/kafka/api"
	"ottla/internal/uuid"
)

// Topics where coordinators live.
const (
	offsetsTopic = "__consumer_offsets"
	stateTopic   = "__transaction_state"
	shareTopic   = "__share_group_state"
)

// Coordinator runs the groups of this node.
type Coordinator interface {
	// PartitionFor tells which partition of the offsets topic a group is in.
	PartitionFor(group string) (int32, error)
	// Go gives a command of package group to the group's machine; done is
	// called once, from any goroutine, with its reply.
	Go(ctx context.Context, group string, cmd any, done func(any, error))
	// Each gives a command to all machines of this node.
	Each(ctx context.Context, cmd any) []coordinator.Answer
}

// Deps are what the family needs of its node.
type Deps struct {
	Cluster api.Cluster
	Groups  Coordinator
	// Txns are only asked where a transactional id belongs.
	Txns interface {
		PartitionFor(id string) (int32, error)
	}
	// States are only asked where a share-partition's state belongs.
	States interface {
		PartitionFor(key string) (int32, error)
	}
	// Purge, when set, deletes what a share group that is about to be deleted
	// has elsewhere; of other groups it does nothing.
	Purge func(ctx context.Context, group string) error
	// Prepare makes an internal topic if it is not there, and returns when a
	// key's coordinator may be asked; at once where the topic has been there
	// before.
	Prepare func(ctx context.Context, topic, key string) error
	View    *config.View
	// NewID draws the random part of member ids.
	NewID func() uuid.UUID
}

// Family holds what the handlers share.
type Family struct {
	d Deps
	// patience is how long a command may wait to be taken up, and a list to be
	// gathered (offsets.commit.timeout.ms).
	patience time.Duration
}

// New makes the family.
func New(d Deps) *Family {
	f := &Family{d: d}
	if d.View != nil {
		f.patience = d.View.Duration(nil, "offsets.commit.timeout.ms")
	}
	return f
}

// APIs makes the family and gives its rows.
func APIs(d Deps) []api.API { return New(d).APIs() }

// Rows lists the family's APIs without their handlers' needs, for documents.
func Rows() []api.API { return APIs(Deps{}) }

// APIs are the family's rows.
func (f *Family) APIs() []api.API {
	return []api.API{
		f.offsetCommitRow(), f.offsetFetchRow(), f.findCoordinatorRow(), f.joinGroupRow(), f.heartbeatRow(),
		f.leaveGroupRow(), f.syncGroupRow(), f.describeGroupsRow(), f.listGroupsRow(), f.deleteGroupsRow(),
		f.offsetDeleteRow(), f.consumerHeartbeatRow(), f.consumerDescribeRow(),
		f.streamsHeartbeatRow(), f.streamsDescribeRow(), f.streamsDescriptionRow(),
	}
}

// ask gives a command to a group's machine. done makes no answer yet: it is
// called by the machine's goroutine.
func (f *Family) ask(group string, cmd any, done func(any, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), f.patience)
	f.d.Groups.Go(ctx, group, cmd, func(body any, err error) {
		cancel()
		done(body, err)
	})
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
