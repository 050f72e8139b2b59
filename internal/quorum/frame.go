package quorum

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"ottla/internal/record"
)

// A frame is what one node posts to another:
//
//	version  1 byte, 1 so far
//	kind     1 byte
//	to       8 bytes, Raft id of the member that is meant
//	from     8 bytes, Raft id of the sender
//	body
//
// Frames are big-endian. A frame that is not for this member (a node came back
// under another id) is dropped, like one that cannot be read.
const (
	frameVersion = 1
	frameHead    = 2 + 8 + 8
)

// Kinds of frames and their bodies.
const (
	// frameMessages: Raft messages, each with its length as uvarint before it.
	frameMessages = 1
	// frameOffer: a snapshot that the receiver needs: an offer.
	frameOffer = 2
	// frameWant: the part of it that the receiver wants next: a want.
	frameWant = 3
	// frameChunk: that part: want, checksum (CRC-32C) and bytes.
	frameChunk = 4
	// frameDone: the snapshot was taken, or is of no use: a want.
	frameDone = 5
	// frameGone: the receiver was removed from the quorum; no body.
	frameGone = 6
)

// MaxFrame bounds a frame: one entry of the largest kind and what is around it.
const MaxFrame = maxBatchBytes + 1<<20

const (
	// coalesced is up to where messages to one member share a frame.
	coalesced = 1 << 20
	// chunkBytes is how much of a snapshot travels in a frame.
	chunkBytes = 256 << 10
	// maxFrameMessages bounds the messages in a frame.
	maxFrameMessages = 4096
	// maxSnapshotFile bounds a snapshot that is taken from another member.
	maxSnapshotFile = 16 << 30
)

// frame is one, taken apart. body is a view.
type frame struct {
	kind     byte
	to, from uint64
	body     []byte
}

func appendHead(b []byte, kind byte, to, from uint64) []byte {
	b = append(b, frameVersion, kind)
	b = binary.BigEndian.AppendUint64(b, to)
	return binary.BigEndian.AppendUint64(b, from)
}

func parseFrame(b []byte) (frame, error) {
	switch {
	case len(b) < frameHead:
		return frame{}, fmt.Errorf("a frame of %d bytes has no room for its head of %d", len(b), frameHead)
	case len(b) > MaxFrame:
		return frame{}, fmt.Errorf("a frame of %d bytes is over the limit of %d", len(b), MaxFrame)
	case b[0] != frameVersion:
		return frame{}, fmt.Errorf("a frame of version %d, this release knows %d", b[0], frameVersion)
	}
	return frame{b[1], binary.BigEndian.Uint64(b[2:]), binary.BigEndian.Uint64(b[10:]), b[frameHead:]}, nil
}

// appendMessage adds a Raft message to a frame of messages.
func appendMessage(b []byte, m *pb.Message) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(proto.Size(m)))
	return proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, m)
}

// parseMessages reads the messages of a frame and checks everything that the
// Raft library takes for granted. They own their bytes.
func parseMessages(f frame) ([]*pb.Message, error) {
	var out []*pb.Message
	for b := f.body; len(b) > 0; {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return nil, errors.New("a message that is longer than its frame")
		}
		if len(out) == maxFrameMessages {
			return nil, fmt.Errorf("a frame with more than %d messages", maxFrameMessages)
		}
		m := &pb.Message{}
		if err := proto.Unmarshal(b[size:size+int(n)], m); err != nil {
			return nil, fmt.Errorf("a message that is none: %w", err)
		}
		if err := checkMessage(m, f); err != nil {
			return nil, fmt.Errorf("%s: %w", m.GetType(), err)
		}
		out, b = append(out, m), b[size+int(n):]
	}
	return out, nil
}

// checkMessage tells whether a member may send this.
func checkMessage(m *pb.Message, f frame) error {
	switch m.GetType() {
	case pb.MsgApp, pb.MsgAppResp, pb.MsgVote, pb.MsgVoteResp, pb.MsgPreVote, pb.MsgPreVoteResp,
		pb.MsgHeartbeat, pb.MsgHeartbeatResp, pb.MsgTimeoutNow:
	default:
		return errors.New("it does not travel")
	}
	switch {
	case m.GetTo() != f.to || m.GetFrom() != f.from:
		return fmt.Errorf("from %x to %x in a frame from %x to %x", m.GetFrom(), m.GetTo(), f.from, f.to)
	case m.GetTerm() == 0 || m.GetTerm() > math.MaxInt32:
		return fmt.Errorf("epoch %d", m.GetTerm())
	case m.GetSnapshot() != nil || len(m.GetResponses()) > 0:
		return errors.New("it carries what it cannot carry")
	case m.GetType() != pb.MsgApp && len(m.GetEntries()) > 0:
		return errors.New("it carries entries")
	}
	prev, term := m.GetIndex(), m.GetLogTerm()
	for _, e := range m.GetEntries() {
		prev++
		switch {
		case e.GetIndex() != prev:
			return fmt.Errorf("entry %d in the place of entry %d", e.GetIndex(), prev)
		case e.GetTerm() < term || e.GetTerm() > m.GetTerm() || e.GetTerm() == 0:
			return fmt.Errorf("entry %d of epoch %d after epoch %d", e.GetIndex(), e.GetTerm(), term)
		}
		if err := checkEntry(e); err != nil {
			return fmt.Errorf("entry %d: %w", e.GetIndex(), err)
		}
		term = e.GetTerm()
	}
	return nil
}

// checkEntry tells whether the entry's bytes are what its sender sealed.
func checkEntry(e *pb.Entry) error {
	if e.GetType() != pb.EntryNormal {
		cc, err := parseConfChange(e)
		if err != nil {
			return err
		}
		_, err = parseVotersIn(cc.AsV2())
		return err
	}
	if len(e.GetData()) == 0 {
		return nil
	}
	h, err := record.ParseHeader(e.GetData())
	switch {
	case err != nil:
		return err
	case h.Size() != len(e.GetData()) || len(e.GetData()) > maxBatchBytes:
		return fmt.Errorf("a batch of %d bytes in %d, the limit is %d", h.Size(), len(e.GetData()), maxBatchBytes)
	case !record.VerifyCRC(e.GetData()):
		return errors.New("its checksum does not hold")
	}
	return nil
}

// offer describes a snapshot that a leader has for a member.
type offer struct {
	id    snapshotID
	index uint64
	epoch uint64 // of the leader that offers it
	size  int64
}

const offerBytes = 8 + 4 + 8 + 8 + 8

func (o offer) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(o.id.End))
	b = binary.BigEndian.AppendUint32(b, uint32(o.id.Term))
	b = binary.BigEndian.AppendUint64(b, o.index)
	b = binary.BigEndian.AppendUint64(b, o.epoch)
	return binary.BigEndian.AppendUint64(b, uint64(o.size))
}

func parseOffer(b []byte) (offer, error) {
	if len(b) != offerBytes {
		return offer{}, fmt.Errorf("an offer of %d bytes, want %d", len(b), offerBytes)
	}
	o := offer{
		id:    snapshotID{int64(binary.BigEndian.Uint64(b)), int32(binary.BigEndian.Uint32(b[8:]))},
		index: binary.BigEndian.Uint64(b[12:]), epoch: binary.BigEndian.Uint64(b[20:]), size: int64(binary.BigEndian.Uint64(b[28:])),
	}
	if o.id.End < 0 || o.id.Term < 0 || o.index == 0 || o.size <= 0 || o.size > maxSnapshotFile || o.epoch > math.MaxInt32 {
		return offer{}, fmt.Errorf("an offer of a snapshot that cannot be: %+v", o)
	}
	return o, nil
}

// want names a place in a snapshot.
type want struct {
	id snapshotID
	at int64
}

const wantBytes = 8 + 4 + 8

func (w want) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(w.id.End))
	b = binary.BigEndian.AppendUint32(b, uint32(w.id.Term))
	return binary.BigEndian.AppendUint64(b, uint64(w.at))
}

func parseWant(b []byte) (w want, rest []byte, err error) {
	if len(b) < wantBytes {
		return want{}, nil, fmt.Errorf("a place in a snapshot of %d bytes, want %d", len(b), wantBytes)
	}
	w = want{snapshotID{int64(binary.BigEndian.Uint64(b)), int32(binary.BigEndian.Uint32(b[8:]))}, int64(binary.BigEndian.Uint64(b[12:]))}
	if w.id.End < 0 || w.id.Term < 0 || w.at < 0 {
		return want{}, nil, fmt.Errorf("a place in a snapshot that cannot be: %+v", w)
	}
	return w, b[wantBytes:], nil
}

// appendChunk adds a part of a snapshot to a frame.
func appendChunk(b []byte, w want, part []byte) []byte {
	b = w.append(b)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(part, castagnoli))
	return append(b, part...)
}

func parseChunk(b []byte) (w want, part []byte, err error) {
	w, b, err = parseWant(b)
	if err != nil {
		return w, nil, err
	}
	if len(b) < 4 {
		return w, nil, errors.New("a part of a snapshot without its checksum")
	}
	part = b[4:]
	if sum := crc32.Checksum(part, castagnoli); len(part) == 0 || len(part) > chunkBytes || sum != binary.BigEndian.Uint32(b) {
		return w, nil, fmt.Errorf("a part of a snapshot of %d bytes with checksum %08x, its content has %08x", len(part), binary.BigEndian.Uint32(b), sum)
	}
	return w, part, nil
}
