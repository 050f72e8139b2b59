package quorum

import (
	"errors"
	"fmt"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// simChecker judges a simulation: one leader a term; one committed history, of
// which every image is a prefix; what was acknowledged is in it exactly once,
// what was refused for certain is not; members at one entry agree on who is in
// the quorum.
type simChecker struct {
	w       *world
	leaders map[uint64]uint64 // term to Raft id
	entries map[uint64]simEntry
	conf    map[uint64]string // of the quorum, after a committed entry
	topics  map[string]span   // where in the history each topic was created
	images  map[int64]uint64  // offset to the checksum of its topics
	seen    int64             // the highest offset of an image that was shown
	refused map[string]int64
	top     uint64 // the highest committed entry

	acks, acksAtCalm int
	lost             map[uint64]bool // Raft ids whose disks are gone
}

type simEntry struct {
	term uint64
	end  int64
}

// span is what is known of the offset of a step: after lo, at most hi.
type span struct{ lo, hi int64 }

func newSimChecker(w *world) *simChecker {
	return &simChecker{w: w, leaders: map[uint64]uint64{}, entries: map[uint64]simEntry{}, conf: map[uint64]string{},
		topics: map[string]span{}, images: map[int64]uint64{}, seen: -1, refused: map[string]int64{}, lost: map[uint64]bool{}}
}

// image takes a step that a node shows.
func (c *simChecker) image(n *simNode, img *metadata.Image, d *metadata.Delta) {
	if img.Offset <= n.offset {
		c.w.fail("%s goes from offset %d to %d", n, n.offset, img.Offset)
	}
	if n.m.arrived != nil || n.m.halfway || len(d.Created) != 1 || d.Created[0].Name == "" {
		c.w.hit("snapshot installed")
		c.whole(n, img)
		return
	}
	c.place(n, d.Created[0].Name, span{n.offset, img.Offset})
	n.topics ^= sum64([]byte(d.Created[0].Name))
	c.remember(n, img.Offset)
}

// place notes where a topic was created: no two members may differ.
func (c *simChecker) place(n *simNode, name string, at span) {
	was, known := c.topics[name]
	if !known {
		if at.hi <= c.seen {
			c.w.fail("%s has topic %s at offset %d, and an image at offset %d was shown without it", n, name, at.hi, c.seen)
		}
		c.topics[name] = span{max(at.lo, c.seen), at.hi}
		return
	}
	both := span{max(was.lo, at.lo), min(was.hi, at.hi)}
	if both.lo >= both.hi {
		c.w.fail("%s has topic %s in offsets %+v, others in %+v", n, name, at, was)
	}
	c.topics[name] = both
}

// remember holds an image against those at the same offset.
func (c *simChecker) remember(n *simNode, offset int64) {
	n.offset = offset
	if was, ok := c.images[offset]; ok && was != n.topics {
		c.w.fail("%s has other topics at offset %d than another", n, offset)
	}
	c.images[offset] = n.topics
	c.seen = max(c.seen, offset)
	c.w.note("image %d %d %x", n.id, offset, n.topics)
}

// whole takes an image that no single step led to: of a start, or a snapshot.
func (c *simChecker) whole(n *simNode, img *metadata.Image) {
	n.topics = 0
	for t := range img.Topics() {
		n.topics ^= sum64([]byte(t.Name))
		c.place(n, t.Name, span{-1, img.Offset})
	}
	for name, at := range c.topics {
		if img.TopicByName(name) != nil {
			continue
		}
		if at.hi <= img.Offset {
			c.w.fail("%s has no topic %s at offset %d, which was created by offset %d", n, name, img.Offset, at.hi)
		}
		c.topics[name] = span{max(at.lo, img.Offset), at.hi}
	}
	c.remember(n, img.Offset)
}

// started looks at what a node recovered.
func (c *simChecker) started(n *simNode) {
	c.whole(n, n.m.image)
}

func (c *simChecker) stopped(n *simNode) {}

// look compares a node with what all others committed.
func (c *simChecker) look(n *simNode) {
	m := n.m
	if s := m.raw.BasicStatus(); s.RaftState.String() == "StateLeader" {
		term := s.HardState.GetTerm()
		if other, ok := c.leaders[term]; ok && other != m.id {
			c.w.fail("%s leads in epoch %d, and so did %x", n, term, other)
		}
		if _, ok := c.leaders[term]; !ok {
			c.w.hit("leader")
		}
		c.leaders[term] = m.id
	}
	for i := max(m.applied, 40) - 40; i <= m.applied; i++ {
		term, kept := m.store.index.term(i)
		if !kept || i == 0 {
			continue
		}
		e := simEntry{term, m.store.index.endOf(i)}
		if was, ok := c.entries[i]; ok && was != e {
			c.w.fail("%s has committed entry %d as %+v, another had %+v", n, i, e, was)
		}
		c.entries[i] = e
		c.top = max(c.top, i)
	}
	conf := fmt.Sprint(m.voters.ids(), m.voters.observers(), m.store.conf.GetVoters(), m.store.conf.GetLearners(), len(m.voters.gone))
	if m.waiting {
		return
	}
	if was, ok := c.conf[m.applied]; ok && was != conf {
		c.w.fail("%s has quorum %s after entry %d, another had %s", n, conf, m.applied, was)
	}
	c.conf[m.applied] = conf
	if m.leading {
		if err := n.machine.agrees(m.image); err != nil && m.applied == m.store.index.last() {
			c.w.fail("%s: %v", n, err)
		}
	}
}

// answered takes a client's answer.
func (c *simChecker) answered(op *simOp, r result) {
	name := topicRecords(op.topic)[0].(*metadata.TopicRecord).Name
	c.w.note("answer %s %v", name, r.err)
	at, there := c.topics[name]
	switch {
	case r.err == nil:
		c.acks++
		if !there || at.hi > r.offset {
			c.w.fail("node %d acknowledged %s, which is not in its image at offset %d", op.node, name, r.offset)
		}
	case certain(r.err):
		if there {
			c.w.fail("node %d refused %s (%v), and it is there", op.node, name, r.err)
		}
		c.refused[name] = c.w.now()
		if c.w.now() > op.born {
			c.w.hit("refused for certain after a while")
		}
	case errors.Is(r.err, ErrUndecided):
		c.w.hit("undecided")
	case errors.Is(r.err, wire.KafkaStorageError):
		if there {
			c.w.fail("node %d refused %s (%v), and it is there", op.node, name, r.err)
		}
	default:
		c.w.fail("node %d answers %s with %v", op.node, name, r.err)
	}
}

// canLose tells whether the quorum can do without a node's disk: nothing is in
// flight anywhere, and those that are left have a majority.
func (c *simChecker) canLose(n *simNode) bool {
	lead := c.w.leader()
	if lead == nil || lead == n || len(lead.m.changes) > 0 || len(lead.m.orders) > 0 || n.m == nil {
		return false
	}
	if lead.m.applied < c.top { // it may lead no more
		return false
	}
	for _, other := range c.w.nodes[1:] {
		if other.m == nil || len(other.m.changes) > 0 || other.m.store.conf.String() != lead.m.store.conf.String() && !other.m.waiting {
			return false
		}
	}
	left := 0
	ids := lead.m.voters.ids()
	for id := range lead.m.voters.learners { // which the leader may take for alive, and promote
		if c.lost[id] || id == n.m.id {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		if id != n.m.id && !c.lost[id] {
			left++
		}
	}
	if left <= len(ids)/2 {
		return false
	}
	c.lost[n.m.id] = true
	return true
}

// finish looks at the whole once everyone is at one.
func (c *simChecker) finish() {
	for name := range c.refused {
		if _, there := c.topics[name]; there {
			c.w.fail("topic %s was refused for certain, and it is there", name)
		}
	}
	for _, n := range c.w.nodes[1:] {
		c.whole(n, n.m.image)
	}
}
