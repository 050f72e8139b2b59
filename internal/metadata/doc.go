// Package metadata is what a cluster remembers about itself: the records of
// the metadata log (__cluster_metadata) and the immutable Image that replaying
// them gives. Everything in a node that asks "which topics, who leads, what is
// set" reads an Image through one atomic pointer that package quorum keeps.
//
// It is not for deciding: which records follow from a request is package
// controller's. It is not for I/O either: batches, offsets and files of the
// log belong to packages record, log and quorum.
//
// # Main types
//
//   - Record: one metadata record; *TopicRecord, *PartitionRecord, … carry
//     KRaft's names, type numbers, versions and fields. *Opaque is a record of
//     a type that KRaft knows and Ottla does not act on yet: it is kept whole.
//   - Image: all metadata at one offset; immutable, so readers need no lock.
//   - Draft: an image in the making, owned by one goroutine; With uses one for
//     a step, the controller keeps one as its state.
//   - Delta: what one step changed, for those who act on changes.
//
// # Files, in reading order
//
//	record.go            Record, the type numbers and names, Opaque
//	record_topic.go      TOPIC, PARTITION, PARTITION_CHANGE, REMOVE_TOPIC, CLEAR_ELR
//	record_broker.go     REGISTER_BROKER, BROKER_REGISTRATION_CHANGE, fencing, …
//	record_cluster.go    CONFIG, FEATURE_LEVEL, PRODUCER_IDS, NO_OP, controllers, transactions
//	frame.go             Append and Parse: the frame round a record
//	encode.go decode.go  the flexible encoding, bounded
//	tags.go              tagged fields, unknown ones kept
//	sorted.go            the persistent sorted map below an image
//	image.go             Image and its look-ups
//	features.go          names of features, the level of one
//	settings.go          an image's overrides, as package config asks for them
//	entity.go            Topic, Partition, Broker, …
//	draft.go             Draft: records applied one by one
//	apply_topic.go apply_cluster.go  what each record type does
//	delta.go             Delta
//	snapshot.go          an image as records again
//
// # Invariants
//
//   - Parse then Append gives the same bytes for every record that Kafka or
//     Ottla wrote, unknown tagged fields and older versions included.
//   - Applying Image.Records to Empty gives an equal image.
//   - An Image never changes once it was given out; a step copies only what it
//     touches (one chunk of each index it writes, and the topics changed), so
//     one more topic costs microseconds whatever the size of the cluster.
//   - Everything listed is sorted; nothing depends on the order of a map.
//
// # Ownership
//
// The package starts no goroutine and takes no lock. A Draft belongs to one
// goroutine. Records given to With or Apply are read, never kept nor changed,
// except that slices in them may be shared with the image: do not change a
// record after it was applied.
//
// # Sources
//
// KIP-631 (KRaft metadata), KIP-746 (record versions), KIP-482 (flexible
// encoding), KIP-858 (directories), KIP-966 (eligible leader replicas).
// The bytes are drawn in docs/format/metadata.md.
package metadata
