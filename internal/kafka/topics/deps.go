package topics

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// Cluster is the metadata of the cluster: what it is, and how to change it.
type Cluster interface {
	Image() *metadata.Image
	// Do gives the controller a command; when it returns, the change is
	// committed and this node has applied it.
	Do(ctx context.Context, cmd any) (any, error)
}

// Records reaches the partitions that this node leads.
type Records interface {
	// DeleteRecords raises a log start offset (-1: to the high watermark) and
	// returns the new low watermark. The error is a wire.Code or *wire.Error.
	DeleteRecords(topic string, index int32, offset int64) (int64, error)
}

// Deps is what the family needs of its node.
type Deps struct {
	Cluster Cluster
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
		h.describeTopicPartitions(),
	}
}

// handlers holds the family's handlers.
type handlers struct{ d Deps }

// row makes a dispatch row whose handler takes its own request type.
func row[Q kmsg.Request](key, low, high int16, serve func(context.Context, Q) (kmsg.Response, error), differences ...string) api.API {
	return api.API{
		Key: key, Min: low, Max: high, ListedMin: low, Differences: differences,
		Handle: func(ctx context.Context, _ *api.Conn, req kmsg.Request) (kmsg.Response, error) {
			q, ok := req.(Q)
			if !ok {
				return nil, wire.Errorf(wire.UnknownServerError, "a request of type %T came to the handler of API key %d", req, key)
			}
			return serve(ctx, q)
		},
	}
}

// LedHere makes Records of a node's look-up of partitions.
func LedHere(find func(topic []byte, index int32) (*partition.Partition, wire.Code)) Records {
	return ledHere(find)
}

type ledHere func(topic []byte, index int32) (*partition.Partition, wire.Code)

func (find ledHere) DeleteRecords(topic string, index int32, offset int64) (int64, error) {
	p, code := find([]byte(topic), index)
	if code != wire.None {
		return -1, code
	}
	return p.DeleteRecords(offset)
}

// allTopicOperations are the bits of AclOperation that mean something for a
// topic (KIP-430); without an authorizer everybody may do them all: READ,
// WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS.
const allTopicOperations = 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<8 | 1<<10 | 1<<11

// operationsUnset is how Kafka leaves authorized operations out.
const operationsUnset = math.MinInt32

// leastTimeout is what a change is given even where the client asks for less:
// Kafka's clients treat 0 as "do not wait for me", not as "do not do it".
const leastTimeout = time.Second

// within bounds a change by the time that its request allows.
func within(ctx context.Context, timeoutMillis int32) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, max(time.Duration(timeoutMillis)*time.Millisecond, leastTimeout))
}

// do runs a command and gives its reply as R. A refusal of the whole command,
// or its time running out, is an error with a code.
func do[R any](ctx context.Context, c Cluster, timeoutMillis int32, cmd any) (R, error) {
	ctx, cancel := within(ctx, timeoutMillis)
	defer cancel()
	var none R
	reply, err := c.Do(ctx, cmd)
	if err != nil {
		if ctx.Err() != nil && wire.CodeOf(err) == wire.UnknownServerError {
			return none, wire.RequestTimedOut
		}
		return none, err
	}
	r, ok := reply.(R)
	if !ok {
		return none, wire.Errorf(wire.UnknownServerError, "the controller answered %T with %T", cmd, reply)
	}
	return r, nil
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
