package quorum

import (
	"errors"
	"fmt"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/uuid"
)

// The metadata log, as Kafka names it.
const (
	Topic     = "__cluster_metadata"
	Partition = 0
)

// TopicID is Kafka's id of the metadata topic, AAAAAAAAAAAAAAAAAAAAAQ.
var TopicID = uuid.UUID{15: 1}

var ident = log.Ident{Topic: Topic, Partition: Partition, ID: TopicID}

// dirName is the directory of the metadata log in the data directory.
const dirName = Topic + "-0"

// segmentBytes is where the metadata log rolls at the latest; a snapshot rolls
// it sooner.
const segmentBytes = 64 << 20

// journal is the metadata log on disk: appends, then one sync that it waits
// for itself, because an answer about the whole cluster does not queue behind
// the data of partitions.
type journal struct {
	log *log.Log
}

// openJournal opens the log, which recovers it.
func openJournal(dir *log.Dir) (*journal, error) {
	l, err := dir.Open(ident, log.OpenOptions{
		Config: log.Config{
			SegmentBytes: segmentBytes, IndexBytes: 10 << 20, IndexIntervalBytes: 4096,
			Delete: true, Durability: log.Fsync, Internal: true, MaxDecompressed: maxBatchBytes,
		},
	})
	if err != nil {
		return nil, err
	}
	return &journal{log: l}, nil
}

// start and end are the log's bounds as offsets.
func (j *journal) start() int64 { return j.log.Start() }
func (j *journal) end() int64   { return j.log.End().Offset }

// append writes batches in order.
func (j *journal) append(hs []record.Header, batches [][]byte) error {
	_, err := j.log.AppendMany(hs, batches)
	return err
}

// fillerKey is the key of a batch below the log's start.
var fillerKey = record.ControlKey(record.ControlLeaderChange)

// appendOne writes a batch.
func (j *journal) appendOne(batch []byte) error {
	h, err := record.ParseHeader(batch)
	if err != nil {
		return err
	}
	return j.append([]record.Header{h}, [][]byte{batch})
}

// sync returns when everything appended is durable.
func (j *journal) sync() error {
	if err := j.log.Sync(); err != nil {
		return err
	}
	if d := j.log.Durable().Offset; d < j.end() {
		return fmt.Errorf("the metadata log was synced to offset %d and ends at %d", d, j.end())
	}
	return nil
}

// scan walks the batches from offset on; batch is valid during the call.
func (j *journal) scan(offset int64, fn func(h *record.Header, batch []byte) error) error {
	if offset >= j.end() {
		return nil
	}
	return j.log.Scan(offset, fn)
}

// errEnough ends a scan that has what it wants.
var errEnough = errors.New("enough")

// read fetches the entries lo to hi-1 that begin at offset, at least one and
// then at most about maxSize bytes.
func (j *journal) read(lo, hi uint64, offset int64, maxSize uint64) ([]*raftpb.Entry, error) {
	var out []*raftpb.Entry
	var size uint64
	err := j.scan(offset, func(h *record.Header, batch []byte) error {
		e, err := entryOf(h, batch, lo+uint64(len(out)))
		if err != nil {
			return fmt.Errorf("batch at offset %d: %w", h.BaseOffset, err)
		}
		size += uint64(proto.Size(e))
		if len(out) > 0 && size > maxSize {
			return errEnough
		}
		if out = append(out, e); lo+uint64(len(out)) == hi {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the log has no batch at offset %d", offset)
	}
	return out, nil
}

// truncate cuts everything from offset on.
func (j *journal) truncate(offset int64) error {
	return j.log.TruncateTo(offset)
}

// release lets go of what lies below offset: a new segment begins, so that
// the old ones can be deleted whole.
func (j *journal) release(offset int64) error {
	if err := j.log.Roll(); err != nil {
		return err
	}
	if err := j.log.AdvanceStart(offset); err != nil {
		return err
	}
	_, err := j.log.Retain(offset)
	return err
}

func (j *journal) close() error { return j.log.Close() }
