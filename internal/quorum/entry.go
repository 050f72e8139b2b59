package quorum

import (
	"fmt"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"ottla/internal/metadata"
	"ottla/internal/record"
)

// maxBatchBytes bounds one entry: what a single command may write. Kafka's
// raft client has the same bound.
const maxBatchBytes = 8 << 20

// confChangeHeader is the record header, of a voters record in the log, that
// carries the Raft library's own form of the change: a byte for the entry's
// type, then the message. Kafka's tools pass over it.
const confChangeHeader = "ottla.raft.conf.change"

// An entry of the Raft log is one batch of the metadata log:
//
//	entry                      batch
//	normal, with data          the data itself: metadata records
//	normal, empty              LEADER_CHANGE (a leader's first entry, KIP-595)
//	configuration change       KRAFT_VOTERS with confChangeHeader (KIP-853)
//
// Term and leader epoch are the same number. The leader builds the batches of
// records with their final offset and epoch, so the entry's data are the
// bytes of every member's log; control batches each member makes itself, one
// record long, so that offsets agree.

// recordBatch builds the batch of a command's records.
func recordBatch(offset int64, epoch int32, nowMs int64, records []metadata.Record) []byte {
	b := record.NewBuilder()
	b.LeaderEpoch = epoch
	var value []byte
	for _, r := range records {
		value = metadata.Append(value[:0], r)
		b.Add(nowMs, nil, value)
	}
	return b.Build(offset)
}

// batchOf gives the batch of an entry that goes to offset. leader and voters
// are those at hand, for a leader change and a voters record.
func batchOf(e *pb.Entry, offset int64, nowMs int64, leader int32, voters *voterSet) (record.Header, []byte, error) {
	var batch []byte
	switch {
	case e.GetType() != pb.EntryNormal:
		after, err := voters.after(e)
		if err != nil {
			return record.Header{}, nil, err
		}
		b := newControlBatch(int32(e.GetTerm()))
		b.Add(nowMs, record.ControlKey(record.ControlKRaftVoters), votersValue(after.list()),
			record.RecordHeader{Key: confChangeHeader, Value: append([]byte{byte(e.GetType())}, e.GetData()...)})
		batch = b.Build(offset)
	case len(e.GetData()) == 0:
		b := newControlBatch(int32(e.GetTerm()))
		b.Add(nowMs, record.ControlKey(record.ControlLeaderChange), leaderChangeValue(leader, voters.list()))
		batch = b.Build(offset)
	default:
		batch = e.GetData()
	}
	h, err := record.ParseHeader(batch)
	if err != nil {
		return h, nil, fmt.Errorf("entry %d: %w", e.GetIndex(), err)
	}
	if h.BaseOffset != offset || uint64(h.LeaderEpoch) != e.GetTerm() || h.Size() != len(batch) {
		return h, nil, fmt.Errorf("entry %d of term %d for offset %d holds a batch of offset %d, epoch %d and %d of %d bytes",
			e.GetIndex(), e.GetTerm(), offset, h.BaseOffset, h.LeaderEpoch, len(batch), h.Size())
	}
	return h, batch, nil
}

// entryOf is the inverse of batchOf. The entry owns its bytes.
func entryOf(h *record.Header, batch []byte, index uint64) (*pb.Entry, error) {
	e := &pb.Entry{Term: new(uint64(h.LeaderEpoch)), Index: new(index), Type: pb.EntryNormal.Enum()}
	if !h.Control() {
		e.Data = append([]byte(nil), batch...)
		return e, nil
	}
	records, err := controlRecords(batch)
	if err != nil {
		return nil, err
	}
	if len(records) != 1 {
		return nil, fmt.Errorf("control batch of %d records, want 1", len(records))
	}
	switch c := records[0]; c.kind {
	case record.ControlLeaderChange:
		return e, nil
	case record.ControlKRaftVoters:
		change := c.headers[confChangeHeader]
		if len(change) == 0 {
			return nil, fmt.Errorf("voters record without %s", confChangeHeader)
		}
		e.Type, e.Data = pb.EntryType(change[0]).Enum(), change[1:]
		if e.GetType() != pb.EntryConfChange && e.GetType() != pb.EntryConfChangeV2 {
			return nil, fmt.Errorf("voters record with a change of unknown type %d", change[0])
		}
		return e, nil
	default:
		return nil, fmt.Errorf("control record of type %d has no place in the metadata log", c.kind)
	}
}

// parseRecords decodes the metadata records of a batch.
func parseRecords(batch []byte) ([]metadata.Record, error) {
	h, err := record.ParseHeader(batch)
	if err != nil {
		return nil, err
	}
	out := make([]metadata.Record, 0, min(int(h.Count), len(batch)/minRecordBytes))
	var bad error
	err = record.Walk(batch, maxBatchBytes, func(r *record.Record) bool {
		m, err := metadata.Parse(r.Value)
		if err != nil {
			bad = fmt.Errorf("record %d of the batch at offset %d: %w", r.OffsetDelta, h.BaseOffset, err)
			return false
		}
		out = append(out, m)
		return true
	})
	if err == nil {
		err = bad
	}
	return out, err
}

// minRecordBytes is the least that a record takes in a batch.
const minRecordBytes = 7

// parseConfChange reads a configuration change out of an entry.
func parseConfChange(e *pb.Entry) (pb.ConfChangeI, error) {
	if e.GetType() == pb.EntryConfChange {
		cc := &pb.ConfChange{}
		if err := proto.Unmarshal(e.GetData(), cc); err != nil {
			return nil, fmt.Errorf("configuration change in entry %d: %w", e.GetIndex(), err)
		}
		return cc, nil
	}
	cc := &pb.ConfChangeV2{}
	if err := proto.Unmarshal(e.GetData(), cc); err != nil {
		return nil, fmt.Errorf("configuration change in entry %d: %w", e.GetIndex(), err)
	}
	return cc, nil
}
