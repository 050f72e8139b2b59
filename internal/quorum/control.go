package quorum

import (
	"encoding/binary"
	"errors"
	"fmt"

	"ottla/internal/record"
	"ottla/internal/uuid"
)

// Voter is a member of the quorum, as KRaft's voters record lists it (KIP-853).
type Voter struct {
	ID          int32
	DirectoryID uuid.UUID
	Endpoints   []VoterEndpoint
	// NoVote marks a learner that is never made a voter but by order.
	NoVote bool
}

// VoterEndpoint is where a voter's controller listens.
type VoterEndpoint struct {
	Name, Host string
	Port       uint16
}

// Versions of KRaft's protocol that our voters say they support, and that a
// snapshot finalises: dynamic voters.
const (
	minKRaftVersion = 0
	kraftVersion    = 1
)

// noVoteTag is a tagged field of ours in a voter of a voters record.
const noVoteTag = 1000

// Bounds of what a voters record may hold; a quorum has a handful.
const (
	maxVoters    = 1024
	maxEndpoints = 64
)

var errShort = errors.New("it ends too early")

// controlValue encodes the values of control records: flexible bodies without
// tagged fields.
type controlValue []byte

func (v controlValue) int16(n int16) controlValue {
	return binary.BigEndian.AppendUint16(v, uint16(n))
}
func (v controlValue) int32(n int32) controlValue {
	return binary.BigEndian.AppendUint32(v, uint32(n))
}
func (v controlValue) int64(n int64) controlValue {
	return binary.BigEndian.AppendUint64(v, uint64(n))
}
func (v controlValue) length(n int) controlValue { return binary.AppendUvarint(v, uint64(n)+1) }
func (v controlValue) string(s string) controlValue {
	return append(v.length(len(s)), s...)
}
func (v controlValue) noTags() controlValue { return append(v, 0) }

// leaderChangeValue is LeaderChangeMessage v0 (KIP-595). Version 1 would add
// the directory ids of the voters, and Kafka's own tools read version 0 only.
func leaderChangeValue(leader int32, voters []Voter) []byte {
	v := controlValue(nil).int16(0).int32(leader)
	for range 2 { // the voters, and those who voted for it
		v = v.length(len(voters))
		for _, m := range voters {
			v = v.int32(m.ID).noTags()
		}
	}
	return v.noTags()
}

// votersValue is VotersRecord v0.
func votersValue(voters []Voter) []byte {
	v := controlValue(nil).int16(0).length(len(voters))
	for _, m := range voters {
		v = append(v.int32(m.ID), m.DirectoryID[:]...)
		v = v.length(len(m.Endpoints))
		for _, e := range m.Endpoints {
			v = v.string(e.Name).string(e.Host).int16(int16(e.Port)).noTags()
		}
		v = v.int16(minKRaftVersion).int16(kraftVersion).noTags()
		if m.NoVote {
			v = binary.AppendUvarint(append(v, 1), noVoteTag)
			v = append(v, 1, 1) // of one byte: true
		} else {
			v = v.noTags()
		}
	}
	return v.noTags()
}

// kraftVersionValue is KRaftVersionRecord v0.
func kraftVersionValue() []byte { return controlValue(nil).int16(0).int16(kraftVersion).noTags() }

// snapshotHeaderValue is SnapshotHeaderRecord v0, snapshotFooterValue
// SnapshotFooterRecord v0 (KIP-630).
func snapshotHeaderValue(timestampMs int64) []byte {
	return controlValue(nil).int16(0).int64(timestampMs).noTags()
}
func snapshotFooterValue() []byte { return controlValue(nil).int16(0).noTags() }

// controlReader decodes such a body; the first failure sticks.
type controlReader struct {
	b   []byte
	err error
}

func (r *controlReader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.fail(errShort)
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *controlReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *controlReader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *controlReader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *controlReader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[size:]
	return n
}

// length reads a compact length of at most limit; null counts as nothing.
func (r *controlReader) length(limit int) int {
	n := r.uvarint()
	if n > uint64(limit)+1 {
		r.fail(fmt.Errorf("it counts %d items, the limit is %d", n-1, limit))
		return 0
	}
	return max(int(n)-1, 0)
}

func (r *controlReader) string() string { return string(r.take(r.length(len(r.b)))) }

func (r *controlReader) skipTags() { r.tag(0) }

// tag walks the tagged fields and gives the value of the wanted one, nil when
// it is not there.
func (r *controlReader) tag(wanted uint64) (value []byte) {
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		tag := r.uvarint()
		if b := r.take(int(min(r.uvarint(), uint64(len(r.b)+1)))); tag == wanted {
			value = b
		}
	}
	return value
}

// parseVoters reads a VotersRecord.
func parseVoters(value []byte) ([]Voter, error) {
	r := &controlReader{b: value}
	r.int16()
	var voters []Voter
	for range r.length(maxVoters) {
		m := Voter{ID: r.int32()}
		copy(m.DirectoryID[:], r.take(16))
		for range r.length(maxEndpoints) {
			m.Endpoints = append(m.Endpoints, VoterEndpoint{Name: r.string(), Host: r.string(), Port: uint16(r.int16())})
			r.skipTags()
		}
		r.int16()
		r.int16()
		r.skipTags()
		flag := r.tag(noVoteTag)
		m.NoVote = len(flag) == 1 && flag[0] == 1
		if r.err != nil {
			return nil, fmt.Errorf("voters record: %w", r.err)
		}
		voters = append(voters, m)
	}
	r.skipTags()
	if r.err != nil {
		return nil, fmt.Errorf("voters record: %w", r.err)
	}
	return voters, nil
}

// newControlBatch is a builder of control records for a leader epoch.
func newControlBatch(epoch int32) *record.Builder {
	b := record.NewBuilder()
	b.LeaderEpoch, b.Control = epoch, true
	return b
}

// controlRecord is one record of a control batch; nothing in it is a view.
type controlRecord struct {
	kind    int16
	value   []byte
	headers map[string][]byte
}

// controlRecords opens a control batch.
func controlRecords(batch []byte) ([]controlRecord, error) {
	var out []controlRecord
	var bad error
	err := record.Walk(batch, 0, func(r *record.Record) bool {
		if len(r.Key) < 4 {
			bad = fmt.Errorf("control record %d has a key of %d bytes, want 4", r.OffsetDelta, len(r.Key))
			return false
		}
		c := controlRecord{kind: int16(binary.BigEndian.Uint16(r.Key[2:])), value: append([]byte(nil), r.Value...)}
		for _, h := range r.Headers {
			if c.headers == nil {
				c.headers = make(map[string][]byte)
			}
			c.headers[h.Key] = append([]byte(nil), h.Value...)
		}
		out = append(out, c)
		return true
	})
	if err == nil {
		err = bad
	}
	return out, err
}
