package text

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/group/schema"
)

// offsetsFormat is Kafka's OffsetsMessageFormatter: records of
// __consumer_offsets that hold committed offsets, as JSON, one after the other
// without a line's end.
func offsetsFormat(w io.Writer, r *kgo.Record) error {
	return internalRecord(w, r, schema.Key.IsOffset, func(version int16, b []byte) (any, error) {
		v, err := schema.ParseOffsetValue(b)
		if err != nil {
			return nil, err
		}
		out := pairsOf("offset", v.Offset)
		if version >= 3 {
			out = append(out, pair{"leaderEpoch", v.LeaderEpoch})
		}
		out = append(out, pair{"metadata", v.Metadata}, pair{"commitTimestamp", v.CommitMs})
		if version == 1 {
			out = append(out, pair{"expireTimestamp", v.ExpireMs})
		}
		if version >= 4 {
			out = append(out, pair{"topicId", v.TopicID.String()})
		}
		return out, nil
	})
}

// groupMetadataFormat is Kafka's GroupMetadataMessageFormatter: records of
// __consumer_offsets that hold groups of the classic protocol.
func groupMetadataFormat(w io.Writer, r *kgo.Record) error {
	isGroup := func(k schema.Key) bool { return k.Type == schema.GroupMetadata }
	return internalRecord(w, r, isGroup, func(version int16, b []byte) (any, error) {
		v, err := schema.ParseGroupValue(b)
		if err != nil {
			return nil, err
		}
		members := []object{}
		for _, m := range v.Members {
			o := pairsOf("memberId", m.ID)
			if version >= 3 {
				o = append(o, pair{"groupInstanceId", m.InstanceID})
			}
			o = append(o, pair{"clientId", m.ClientID}, pair{"clientHost", m.ClientHost})
			if version >= 1 {
				o = append(o, pair{"rebalanceTimeout", m.RebalanceMs})
			}
			members = append(members, append(o, pair{"sessionTimeout", m.SessionMs},
				pair{"subscription", base64.StdEncoding.EncodeToString(m.Subscription)}, pair{"assignment", base64.StdEncoding.EncodeToString(m.Assignment)}))
		}
		out := pairsOf("protocolType", v.ProtocolType)
		out = append(out, pair{"generation", v.Generation}, pair{"protocol", v.Protocol}, pair{"leader", v.Leader})
		if version >= 2 {
			out = append(out, pair{"currentStateTimestamp", v.StateMs})
		}
		return append(out, pair{"members", members}), nil
	})
}

// internalRecord writes one record of __consumer_offsets whose key is wanted;
// others are passed over, as Kafka's formatters do.
func internalRecord(w io.Writer, r *kgo.Record, wanted func(schema.Key) bool, value func(int16, []byte) (any, error)) error {
	if r.Key == nil {
		return nil
	}
	at := func(what string, err error) error {
		return fmt.Errorf("%s of %s-%d at %d: %w", what, r.Topic, r.Partition, r.Offset, err)
	}
	k, err := schema.ParseKey(r.Key)
	if err != nil {
		return at("key", err)
	}
	if !wanted(k) {
		return nil
	}
	key := pairsOf("group", k.Group)
	if k.IsOffset() {
		key = append(key, pair{"topic", k.Topic}, pair{"partition", k.Partition})
	}
	out := object{{"key", object{{"type", k.Type}, {"data", key}}}, {"value", nil}}
	if len(r.Value) >= 2 {
		version := int16(binary.BigEndian.Uint16(r.Value))
		data, err := value(version, r.Value)
		if err != nil {
			return at("value", err)
		}
		out[1].value = object{{"version", version}, {"data", data}}
	}
	b, err := json.Marshal(out)
	if err != nil {
		return at("JSON", err)
	}
	_, err = w.Write(b)
	return err
}

// object is a JSON object whose names keep their order.
type object []pair

type pair struct {
	name  string
	value any
}

func pairsOf(name string, value any) object { return object{{name, value}} }

// MarshalJSON writes the pairs in order.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, p := range o {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(p.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(p.value)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}
