package cluster

import (
	"fmt"
	"slices"
	"time"

	"ottla/internal/broker"
	"ottla/internal/group"
	"ottla/internal/wire"
	"ottla/test/simulation/event"
)

// crew is a group whose members come, go and vanish, of the classic protocol or of the
// consumer protocol (modern.go). Each partition that a member owns it works on: it
// commits one offset after the other.
type crew struct {
	base
	name    string
	modern  bool
	parts   int32
	members []*member
	owners  map[claim]string
	acked   []int64 // the highest offset whose commit was answered, by partition
}

// claim is a partition in a generation: it has one owner.
type claim struct {
	generation int32
	index      int32
}

// member is a consumer of the group.
type member struct {
	c          *crew
	id         string // "" before the coordinator gave one
	life       int    // counts ids: what an older one asked is void
	generation int32
	term       int  // counts what it came to own: what was begun in an older one is void
	changed    bool // the coordinator has not heard what it owns now
	owns       []int32
	at         []int64 // committed offsets of what it owns
	committing bool    // a commit of this life is not answered yet
	stable     bool
	doing      string
}

func (w *World) newCrew(parts int32) *crew {
	return &crew{base: w.newBase(), name: "crew", modern: w.o.Modern, parts: parts, owners: map[claim]string{}, acked: make([]int64, parts)}
}

func (c *crew) start() {
	for range 3 {
		m := &member{c: c}
		c.members = append(c.members, m)
		c.after(event.Between(c.w.work, 0, 2*time.Second), m.begin)
	}
}

// idle tells what is missing until every partition has an owner, all of one
// generation.
func (c *crew) idle() string {
	owned := 0
	for i, m := range c.members {
		if !m.stable || m.generation != c.members[0].generation {
			return fmt.Sprintf("member %d of %s (%s) in generation %d: %s", i, c.name, m.id, m.generation, m.doing)
		}
		owned += len(m.owns)
	}
	if owned != int(c.parts) {
		return fmt.Sprintf("%s owns %d of %d partitions", c.name, owned, c.parts)
	}
	return ""
}

// call gives the coordinator a command; then hears its answer, with
// NETWORK_EXCEPTION when none came. What an older life asked is not heard.
func (m *member) call(cmd any, then func(body any, code wire.Code)) {
	c, life := m.c, m.life
	heard := func(x said, ok bool) {
		if m.life != life {
			return
		}
		code := wire.CodeOf(x.err)
		if !ok {
			code = wire.NetworkException
		}
		if code == wire.None {
			then(x.body, code)
			return
		}
		c.refresh(func() {
			if m.life == life {
				then(x.body, code)
			}
		})
	}
	to, asked := c.leader(broker.OffsetsTopic, home(c.name)), false
	if to < 0 {
		heard(said{}, false)
		return
	}
	c.ask(request{
		to: to, timeout: 6 * time.Second, pipe: c.pipe(),
		serve: func(p *process, answer func(any)) {
			if _, commits := cmd.(group.Commit); commits && asked {
				return // doubled: behind a later commit it would take that back, as on no connection
			}
			asked = true
			p.shards.groups.do(home(c.name), cmd, func(s said) { answer(s) })
		},
		done: func(answer any, _ bool) {
			x, ok := answer.(said)
			heard(x, ok)
		},
	})
}

// pipe is what a request goes over: a member of the consumer protocol that asked twice
// would be another, so nothing of it is doubled, as on a connection.
func (c *crew) pipe() *pipe {
	if !c.modern {
		return nil
	}
	return new(pipe)
}

// after runs a step of this life later.
func (m *member) after(d time.Duration, do func()) {
	life := m.life
	m.c.after(d, func() {
		if m.life == life {
			do()
		}
	})
}

func (m *member) soon(do func()) {
	m.after(event.Between(m.c.w.work, 20*time.Millisecond, 300*time.Millisecond), do)
}

// begin begins a life: another member, for all that the group knows.
func (m *member) begin() {
	m.life++
	m.term++
	m.id, m.generation, m.owns, m.stable, m.committing = "", -1, nil, false, false
	if m.c.modern {
		m.enlist()
	} else {
		m.join()
	}
	if m.c.w.calm || m.c.ending {
		return
	}
	m.after(event.Between(m.c.w.work, 2*time.Second, 20*time.Second), func() {
		if m.c.w.calm || m.c.ending {
			return
		}
		if m.c.w.work.IntN(2) == 0 {
			m.c.w.hit("member vanished")
			m.begin()
			return
		}
		m.c.w.hit("member left")
		if m.c.modern {
			m.retire()
			return
		}
		m.call(group.Leave{Group: m.c.name, Members: []group.Leaver{{MemberID: m.id}}}, func(any, wire.Code) { m.begin() })
	})
}

func (m *member) join() {
	c := m.c
	m.term++
	m.stable, m.owns, m.doing = false, nil, "join"
	cmd := group.Join{
		Group: c.name, MemberID: m.id, ClientID: "crew", ClientHost: "h", SessionMs: 3000, RebalanceMs: 3000, ProtocolType: "consumer",
		Protocols: []group.Protocol{{Name: "even", Metadata: []byte{0}}}, NewID: c.w.newID(), KnownIDs: true,
	}
	m.call(cmd, func(body any, code wire.Code) {
		r, _ := body.(group.JoinReply)
		switch code = worst(code, r.Code); code {
		case wire.None:
			m.id, m.generation = r.MemberID, r.Generation
			m.sync(&r)
		case wire.MemberIDRequired:
			m.id = r.MemberID
			m.join()
		default:
			m.failed(code, m.join)
		}
	})
}

// worst is the first code that is one.
func worst(a, b wire.Code) wire.Code {
	if a != wire.None {
		return a
	}
	return b
}

// failed goes on after a refusal, or none at all.
func (m *member) failed(code wire.Code, again func()) {
	switch code {
	case wire.UnknownMemberID, wire.FencedInstanceID:
		m.soon(m.begin)
	case wire.RebalanceInProgress, wire.IllegalGeneration:
		m.soon(m.join)
	default:
		m.soon(again)
	}
}

// sync gets what this member shall own; the leader says it for all.
func (m *member) sync(r *group.JoinReply) {
	c := m.c
	m.doing = "sync"
	cmd := group.Sync{Group: c.name, MemberID: m.id, Generation: m.generation}
	if r.Leader == m.id {
		for i, x := range r.Members {
			var mine []byte
			for p := i; p < int(c.parts); p += len(r.Members) {
				mine = append(mine, byte(p))
			}
			cmd.Assignments = append(cmd.Assignments, group.Assignment{MemberID: x.ID, Bytes: mine})
		}
	}
	m.call(cmd, func(body any, code wire.Code) {
		x, _ := body.(group.SyncReply)
		if code = worst(code, x.Code); code != wire.None {
			m.failed(code, m.join)
			return
		}
		var owns []int32
		for _, p := range x.Assignment {
			owns = append(owns, int32(p))
		}
		m.own(owns)
		m.beat()
	})
}

// own takes partitions over: in one generation nobody else may.
func (m *member) own(list []int32) {
	c := m.c
	for _, p := range list {
		at := claim{m.generation, p}
		if was, known := c.owners[at]; known && was != m.id {
			c.w.fail("%s: partition %d has owners %s and %s in generation %d", c.name, p, was, m.id, m.generation)
		}
		c.owners[at] = m.id
		c.w.hit("partition owned")
	}
	m.owns = list
	m.term++
	c.w.note("client %d: %s owns %v in generation %d", c.id, m.id, m.owns, m.generation)
	m.stable, m.doing = true, "owns"
	if len(m.owns) > 0 {
		m.locate(m.term)
	}
}

// beat keeps the session alive.
func (m *member) beat() {
	generation := m.generation
	m.after(500*time.Millisecond, func() {
		if m.generation != generation || !m.stable {
			return
		}
		m.call(group.Heartbeat{Group: m.c.name, MemberID: m.id, Generation: generation}, func(_ any, code wire.Code) {
			if m.generation != generation || !m.stable {
				return
			}
			m.c.w.hit("heartbeat: " + code.Name())
			switch code {
			case wire.UnknownMemberID, wire.RebalanceInProgress, wire.IllegalGeneration:
				m.stable = false
				m.term++
				m.failed(code, m.join)
			default:
				m.beat()
			}
		})
	})
}

// topics are what the member works on.
func (m *member) topics() []group.FetchTopic {
	return []group.FetchTopic{{Name: mainTopic, ID: m.c.img.TopicByName(mainTopic).ID, Partitions: slices.Clone(m.owns)}}
}

// locate reads where the group stands: never before what it was told is committed.
// What it reads is good to go on from only where no commit of this very member is under
// way: that may come behind whatever is done meanwhile, and in the consumer protocol it
// is taken at the epoch of before, for a partition that the member keeps (KIP-1251).
// Nobody can promise the order of two commits that are under way at once, so there is
// one at a time.
func (m *member) locate(term int) {
	c := m.c
	at, under := slices.Clone(c.acked), m.committing
	m.call(group.Fetch{Group: c.name, Epoch: -1, RequireStable: true, Topics: m.topics()}, func(body any, _ wire.Code) {
		if m.term != term {
			return
		}
		r, ok := body.(group.FetchReply)
		if !ok {
			m.soon(func() { m.locate(term) })
			return
		}
		m.at = make([]int64, c.parts)
		for _, p := range r.Topics[0].Partitions {
			if p.Code != wire.None {
				m.soon(func() { m.locate(term) })
				return
			}
			if m.at[p.Index] = max(p.Offset, 0); m.at[p.Index] < at[p.Index] {
				c.w.fail("%s: the committed offset of partition %d is %d, and was %d", c.name, p.Index, p.Offset, at[p.Index])
			}
		}
		if under {
			c.w.hit("a commit was under way")
			m.soon(func() { m.locate(term) })
			return
		}
		m.commit(term)
	})
}

// commit commits one offset more, now and then. Whether a commit that was not
// answered is done is open, and it may be yet to come: then the member begins anew.
func (m *member) commit(term int) {
	c := m.c
	m.soon(func() {
		if m.term != term || c.ending {
			return
		}
		p := m.owns[c.w.work.IntN(len(m.owns))]
		next := m.at[p] + 1 + int64(c.w.work.IntN(5))
		m.committing = true
		m.call(group.Commit{
			Group: c.name, MemberID: m.id, Generation: m.generation, RetentionMs: -1, TellsNotFound: true, Version: 9,
			Topics: []group.CommitTopic{{Name: mainTopic, ID: m.topics()[0].ID, Partitions: []group.CommitPartition{{Index: p, Offset: next, LeaderEpoch: -1}}}},
		}, func(body any, code wire.Code) {
			m.committing = false
			if code == wire.NetworkException {
				m.begin()
				return
			}
			if r, ok := body.(group.CommitReply); ok && r.Codes[0][0] == wire.None {
				c.acked[p], m.at[p] = max(c.acked[p], next), next
				c.w.hit("offset committed by a member")
			}
			m.commit(term)
		})
	})
}
