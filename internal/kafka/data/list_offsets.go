package data

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// ListOffsets (2), versions 1-11.
//
// v2 brings isolation levels, v4 leader epochs (KIP-320), v7 the offset of the
// largest timestamp (KIP-734), v8 and v9 tiered offsets (KIP-405, KIP-1005),
// v10 a time-out for remote look-ups, v11 the earliest pending upload. Nothing
// is tiered here, so those answer as Kafka does for a local topic.
func (f *Family) listOffsetsRow() api.API {
	return api.Row(1, 11, f.listOffsets,
		"A node whose place another may have taken, for all that it hears, does not say that no record is as late as a time: it answers NOT_LEADER_OR_FOLLOWER.")
}

// sinceVersion is the version that brought each special timestamp; before it,
// and for unknown ones, the answer is UNSUPPORTED_VERSION.
var sinceVersion = map[int64]int16{
	partition.TimeLatest: 1, partition.TimeEarliest: 1, partition.TimeMax: 7,
	partition.TimeEarliestLocal: 8, partition.TimeLatestTiered: 9, partition.TimeEarliestPendingUpload: 11,
}

func (f *Family) listOffsets(_ context.Context, _ *api.Conn, req *kmsg.ListOffsetsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	isolation, refused := isolationOf(req.IsolationLevel)
	twice := repeated(req)
	for i := range req.Topics {
		t := &req.Topics[i]
		rt := kmsg.NewListOffsetsResponseTopic()
		rt.Topic = t.Topic
		for j := range t.Partitions {
			p := &t.Partitions[j]
			row := kmsg.NewListOffsetsResponseTopicPartition()
			row.Partition, row.Timestamp, row.Offset, row.LeaderEpoch = p.Partition, -1, -1, -1
			if refused != wire.None || twice[topicPartition{t.Topic, p.Partition}] {
				row.ErrorCode = int16(wire.InvalidRequest)
			} else if req.ReplicaID == debugReplica && p.Timestamp == partition.TimeLatest {
				f.logEnd(t.Topic, p.Partition, &row)
			} else {
				f.listOffset(req.Version, t.Topic, p, isolation, &row)
			}
			rt.Partitions = append(rt.Partitions, row)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}

// listOffset answers one row.
func (f *Family) listOffset(version int16, topic string, p *kmsg.ListOffsetsRequestTopicPartition, i partition.Isolation, row *kmsg.ListOffsetsResponseTopicPartition) {
	if since, special := sinceVersion[p.Timestamp]; p.Timestamp < 0 && (!special || version < since) {
		row.ErrorCode = int16(wire.UnsupportedVersion)
		return
	}
	part, code := f.o.Partitions.ByName([]byte(topic), p.Partition)
	if code != wire.None {
		row.ErrorCode = int16(code)
		return
	}
	found, err := part.ListOffset(p.Timestamp, i, p.CurrentLeaderEpoch)
	if err != nil {
		row.ErrorCode = int16(f.explain(err, topic, p.Partition))
		return
	}
	if found.Offset < 0 && p.Timestamp >= 0 && part.Deposed(f.o.Trusted) {
		row.ErrorCode = int16(wire.NotLeaderOrFollower) // who leads now may have a later record; see fetch_lapse.go
		return
	}
	row.Timestamp, row.Offset, row.LeaderEpoch = found.TimestampMs, found.Offset, found.LeaderEpoch
}

// debugReplica asks for the end of whatever log is here, leader or not, as
// Kafka's tools do that compare replicas.
const debugReplica = -2

// replica finds a partition, led here or not.
func (f *Family) replica(topic string, index int32) (*partition.Partition, wire.Code) {
	if f.any != nil {
		return f.any.AnyByName([]byte(topic), index)
	}
	return f.o.Partitions.ByName([]byte(topic), index)
}

// logEnd answers one row with where the log here ends.
func (f *Family) logEnd(topic string, index int32, row *kmsg.ListOffsetsResponseTopicPartition) {
	part, code := f.replica(topic, index)
	if code != wire.None {
		row.ErrorCode = int16(code)
		return
	}
	at := part.Offsets()
	row.Offset, row.LeaderEpoch = at.LogEnd, at.LeaderEpoch
}

// explain maps an error, and logs the ones whose code tells nothing.
func (f *Family) explain(err error, topic string, index int32) wire.Code {
	code := wire.CodeOf(err)
	if code == wire.UnknownServerError {
		f.o.Logger.Error("a partition failed", "topic", topic, "partition", index, "err", err)
	}
	return code
}

// topicPartition names a partition.
type topicPartition struct {
	topic string
	index int32
}

// repeated finds partitions that the request names twice: Kafka refuses those.
func repeated(req *kmsg.ListOffsetsRequest) map[topicPartition]bool {
	seen, twice := map[topicPartition]bool{}, map[topicPartition]bool{}
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			tp := topicPartition{req.Topics[i].Topic, req.Topics[i].Partitions[j].Partition}
			twice[tp] = seen[tp]
			seen[tp] = true
		}
	}
	return twice
}
