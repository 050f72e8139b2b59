package inspect

import (
	"encoding/json"
	"fmt"

	"ottla/internal/group/schema"
	"ottla/internal/metadata"
	"ottla/internal/record"
	"ottla/internal/txn"
	txns "ottla/internal/txn/schema"
)

// The topics whose records mean something here.
const (
	metadataTopic = "__cluster_metadata"
	offsetsTopic  = "__consumer_offsets"
	txnsTopic     = "__transaction_state"
)

// decode gives the meaning of a record of an internal topic, nil when it has
// none that is known.
func decode(topic string, h *record.Header, rec *record.Record) []Field {
	switch {
	case h.Control():
		return controlRecord(rec)
	case topic == metadataTopic:
		return metadataRecord(rec.Value)
	case topic == offsetsTopic:
		return groupRecord(rec)
	case topic == txnsTopic:
		return txnRecord(rec)
	}
	return nil
}

// controlNames are the types of control records by their number.
var controlNames = map[int16]string{
	0: "ABORT", 1: "COMMIT", 2: "LEADER_CHANGE", 3: "SNAPSHOT_HEADER", 4: "SNAPSHOT_FOOTER", 5: "KRAFT_VERSION", 6: "KRAFT_VOTERS",
}

func controlRecord(rec *record.Record) []Field {
	if len(rec.Key) < 4 {
		return []Field{{"type", "malformed control record"}}
	}
	n := int16(rec.Key[2])<<8 | int16(rec.Key[3])
	name, ok := controlNames[n]
	if !ok {
		name = fmt.Sprintf("control record %d", n)
	}
	return []Field{{"type", name}, {"bytes", len(rec.Value)}}
}

func metadataRecord(value []byte) []Field {
	r, err := metadata.Parse(value)
	if err != nil {
		return []Field{{"type", "cannot be read"}, {"reason", err.Error()}}
	}
	name := Field{"type", metadata.TypeName(r.RecordType())}
	if o, ok := r.(*metadata.Opaque); ok {
		return []Field{name, {"version", o.Version}, {"bytes", len(o.Body)}}
	}
	body, err := json.Marshal(r)
	if err != nil {
		return []Field{name, {"reason", err.Error()}}
	}
	return []Field{name, {"data", string(body)}}
}

func groupRecord(rec *record.Record) []Field {
	k, err := schema.ParseKey(rec.Key)
	switch {
	case err != nil:
		return []Field{{"type", "cannot be read"}, {"reason", err.Error()}}
	case !k.Known():
		return []Field{{"type", fmt.Sprintf("group record %d", k.Type)}, {"bytes", len(rec.Value)}}
	case k.IsOffset():
		return offsetRecord(k, rec.Value)
	}
	fields := []Field{{"type", schema.TypeName(k.Type)}, {"group", k.Group}}
	if k.Member != "" {
		fields = append(fields, Field{"member", k.Member})
	}
	switch {
	case rec.Value == nil:
		return append(fields, Field{"tombstone", true})
	case k.Type != schema.GroupMetadata:
		return append(fields, Field{"bytes", len(rec.Value)})
	}
	v, err := schema.ParseGroupValue(rec.Value)
	if err != nil {
		return append(fields, Field{"reason", err.Error()})
	}
	var members []string
	for i := range v.Members {
		members = append(members, v.Members[i].ID)
	}
	return append(fields, Field{"protocol_type", v.ProtocolType}, Field{"generation", v.Generation},
		Field{"protocol", word(v.Protocol)}, Field{"leader", word(v.Leader)}, Field{"members", members})
}

func offsetRecord(k schema.Key, value []byte) []Field {
	fields := []Field{{"type", "OFFSET_COMMIT"}, {"group", k.Group}, {"topic", k.Topic}, {"partition", k.Partition}}
	if value == nil {
		return append(fields, Field{"tombstone", true})
	}
	v, err := schema.ParseOffsetValue(value)
	if err != nil {
		return append(fields, Field{"reason", err.Error()})
	}
	return append(fields, Field{"committed", v.Offset}, Field{"leader_epoch", v.LeaderEpoch},
		Field{"metadata", v.Metadata}, Field{"commit_timestamp", v.CommitMs})
}

func txnRecord(rec *record.Record) []Field {
	id, known, err := txns.ParseKey(rec.Key)
	switch {
	case err != nil:
		return []Field{{"type", "cannot be read"}, {"reason", err.Error()}}
	case !known:
		return []Field{{"type", "transaction record"}, {"bytes", len(rec.Value)}}
	}
	fields := []Field{{"type", "TRANSACTION_LOG"}, {"transactional_id", id}}
	if rec.Value == nil {
		return append(fields, Field{"tombstone", true})
	}
	v, _, err := txns.ParseValue(rec.Value)
	if err != nil {
		return append(fields, Field{"reason", err.Error()})
	}
	var partitions []string
	for _, t := range v.Topics {
		for _, p := range t.Partitions {
			partitions = append(partitions, fmt.Sprintf("%s-%d", t.Name, p))
		}
	}
	return append(fields, Field{"state", txn.State(v.Status).String()}, Field{"producer_id", v.ProducerID},
		Field{"producer_epoch", v.Epoch}, Field{"timeout_ms", v.TimeoutMs}, Field{"partitions", partitions},
		Field{"updated", v.LastUpdateMs}, Field{"started", v.StartMs})
}

func word(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}
