package metadata

import (
	"bytes"
	"cmp"
	"iter"
	"strings"
	"unsafe"

	"ottla/internal/uuid"
)

// Image is the whole of the metadata at one offset of its log. It is
// immutable; readers reach it through one atomic pointer.
type Image struct {
	Offset int64 // of the last record it holds, -1 when empty
	Epoch  int32 // of that record

	byName      sorted[string, *Topic]
	byID        sorted[uuid.UUID, *Topic]
	partitions  int // of all topics
	brokers     sorted[int32, *Broker]
	controllers sorted[int32, *Controller]
	features    sorted[string, int16] // level 0 is not kept
	configs     sorted[Resource, *configs]
	producerIDs ProducerIDsRecord // the last block given out
	// opaque are the records that are kept and not acted on, in order.
	opaque []*Opaque
	// pending are the records of an open metadata transaction, its begin
	// first; nil when there is none.
	pending []Record
}

func compareUUID(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

func compareResource(a, b Resource) int {
	if d := cmp.Compare(a.Type, b.Type); d != 0 {
		return d
	}
	return strings.Compare(a.Name, b.Name)
}

// Empty is the image of an empty log.
func Empty() *Image {
	i := &Image{Offset: -1, Epoch: -1}
	i.byName.cmp = strings.Compare
	i.byID.cmp = compareUUID
	i.brokers.cmp = cmp.Compare[int32]
	i.controllers.cmp = cmp.Compare[int32]
	i.features.cmp = strings.Compare
	i.configs.cmp = compareResource
	i.producerIDs = ProducerIDsRecord{BrokerID: -1, BrokerEpoch: -1}
	return i
}

// TopicByName finds a topic, nil when there is none.
func (i *Image) TopicByName(name string) *Topic {
	t, _ := i.byName.get(name)
	return t
}

// TopicByBytes is TopicByName for a name as it stands in a request; it does
// not allocate and keeps no part of name.
func (i *Image) TopicByBytes(name []byte) *Topic {
	return i.TopicByName(unsafe.String(unsafe.SliceData(name), len(name)))
}

// TopicByID finds a topic, nil when there is none.
func (i *Image) TopicByID(id uuid.UUID) *Topic {
	t, _ := i.byID.get(id)
	return t
}

// Topics lists the topics by name.
func (i *Image) Topics() iter.Seq[*Topic] { return values(i.byName.all()) }

// TopicCount and PartitionCount tell how many there are in all.
func (i *Image) TopicCount() int { return i.byName.len }

// PartitionCount is how many partitions all topics have together.
func (i *Image) PartitionCount() int { return i.partitions }

// Broker finds a broker, nil when it never registered.
func (i *Image) Broker(id int32) *Broker {
	b, _ := i.brokers.get(id)
	return b
}

// Brokers lists the brokers by id, fenced ones too.
func (i *Image) Brokers() iter.Seq[*Broker] { return values(i.brokers.all()) }

// BrokerCount tells how many brokers are registered.
func (i *Image) BrokerCount() int { return i.brokers.len }

// Controllers lists the registered controllers by id.
func (i *Image) Controllers() iter.Seq[*Controller] { return values(i.controllers.all()) }

// Feature gives a feature's finalised level; false when it is not finalised.
func (i *Image) Feature(name string) (int16, bool) { return i.features.get(name) }

// Features lists the finalised features by name.
func (i *Image) Features() iter.Seq2[string, int16] { return i.features.all() }

// NextProducerID is the first producer id that no block has given out.
func (i *Image) NextProducerID() int64 { return i.producerIDs.NextProducerID }

// Config returns a resource's overrides, nil when none; not to be changed.
func (i *Image) Config(resourceType int8, name string) map[string]string {
	if c, ok := i.configs.get(Resource{resourceType, name}); ok {
		return c.values
	}
	return nil
}

// ConfigResources lists the resources of a type that have overrides, sorted.
func (i *Image) ConfigResources(resourceType int8) []string {
	var names []string
	for r := range i.configs.all() {
		if r.Type == resourceType {
			names = append(names, r.Name)
		}
	}
	return names
}

// values drops the keys.
func values[K, V any](seq iter.Seq2[K, V]) iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, v := range seq {
			if !yield(v) {
				return
			}
		}
	}
}
