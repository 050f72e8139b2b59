package metadata

import "ottla/internal/uuid"

// RegisterBrokerRecord registers a broker under a new epoch; it replaces an
// earlier registration of the same id.
type RegisterBrokerRecord struct {
	BrokerID             int32
	IsMigratingZkBroker  bool // from version 2; always false since Kafka 4
	IncarnationID        uuid.UUID
	BrokerEpoch          int64
	Endpoints            []Endpoint
	Features             []FeatureRange
	Rack                 *string // nil is null
	Fenced               bool
	InControlledShutdown bool        // from version 1
	LogDirs              []uuid.UUID // from version 3; nil and empty are the same
	CordonedLogDirs      []uuid.UUID // from version 4; nil is null

	below   below
	unknown unknownTags
}

// FeatureRange is a feature with the levels a node supports.
type FeatureRange struct {
	Name     string
	Min, Max int16

	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *RegisterBrokerRecord) RecordType() int16 { return TypeRegisterBroker }
func (r *RegisterBrokerRecord) version() int16    { return newestRegisterBroker - int16(r.below) }

func (r *RegisterBrokerRecord) appendBody(dst []byte) []byte {
	dst = appendInt32(dst, r.BrokerID)
	if r.version() >= 2 {
		dst = appendBool(dst, r.IsMigratingZkBroker)
	}
	dst = append(dst, r.IncarnationID[:]...)
	dst = appendInt64(dst, r.BrokerEpoch)
	dst = appendEndpoints(dst, r.Endpoints)
	dst = appendFeatures(dst, r.Features)
	dst = appendNullableString(dst, r.Rack)
	dst = appendBool(dst, r.Fenced)
	if r.version() >= 1 {
		dst = appendBool(dst, r.InControlledShutdown)
	}
	var t tagWriter
	if r.version() >= 3 && len(r.LogDirs) > 0 {
		t.addUUIDs(0, r.LogDirs)
	}
	if r.version() >= 4 {
		t.addUUIDs(1, r.CordonedLogDirs)
	}
	return t.end(dst, r.unknown)
}

func parseRegisterBroker(r *reader, v int16) Record {
	b := &RegisterBrokerRecord{BrokerID: r.int32(), below: below(newestRegisterBroker - v)}
	if v >= 2 {
		b.IsMigratingZkBroker = r.bool()
	}
	b.IncarnationID = r.uuid()
	b.BrokerEpoch = r.int64()
	b.Endpoints = r.endpoints()
	b.Features = r.features()
	b.Rack = r.nullableString()
	b.Fenced = r.bool()
	if v >= 1 {
		b.InControlledShutdown = r.bool()
	}
	b.unknown = r.tags(func(tag uint32, value *reader) bool {
		switch {
		case tag == 0 && v >= 3:
			b.LogDirs = value.uuids()
		case tag == 1 && v >= 4:
			b.CordonedLogDirs = value.nullableUUIDs()
		default:
			return false
		}
		return true
	})
	return b
}

func appendEndpoints(dst []byte, list []Endpoint) []byte {
	dst = appendLen(dst, len(list))
	for i := range list {
		e := &list[i]
		dst = appendString(dst, e.Name)
		dst = appendString(dst, e.Host)
		dst = appendInt16(dst, int16(e.Port))
		dst = appendInt16(dst, e.SecurityProtocol)
		dst = appendTags(dst, e.unknown)
	}
	return dst
}

func (r *reader) endpoints() []Endpoint {
	const smallest = 1 + 1 + 2 + 2 + 1
	var list []Endpoint // grown as read: an Endpoint is larger than its bytes
	for range r.notNull(smallest) {
		list = append(list, Endpoint{
			Name: r.string(), Host: r.string(), Port: uint16(r.int16()),
			SecurityProtocol: r.int16(), unknown: r.tags(nil),
		})
		if r.err != nil {
			return nil
		}
	}
	return list
}

func appendFeatures(dst []byte, list []FeatureRange) []byte {
	dst = appendLen(dst, len(list))
	for i := range list {
		f := &list[i]
		dst = appendString(dst, f.Name)
		dst = appendInt16(dst, f.Min)
		dst = appendInt16(dst, f.Max)
		dst = appendTags(dst, f.unknown)
	}
	return dst
}

func (r *reader) features() []FeatureRange {
	const smallest = 1 + 2 + 2 + 1
	var list []FeatureRange
	for range r.notNull(smallest) {
		list = append(list, FeatureRange{Name: r.string(), Min: r.int16(), Max: r.int16(), unknown: r.tags(nil)})
		if r.err != nil {
			return nil
		}
	}
	return list
}

// UnregisterBrokerRecord forgets a broker.
type UnregisterBrokerRecord struct{ brokerAndEpoch }

// FenceBrokerRecord fences a broker. Newer clusters write
// BrokerRegistrationChangeRecord instead; old logs have it.
type FenceBrokerRecord struct{ brokerAndEpoch }

// UnfenceBrokerRecord is the opposite, likewise of old logs.
type UnfenceBrokerRecord struct{ brokerAndEpoch }

// brokerAndEpoch is the body these three share.
type brokerAndEpoch struct {
	BrokerID    int32
	BrokerEpoch int64

	unknown unknownTags
}

func (b *brokerAndEpoch) version() int16 { return 0 }

func (b *brokerAndEpoch) appendBody(dst []byte) []byte {
	dst = appendInt32(dst, b.BrokerID)
	dst = appendInt64(dst, b.BrokerEpoch)
	return appendTags(dst, b.unknown)
}

func (r *reader) brokerAndEpoch() brokerAndEpoch {
	return brokerAndEpoch{BrokerID: r.int32(), BrokerEpoch: r.int64(), unknown: r.tags(nil)}
}

// UnregisterBroker makes the record.
func UnregisterBroker(id int32, epoch int64) *UnregisterBrokerRecord {
	return &UnregisterBrokerRecord{brokerAndEpoch{BrokerID: id, BrokerEpoch: epoch}}
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *UnregisterBrokerRecord) RecordType() int16 { return TypeUnregisterBroker }

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *FenceBrokerRecord) RecordType() int16 { return TypeFenceBroker }

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *UnfenceBrokerRecord) RecordType() int16 { return TypeUnfenceBroker }

func parseUnregisterBroker(r *reader, _ int16) Record {
	return &UnregisterBrokerRecord{r.brokerAndEpoch()}
}
func parseFenceBroker(r *reader, _ int16) Record   { return &FenceBrokerRecord{r.brokerAndEpoch()} }
func parseUnfenceBroker(r *reader, _ int16) Record { return &UnfenceBrokerRecord{r.brokerAndEpoch()} }

// BrokerRegistrationChangeRecord changes parts of a registration; zero values
// leave things as they are.
type BrokerRegistrationChangeRecord struct {
	BrokerID    int32
	BrokerEpoch int64
	// Fenced is -1 when the broker is unfenced, 1 when it is fenced.
	Fenced               int8
	InControlledShutdown int8        // 1 when it begins; from version 1
	LogDirs              []uuid.UUID // from version 2; nil or empty is no change
	CordonedLogDirs      []uuid.UUID // from version 3; nil is no change

	below   below
	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *BrokerRegistrationChangeRecord) RecordType() int16 { return TypeBrokerRegistrationChange }
func (r *BrokerRegistrationChangeRecord) version() int16 {
	return newestBrokerRegistrationChange - int16(r.below)
}

func (r *BrokerRegistrationChangeRecord) appendBody(dst []byte) []byte {
	dst = appendInt32(dst, r.BrokerID)
	dst = appendInt64(dst, r.BrokerEpoch)
	var t tagWriter
	if r.Fenced != 0 {
		t.add(0, []byte{byte(r.Fenced)})
	}
	if r.version() >= 1 && r.InControlledShutdown != 0 {
		t.add(1, []byte{byte(r.InControlledShutdown)})
	}
	if r.version() >= 2 && len(r.LogDirs) > 0 {
		t.addUUIDs(2, r.LogDirs)
	}
	if r.version() >= 3 {
		t.addUUIDs(3, r.CordonedLogDirs)
	}
	return t.end(dst, r.unknown)
}

func parseBrokerRegistrationChange(r *reader, v int16) Record {
	b := &BrokerRegistrationChangeRecord{
		BrokerID: r.int32(), BrokerEpoch: r.int64(),
		below: below(newestBrokerRegistrationChange - v),
	}
	b.unknown = r.tags(func(tag uint32, value *reader) bool {
		switch {
		case tag == 0:
			b.Fenced = value.int8()
		case tag == 1 && v >= 1:
			b.InControlledShutdown = value.int8()
		case tag == 2 && v >= 2:
			b.LogDirs = value.uuids()
		case tag == 3 && v >= 3:
			b.CordonedLogDirs = value.nullableUUIDs()
		default:
			return false
		}
		return true
	})
	return b
}
