package data

import (
	"log/slog"
	"strings"
	"time"

	"ottla/internal/config"
	"ottla/internal/kafka/api"
	"ottla/internal/kafka/data/feed"
	"ottla/internal/kafka/wheel"
	"ottla/internal/metadata"
	"ottla/internal/metric"
	"ottla/internal/partition"
	"ottla/internal/quota"
	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// Cluster is what this family must know of the cluster.
type Cluster interface{ Image() *metadata.Image }

// Partitions finds a partition to serve, or says with a code why there is
// none. Neither method allocates.
type Partitions interface {
	ByName(topic []byte, index int32) (*partition.Partition, wire.Code)
	ByID(id uuid.UUID, index int32) (*partition.Partition, wire.Code)
}

// Replicas finds a partition to read from, led here or followed; Partitions may
// implement it. Neither method allocates.
type Replicas interface {
	AnyByName(topic []byte, index int32) (*partition.Partition, wire.Code)
	AnyByID(id uuid.UUID, index int32) (*partition.Partition, wire.Code)
}

// Tails tells how far the log of a replica goes that is held here, led or not;
// Partitions may implement it.
type Tails interface {
	TailByName(topic []byte, index int32) (partition.Tail, wire.Code)
}

// Options make a Family.
type Options struct {
	Cluster    Cluster
	Partitions Partitions
	// Transactions vouch for transactional batches; nil where there are none.
	Transactions Transactions
	View         *config.View
	Now          func() time.Time // for the age of fetch sessions; time.Now when nil
	Logger       *slog.Logger
	Metrics      *metric.Registry // nil: not measured
	// Trusted tells whether no other node can have taken this one's place yet; nil:
	// none ever does.
	Trusted func() bool
	// Mute tells whether this node is cut off from the others for all that it knows;
	// nil: never.
	Mute func() bool
	// Throttle is what throttled replicas that are not in sync are sent; nil: all.
	Throttle *quota.Quota
}

// Family holds what the handlers share.
type Family struct {
	o        Options
	wheel    *wheel.Wheel
	sessions *cache
	feeder   *feed.Feeder
	any      Replicas // nil: only leaders are read from
	tails    Tails    // nil: only leaders tell where epochs end
	rackly   bool     // consumers are sent to replicas in their racks
	fetchMax int      // fetch.max.bytes
	m        familyMetrics
}

// New makes the family; Close must follow.
func New(o Options) *Family {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Family{o: o, wheel: wheel.New(), m: newFamilyMetrics(o.Metrics)}
	f.fetchMax = int(o.View.Int(nil, "fetch.max.bytes"))
	f.sessions = newCache(int(o.View.Int(nil, "max.incremental.fetch.session.cache.slots")), &f.m)
	f.any, _ = o.Partitions.(Replicas)
	f.tails, _ = o.Partitions.(Tails)
	f.rackly = strings.HasSuffix(o.View.String(nil, "replica.selector.class"), rackAware)
	f.feeder = feed.New(feed.Options{Partitions: o.Partitions, Wheel: f.wheel, Logger: o.Logger, Fed: f.m.fetched, Throttle: o.Throttle})
	return f
}

// APIs are the family's rows.
func (f *Family) APIs() []api.API {
	return []api.API{
		f.produceRow(), f.fetchRow(), f.listOffsetsRow(), f.offsetForLeaderEpochRow(), f.describeProducersRow(),
		{Key: own.KeyReplicaProgress, NodesOnly: true, Serve: f.feeder.Progress},
	}
}

// Close stops the time-outs; the door is closed by then.
func (f *Family) Close() { f.wheel.Close() }

// familyMetrics are the family's instruments; codes are by number, so that
// counting an error costs no look-up.
type familyMetrics struct {
	batches, produced, fetched *metric.Counter
	batchBytes                 *metric.Histogram
	sessions                   *metric.Gauge
	evicted                    *metric.Counter
	codes                      [lastCode + 2]*metric.Counter // index: code+1
}

// lastCode is the highest code that is counted under its own name.
const lastCode = wire.ControllerIDNotRegistered

func newFamilyMetrics(r *metric.Registry) familyMetrics {
	m := familyMetrics{
		batches:    r.Counter("ottla_produce_batches_total"),
		produced:   r.Counter("ottla_produce_bytes_total"),
		batchBytes: r.Histogram("ottla_produce_batch_size_bytes"),
		fetched:    r.Counter("ottla_fetch_bytes_total"),
		sessions:   r.Gauge("ottla_fetch_sessions"),
		evicted:    r.Counter("ottla_fetch_sessions_evicted_total"),
	}
	for _, c := range countedCodes {
		m.codes[c+1] = r.Counter("ottla_kafka_errors_total", c.Name())
	}
	return m
}

// countedCodes are what Produce and Fetch can answer.
var countedCodes = []wire.Code{
	wire.UnknownServerError, wire.OffsetOutOfRange, wire.CorruptMessage, wire.UnknownTopicOrPartition,
	wire.NotLeaderOrFollower, wire.RequestTimedOut, wire.MessageTooLarge, wire.InvalidTopic, wire.RecordListTooLarge,
	wire.NotEnoughReplicas, wire.NotEnoughReplicasAfterAppend, wire.InvalidRequiredAcks, wire.TopicAuthorizationFailed,
	wire.InvalidTimestamp, wire.OutOfOrderSequenceNumber, wire.InvalidProducerEpoch, wire.InvalidTxnState,
	wire.InvalidProducerIDMapping, wire.InvalidRequest,
	wire.TransactionalIDAuthorizationFailed, wire.KafkaStorageError, wire.FetchSessionIDNotFound,
	wire.InvalidFetchSessionEpoch, wire.FencedLeaderEpoch, wire.UnknownLeaderEpoch, wire.UnsupportedCompression,
	wire.InvalidRecord, wire.UnknownTopicID, wire.InconsistentTopicID, wire.FetchSessionTopicIDError, wire.TransactionAbortable,
}

// code counts an error.
func (m *familyMetrics) code(c wire.Code) {
	if i := int(c) + 1; c != wire.None && i >= 0 && i < len(m.codes) {
		m.codes[i].Inc()
	}
}
