package metadata

import "ottla/internal/uuid"

// Topic is a topic of an image.
type Topic struct {
	Name       string
	ID         uuid.UUID
	Partitions []*Partition // by index

	owner *owner // the draft that may still change it
	// head is what the partitions' Topic points to: name and id alone, one for
	// the topic's life. If partitions held the version of the topic they were
	// changed in, each would keep that version's whole list alive.
	head *Topic
}

// IsInternal knows the topics that the brokers themselves write: always
// synced, recovered first, with a reserve of the disk.
func IsInternal(topic string) bool {
	switch topic {
	case "__consumer_offsets", "__transaction_state", "__share_group_state", "__ottla_timers":
		return true
	}
	return false
}

// Partition is a partition's registration. It is never changed: a step that
// changes one makes another.
type Partition struct {
	// Topic has the name and id alone, its Partitions are empty; not to be
	// relied on for equality across images.
	Topic *Topic
	Index int32
	// Replicas are by preference; the first is the preferred leader. ISR is
	// the part of them that is in sync.
	Replicas, ISR []int32
	// ELR are replicas that left the ISR but hold all committed records
	// (KIP-966), LastELR those that last did; nil or empty when there are none.
	ELR, LastELR []int32
	// Adding and Removing tell of a reassignment under way.
	Adding, Removing []int32
	// Directories has one entry per replica: its log directory, or one of the
	// special identifiers of KIP-858 (zero: not assigned yet).
	Directories []uuid.UUID
	Leader      int32 // NoLeader when there is none
	// LeaderEpoch rises with every election, PartitionEpoch with every change.
	LeaderEpoch    int32
	PartitionEpoch int32
	// Recovering tells that the leader was elected uncleanly and has not said
	// that it recovered.
	Recovering bool
}

// Broker is a broker's registration.
type Broker struct {
	ID                   int32
	Epoch                int64
	Incarnation          uuid.UUID
	Endpoints            []Endpoint
	Rack                 string // "" when it has none
	Fenced               bool
	InControlledShutdown bool
	Directories          []uuid.UUID
	// Cordoned are directories that take no new replicas; nil before the
	// broker told any.
	Cordoned []uuid.UUID
	Features map[string][2]int16 // lowest and highest level it supports
}

// Live tells whether a broker takes part: it is neither fenced nor on its way
// out.
func (b *Broker) Live() bool { return !b.Fenced && !b.InControlledShutdown }

// Endpoint is an address under which a broker or controller is reached.
type Endpoint struct {
	Name             string // of the listener
	Host             string
	Port             uint16
	SecurityProtocol int16 // 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL

	unknown unknownTags
}

// Controller is a controller's registration.
type Controller struct {
	ID          int32
	Incarnation uuid.UUID
	Endpoints   []Endpoint
	Features    map[string][2]int16
}

// Resource names what configs belong to.
type Resource struct {
	Type int8
	Name string
}

// ResourceType numbers are those of Kafka's configs.
const (
	ResourceTopic         = 2
	ResourceBroker        = 4
	ResourceClientMetrics = 16
	ResourceGroup         = 32
)

// configs are the overrides of one resource.
type configs struct {
	values map[string]string // never empty
	owner  *owner
}
