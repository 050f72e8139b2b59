package quorum

import (
	"errors"
	"fmt"
	"io"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"ottla/internal/metadata"
	"ottla/internal/record"
)

// Bounds of the batches of a snapshot: what one is filled up to, and what is
// read at most (a single record may be large).
const (
	snapshotBatchBytes   = 256 << 10
	maxSnapshotBatch     = 64 << 20
	snapshotBatchRecords = 4096
)

// Record headers of the snapshot's header record, which say of the Raft log
// what Kafka's schema has no place for.
const (
	indexHeader   = "ottla.raft.index"
	confHeader    = "ottla.raft.conf.state"
	clusterHeader = "ottla.cluster.id"
	// learnersHeader is a voters record of those without a vote, goneHeader the
	// ids that nobody may have again, eight bytes each; not there when empty.
	learnersHeader = "ottla.raft.learners"
	goneHeader     = "ottla.raft.gone"
)

// snapshotMeta is what a snapshot says beside the image.
type snapshotMeta struct {
	End         int64  // offset after the last record it holds
	Term        int32  // epoch of that record
	Index       uint64 // of the entry that ends there
	TimestampMs int64
	ClusterID   string
	Conf        *pb.ConfState
	Voters      *voterSet
}

// encodeSnapshot gives write the batches of a snapshot one after the other:
// header, records, footer (KIP-630, KIP-853). Offsets count from 0.
func encodeSnapshot(m snapshotMeta, img *metadata.Image, write func(batch []byte) error) error {
	conf, err := proto.MarshalOptions{Deterministic: true}.Marshal(m.Conf)
	if err != nil {
		return fmt.Errorf("encode the configuration: %w", err)
	}
	b := newControlBatch(m.Term)
	headers := []record.RecordHeader{
		{Key: indexHeader, Value: fmt.Append(nil, m.Index)},
		{Key: confHeader, Value: conf},
		{Key: clusterHeader, Value: []byte(m.ClusterID)},
	}
	if len(m.Voters.learners) > 0 {
		headers = append(headers, record.RecordHeader{Key: learnersHeader, Value: votersValue(m.Voters.observers())})
	}
	if len(m.Voters.gone) > 0 {
		headers = append(headers, record.RecordHeader{Key: goneHeader, Value: m.Voters.goneValue()})
	}
	b.Add(m.TimestampMs, record.ControlKey(record.ControlSnapshotHeader), snapshotHeaderValue(m.TimestampMs), headers...)
	b.Add(m.TimestampMs, record.ControlKey(record.ControlKRaftVersion), kraftVersionValue())
	b.Add(m.TimestampMs, record.ControlKey(record.ControlKRaftVoters), votersValue(m.Voters.list()))
	offset := int64(b.Len())
	if err := write(b.Build(0)); err != nil {
		return err
	}
	if offset, err = encodeImage(m, img, offset, write); err != nil {
		return err
	}
	b = newControlBatch(m.Term)
	b.Add(m.TimestampMs, record.ControlKey(record.ControlSnapshotFooter), snapshotFooterValue())
	return write(b.Build(offset))
}

// encodeImage writes the records of the image and returns the next offset.
func encodeImage(m snapshotMeta, img *metadata.Image, offset int64, write func([]byte) error) (int64, error) {
	b := record.NewBuilder()
	b.LeaderEpoch = m.Term
	size := 0
	var value []byte
	flush := func() error {
		n := b.Len()
		if n == 0 {
			return nil
		}
		err := write(b.Build(offset))
		offset += int64(n)
		size = 0
		return err
	}
	for r := range img.Records() {
		value = metadata.Append(value[:0], r)
		b.Add(m.TimestampMs, nil, value)
		if size += len(value); size >= snapshotBatchBytes || b.Len() >= snapshotBatchRecords {
			if err := flush(); err != nil {
				return offset, err
			}
		}
	}
	return offset, flush()
}

// snapshotDecoder reads one back, batch by batch.
type snapshotDecoder struct {
	want   snapshotMeta // End and Term, from the file's name
	meta   snapshotMeta
	draft  *metadata.Draft
	offset int64
	header bool
	footer bool
}

// decodeSnapshot reads a snapshot of size bytes whose name says end and term.
// Any damage is an error: a snapshot is whole or it is none.
func decodeSnapshot(r io.ReaderAt, size, end int64, term int32) (*metadata.Image, snapshotMeta, error) {
	d := snapshotDecoder{draft: metadata.Empty().Draft()}
	d.want.End, d.want.Term = end, term
	var buf []byte
	for at := int64(0); at < size; {
		var err error
		if buf, err = readBatch(r, at, size, buf); err == nil {
			err = d.batch(buf)
		}
		if err != nil {
			return nil, d.meta, fmt.Errorf("batch at byte %d: %w", at, err)
		}
		at += int64(len(buf))
	}
	if !d.footer {
		return nil, d.meta, errors.New("it has no footer: it is not whole")
	}
	d.meta.End, d.meta.Term = end, term
	return d.draft.Seal(end-1, term), d.meta, nil
}

// readBatch reads the batch at byte at into buf, which may grow.
func readBatch(r io.ReaderAt, at, size int64, buf []byte) ([]byte, error) {
	if size-at < record.HeaderSize {
		return buf, fmt.Errorf("%d bytes are left, a batch has at least %d", size-at, record.HeaderSize)
	}
	var head [record.HeaderSize]byte
	if _, err := r.ReadAt(head[:], at); err != nil {
		return buf, err
	}
	h, err := record.ParseHeader(head[:])
	if err != nil {
		return buf, err
	}
	n := int64(h.Size())
	if n > size-at || n > maxSnapshotBatch {
		return buf, fmt.Errorf("it claims %d bytes, %d are left and a batch has at most %d", n, size-at, maxSnapshotBatch)
	}
	if int64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if m, err := r.ReadAt(buf, at); err != nil && !(errors.Is(err, io.EOF) && int64(m) == n) {
		return buf, err
	}
	return buf, nil
}

// batch takes one batch.
func (d *snapshotDecoder) batch(b []byte) error {
	h, err := record.ParseHeader(b)
	switch {
	case err != nil:
		return err
	case !record.VerifyCRC(b):
		return errors.New("its checksum does not hold")
	case h.BaseOffset != d.offset || h.LeaderEpoch != d.want.Term:
		return fmt.Errorf("it has offset %d and epoch %d, want %d and %d", h.BaseOffset, h.LeaderEpoch, d.offset, d.want.Term)
	case d.footer:
		return errors.New("it follows the footer")
	case h.Control() && !d.header:
		err = d.readHeader(b)
	case h.Control():
		err = d.readFooter(b)
	case !d.header:
		return errors.New("it comes before the header")
	default:
		err = d.readRecords(b)
	}
	d.offset = h.NextOffset()
	return err
}

func (d *snapshotDecoder) readHeader(b []byte) error {
	records, err := controlRecords(b)
	if err != nil {
		return err
	}
	if len(records) != 3 || records[0].kind != record.ControlSnapshotHeader ||
		records[1].kind != record.ControlKRaftVersion || records[2].kind != record.ControlKRaftVoters {
		return errors.New("it is not the header of a snapshot that Ottla made")
	}
	h := records[0]
	if _, err := fmt.Sscan(string(h.headers[indexHeader]), &d.meta.Index); err != nil {
		return fmt.Errorf("%s: %w", indexHeader, err)
	}
	d.meta.Conf = &pb.ConfState{}
	if err := proto.Unmarshal(h.headers[confHeader], d.meta.Conf); err != nil {
		return fmt.Errorf("%s: %w", confHeader, err)
	}
	d.meta.ClusterID = string(h.headers[clusterHeader])
	voters, err := parseVoters(records[2].value)
	if err != nil {
		return err
	}
	d.meta.Voters = newVoterSet(voters...)
	if err := d.meta.Voters.readOthers(h.headers[learnersHeader], h.headers[goneHeader]); err != nil {
		return err
	}
	r := &controlReader{b: h.value}
	r.int16()
	d.meta.TimestampMs = int64(r.int32())<<32 | int64(uint32(r.int32()))
	d.header = true
	return r.err
}

func (d *snapshotDecoder) readFooter(b []byte) error {
	records, err := controlRecords(b)
	if err != nil {
		return err
	}
	if len(records) != 1 || records[0].kind != record.ControlSnapshotFooter {
		return errors.New("it is a control batch and not the footer")
	}
	d.footer = true
	return nil
}

func (d *snapshotDecoder) readRecords(b []byte) error {
	records, err := parseRecords(b)
	if err != nil {
		return err
	}
	for n, r := range records {
		if err := d.draft.Apply(r); err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
	}
	return nil
}
