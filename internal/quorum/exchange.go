package quorum

import (
	"fmt"
	"runtime"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// letter is a frame that came from a node.
type letter struct {
	from  int32
	frame []byte
}

// maxRoutes bounds the senders that are remembered beside the configuration.
const maxRoutes = 64

// post sends the library's messages: those to one member share frames, a
// snapshot is offered and fetched piece by piece.
func (m *member) post(msgs []*pb.Message) {
	var order []uint64
	frames := make(map[uint64][]byte, len(msgs))
	for _, msg := range msgs {
		to := msg.GetTo()
		if msg.GetType() == pb.MsgSnap {
			m.offer(to, msg)
			continue
		}
		b, open := frames[to]
		if !open {
			order = append(order, to)
		}
		if open && len(b)+proto.Size(msg) > coalesced {
			m.dispatch(to, b)
			b, open = nil, false
		}
		if !open || b == nil {
			b = appendHead(nil, frameMessages, to, m.id)
		}
		b, err := appendMessage(b, msg)
		if err != nil {
			m.o.Logger.Error("a message of the metadata quorum cannot be encoded", "type", msg.GetType(), "err", err)
			continue
		}
		frames[to] = b
	}
	for _, to := range order {
		if b := frames[to]; len(b) > frameHead {
			m.dispatch(to, b)
		}
	}
}

// dispatch hands a frame to the transport.
func (m *member) dispatch(to uint64, b []byte) {
	if node := m.route(to); node >= 0 {
		m.o.Send(node, b)
	}
}

// signal sends a frame of one of the small kinds.
func (m *member) signal(kind byte, to uint64, body []byte) {
	m.dispatch(to, append(appendHead(nil, kind, to, m.id), body...))
}

// route tells at which node a member is: by the configuration; where that does
// not know it, by what it sent; before there is one, by what the node was told.
func (m *member) route(id uint64) int32 {
	if n := m.voters.node(id); n >= 0 {
		return n
	}
	if n, ok := m.routes[id]; ok {
		return n
	}
	for _, v := range m.o.Peers() {
		if raftID(v.ID, v.DirectoryID) == id {
			return v.ID
		}
	}
	return -1
}

// learn remembers where a member that the configuration does not know sent from.
func (m *member) learn(id uint64, node int32) {
	if m.voters.node(id) >= 0 {
		return
	}
	if _, known := m.routes[id]; !known && len(m.routes) >= maxRoutes {
		clear(m.routes) // who still sends is learned again
	}
	m.routes[id] = node
}

// receive takes frames that other nodes posted; they share one write.
func (m *member) receive(now time.Time, letters []letter) {
	if !m.able() {
		return
	}
	m.settle(m.guard(func() error {
		for _, l := range letters {
			if err := m.open(now, l); err != nil {
				m.o.Logger.Debug("a frame of the metadata quorum is dropped", "node", l.from, "err", err)
			}
		}
		if err := m.drive(now); err != nil || len(m.orders) == 0 {
			return err
		}
		return m.manage(now) // a change may be committed, and the next one due
	}))
}

// open takes one frame. An error says why it was dropped.
func (m *member) open(now time.Time, l letter) error {
	f, err := parseFrame(l.frame)
	if err != nil {
		return err
	}
	_, gone := m.voters.gone[f.from]
	switch node := m.voters.node(f.from); {
	case f.to != m.id:
		return fmt.Errorf("it is for member %x", f.to)
	case f.from == m.id || node >= 0 && node != l.from:
		return fmt.Errorf("member %x is not at this node", f.from)
	case gone:
		if m.leading && f.kind != frameGone {
			m.learn(f.from, l.from)
			m.signal(frameGone, f.from, nil)
		}
		return fmt.Errorf("member %x was removed", f.from)
	}
	m.learn(f.from, l.from)
	switch f.kind {
	case frameMessages:
		return m.stepAll(now, f)
	case frameOffer:
		return m.considerOffer(f)
	case frameWant:
		return m.serveWant(f)
	case frameChunk:
		return m.takeChunk(now, f)
	case frameDone:
		return m.shipmentDone(f)
	case frameGone:
		return m.retire(f)
	}
	return fmt.Errorf("a frame of unknown kind %d", f.kind)
}

// stepAll gives a frame's messages to the library.
func (m *member) stepAll(now time.Time, f frame) error {
	msgs, err := parseMessages(f)
	if err != nil {
		return err
	}
	for _, msg := range msgs {
		if serr := m.raw.Step(msg); serr != nil && err == nil {
			err = fmt.Errorf("%s: %w", msg.GetType(), serr)
		}
		m.witness(now, msg)
	}
	return err
}

// retire notes that this member was removed from the quorum: it is silent from
// then on, and comes back only as another one.
func (m *member) retire(f frame) error {
	if m.voters.node(f.from) < 0 {
		return fmt.Errorf("member %x is not of this quorum and cannot tell who was removed", f.from)
	}
	if !m.removed {
		m.removed = true
		m.o.Logger.Warn("this node was removed from the metadata quorum", "by", f.from)
	}
	return nil
}

// guard turns a panic of the library, which has met what cannot be (a log that
// lost what it had promised), into the failure of this member alone.
func (m *member) guard(do func() error) (err error) {
	defer func() {
		p := recover()
		if _, ours := p.(runtime.Error); ours {
			panic(p)
		}
		if p != nil {
			err = fmt.Errorf("the metadata quorum met a state that cannot be (its log may have lost what it held): %v", p)
		}
	}()
	return do()
}

// early are the messages of a leader that need not wait for its own disk: the
// entries count here only once they are synced, and its term and vote are.
func early(rd *raft.Ready) (now, later []*pb.Message) {
	for _, msg := range rd.Messages {
		if msg.GetType() == pb.MsgApp {
			now = append(now, msg)
		} else {
			later = append(later, msg)
		}
	}
	return now, later
}
