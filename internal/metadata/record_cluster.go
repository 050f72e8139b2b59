package metadata

import "ottla/internal/uuid"

// ConfigRecord sets one override of a resource, or removes it (nil Value).
type ConfigRecord struct {
	ResourceType int8
	ResourceName string
	Name         string
	Value        *string

	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *ConfigRecord) RecordType() int16 { return TypeConfig }
func (r *ConfigRecord) version() int16    { return 0 }

func (r *ConfigRecord) appendBody(dst []byte) []byte {
	dst = append(dst, byte(r.ResourceType))
	dst = appendString(dst, r.ResourceName)
	dst = appendString(dst, r.Name)
	dst = appendNullableString(dst, r.Value)
	return appendTags(dst, r.unknown)
}

func parseConfig(r *reader, _ int16) Record {
	return &ConfigRecord{
		ResourceType: r.int8(), ResourceName: r.string(), Name: r.string(),
		Value: r.nullableString(), unknown: r.tags(nil),
	}
}

// FeatureLevelRecord finalises a feature; level 0 turns it off.
type FeatureLevelRecord struct {
	Name  string
	Level int16

	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *FeatureLevelRecord) RecordType() int16 { return TypeFeatureLevel }
func (r *FeatureLevelRecord) version() int16    { return 0 }

func (r *FeatureLevelRecord) appendBody(dst []byte) []byte {
	dst = appendString(dst, r.Name)
	dst = appendInt16(dst, r.Level)
	return appendTags(dst, r.unknown)
}

func parseFeatureLevel(r *reader, _ int16) Record {
	return &FeatureLevelRecord{Name: r.string(), Level: r.int16(), unknown: r.tags(nil)}
}

// ProducerIDsRecord gives a block of producer ids to a broker: all from the
// NextProducerID before it up to the one it states.
type ProducerIDsRecord struct {
	BrokerID       int32
	BrokerEpoch    int64
	NextProducerID int64

	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *ProducerIDsRecord) RecordType() int16 { return TypeProducerIDs }
func (r *ProducerIDsRecord) version() int16    { return 0 }

func (r *ProducerIDsRecord) appendBody(dst []byte) []byte {
	dst = appendInt32(dst, r.BrokerID)
	dst = appendInt64(dst, r.BrokerEpoch)
	dst = appendInt64(dst, r.NextProducerID)
	return appendTags(dst, r.unknown)
}

func parseProducerIDs(r *reader, _ int16) Record {
	return &ProducerIDsRecord{
		BrokerID: r.int32(), BrokerEpoch: r.int64(), NextProducerID: r.int64(), unknown: r.tags(nil),
	}
}

// NoOpRecord changes nothing; it moves the log's end when all is quiet.
type NoOpRecord struct{ unknown unknownTags }

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *NoOpRecord) RecordType() int16            { return TypeNoOp }
func (r *NoOpRecord) version() int16               { return 0 }
func (r *NoOpRecord) appendBody(dst []byte) []byte { return appendTags(dst, r.unknown) }

func parseNoOp(r *reader, _ int16) Record { return &NoOpRecord{r.tags(nil)} }

// RegisterControllerRecord registers a controller (KIP-919).
type RegisterControllerRecord struct {
	ControllerID     int32
	IncarnationID    uuid.UUID
	ZkMigrationReady bool
	Endpoints        []Endpoint
	Features         []FeatureRange

	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *RegisterControllerRecord) RecordType() int16 { return TypeRegisterController }
func (r *RegisterControllerRecord) version() int16    { return 0 }

func (r *RegisterControllerRecord) appendBody(dst []byte) []byte {
	dst = appendInt32(dst, r.ControllerID)
	dst = append(dst, r.IncarnationID[:]...)
	dst = appendBool(dst, r.ZkMigrationReady)
	dst = appendEndpoints(dst, r.Endpoints)
	dst = appendFeatures(dst, r.Features)
	return appendTags(dst, r.unknown)
}

func parseRegisterController(r *reader, _ int16) Record {
	return &RegisterControllerRecord{
		ControllerID: r.int32(), IncarnationID: r.uuid(), ZkMigrationReady: r.bool(),
		Endpoints: r.endpoints(), Features: r.features(), unknown: r.tags(nil),
	}
}

// UnregisterControllerRecord forgets a controller (Kafka 4.4).
type UnregisterControllerRecord struct {
	ControllerID int32

	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *UnregisterControllerRecord) RecordType() int16 { return TypeUnregisterController }
func (r *UnregisterControllerRecord) version() int16    { return 0 }

func (r *UnregisterControllerRecord) appendBody(dst []byte) []byte {
	return appendTags(appendInt32(dst, r.ControllerID), r.unknown)
}

func parseUnregisterController(r *reader, _ int16) Record {
	return &UnregisterControllerRecord{ControllerID: r.int32(), unknown: r.tags(nil)}
}

// BeginTransactionRecord opens a metadata transaction (KIP-868): what follows
// takes effect at its end. Kafka's bootstrap is one.
type BeginTransactionRecord struct {
	Name *string

	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *BeginTransactionRecord) RecordType() int16 { return TypeBeginTransaction }
func (r *BeginTransactionRecord) version() int16    { return 0 }

func (r *BeginTransactionRecord) appendBody(dst []byte) []byte {
	var t tagWriter
	if r.Name != nil {
		t.add(0, appendString(nil, *r.Name))
	}
	return t.end(dst, r.unknown)
}

func parseBeginTransaction(r *reader, _ int16) Record {
	b := &BeginTransactionRecord{}
	b.unknown = r.tags(func(tag uint32, value *reader) bool {
		if tag == 0 {
			b.Name = value.nullableString()
		}
		return tag == 0
	})
	return b
}

// EndTransactionRecord makes a metadata transaction take effect.
type EndTransactionRecord struct{ unknown unknownTags }

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *EndTransactionRecord) RecordType() int16            { return TypeEndTransaction }
func (r *EndTransactionRecord) version() int16               { return 0 }
func (r *EndTransactionRecord) appendBody(dst []byte) []byte { return appendTags(dst, r.unknown) }

func parseEndTransaction(r *reader, _ int16) Record { return &EndTransactionRecord{r.tags(nil)} }

// AbortTransactionRecord drops a metadata transaction.
type AbortTransactionRecord struct {
	Reason *string

	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *AbortTransactionRecord) RecordType() int16 { return TypeAbortTransaction }
func (r *AbortTransactionRecord) version() int16    { return 0 }

func (r *AbortTransactionRecord) appendBody(dst []byte) []byte {
	var t tagWriter
	if r.Reason != nil {
		t.add(0, appendString(nil, *r.Reason))
	}
	return t.end(dst, r.unknown)
}

func parseAbortTransaction(r *reader, _ int16) Record {
	a := &AbortTransactionRecord{}
	a.unknown = r.tags(func(tag uint32, value *reader) bool {
		if tag == 0 {
			a.Reason = value.nullableString()
		}
		return tag == 0
	})
	return a
}
