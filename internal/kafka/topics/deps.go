package topics

import (
	"context"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/kafka/api"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// Records reaches the partitions that this node leads.
type Records interface {
	// DeleteRecords raises a log start offset (-1: to the high watermark) and
	// returns the new one. The error is a wire.Code or *wire.Error.
	DeleteRecords(topic string, index int32, offset int64) (int64, error)
	// AwaitLow waits until nothing below an offset is left on any replica that is
	// alive, and returns the low watermark; REQUEST_TIMED_OUT when ctx ends first.
	AwaitLow(ctx context.Context, topic string, index int32, offset int64, alive func(node int32) bool) (int64, error)
}

// Deps is what the family needs of its node.
type Deps struct {
	Cluster api.Cluster
	Records Records
	View    *config.View
	NodeID  int32
	// Level is the node's log level, shown and changed as the broker logger
	// "root"; nil when there is none to change.
	Level *slog.LevelVar
}

// Rows lists the family's APIs without their handlers' needs, for documents.
func Rows() []api.API { return APIs(Deps{}) }

// APIs gives the family's rows of the dispatch table.
func APIs(d Deps) []api.API {
	h := &handlers{d}
	return []api.API{
		h.createTopics(), h.deleteTopics(), h.deleteRecords(), h.describeConfigs(), h.alterConfigs(),
		h.createPartitions(), h.electLeaders(), h.incrementalAlterConfigs(), h.listConfigResources(),
		h.describeTopicPartitions(), h.alterPartitionReassignments(), h.listPartitionReassignments(),
	}
}

// handlers holds the family's handlers.
type handlers struct{ d Deps }

// LedHere makes Records of a node's look-up of partitions; trusted tells whether no
// other node can have taken its place yet.
func LedHere(find func(topic []byte, index int32) (*partition.Partition, wire.Code), trusted func() bool) Records {
	return ledHere{find, trusted}
}

type ledHere struct {
	find    func(topic []byte, index int32) (*partition.Partition, wire.Code)
	trusted func() bool
}

// DeleteRecords raises the log start offset of a partition that is led here.
func (l ledHere) DeleteRecords(topic string, index int32, offset int64) (int64, error) {
	p, code := l.find([]byte(topic), index)
	if code != wire.None {
		return -1, code
	}
	low, err := p.DeleteRecords(offset)
	if wire.CodeOf(err) == wire.OffsetOutOfRange && p.Deposed(l.trusted) {
		err = wire.NotLeaderOrFollower // who leads by now may have given the offset
	}
	return low, err
}

// leastTimeout is what a change is given even where the client asks for less:
// Kafka's clients treat 0 as "do not wait for me", not as "do not do it".
const leastTimeout = time.Second

// do runs a command within the time that its request allows.
func do[R any](ctx context.Context, c api.Cluster, timeoutMillis int32, cmd any) (R, error) {
	return api.Do[R](ctx, c, max(time.Duration(timeoutMillis)*time.Millisecond, leastTimeout), cmd)
}

// text is the message that goes with a code, nil where it would only say what
// the code says: Kafka's clients then put their own words, the ones that its
// tools have always printed.
func text(code wire.Code, message string) *string {
	if message == "" || message == code.Text() {
		return nil
	}
	return &message
}

// anyText is text for the answers in which Kafka sends its clients' words
// itself; nil beside success.
func anyText(code wire.Code, message string) *string {
	if t := text(code, message); t != nil || code == wire.None {
		return t
	}
	return kmsg.StringPtr(api.KafkaText(code))
}

// lowPace is how often it is looked at which nodes are alive meanwhile.
const lowPace = 200 * time.Millisecond

// AwaitLow implements Records.
func (l ledHere) AwaitLow(ctx context.Context, topic string, index int32, offset int64, alive func(node int32) bool) (int64, error) {
	p, code := l.find([]byte(topic), index)
	if code != wire.None {
		return -1, code
	}
	low, again, err := p.Low(alive)
	if err != nil || low >= offset {
		return low, err
	}
	ticks := time.NewTicker(lowPace)
	defer ticks.Stop()
	for err == nil && low < offset {
		select {
		case <-again:
		case <-ticks.C:
		case <-ctx.Done():
			return low, wire.RequestTimedOut
		}
		low, again, err = p.Low(alive)
	}
	return low, err
}
