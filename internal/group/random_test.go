package group

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/wire"
)

// crowd drives a world with random clients: it knows what each client was
// last told, and does what such a client might do, right and wrong.
type crowd struct {
	*world
	r       *rand.Rand
	clients []*client
	// who asked, by token: late answers find their client.
	askers map[coordinator.Token]*client
	offers map[string]int64 // highest offset committed, by group and partition
}

type client struct {
	name, group, id string
	instance        *string
	generation      int32
	leader          bool
	members         []string
	busy            bool
}

func newCrowd(t *testing.T, seed uint64) *crowd {
	s := Defaults()
	s.MaxSize = 4
	s.Retention, s.RetentionCheck = 2*time.Minute, 30*time.Second
	c := &crowd{world: newWorld(t, s), r: rand.New(rand.NewPCG(seed, 7)), askers: map[coordinator.Token]*client{}, offers: map[string]int64{}}
	for i := range 10 {
		cl := &client{name: fmt.Sprintf("c%d", i), group: fmt.Sprintf("g%d", i%2)}
		if i%3 == 0 {
			cl.instance = &cl.name
		}
		c.clients = append(c.clients, cl)
	}
	return c
}

func (c *crowd) run(steps int) {
	for range steps {
		switch n := c.r.IntN(100); {
		case n < 70:
			c.act(c.clients[c.r.IntN(len(c.clients))])
		case n < 95:
			c.pass(time.Duration(c.r.IntN(5000)) * time.Millisecond)
		case n < 96:
			c.restart()
			for _, cl := range c.clients {
				cl.busy = false
			}
			clear(c.askers)
		case n < 97:
			c.ask(nil, Delete{Group: fmt.Sprintf("g%d", c.r.IntN(2))})
		case n < 98:
			c.ask(nil, TopicsDeleted{[]DeletedTopic{{Name: fmt.Sprintf("t%d", c.r.IntN(3))}}})
		case n < 99:
			c.ask(nil, EndTxn{coordinator.Txn{ProducerID: int64(c.r.IntN(3)), End: coordinator.TxnEnd(1 + c.r.IntN(2))}})
		default:
			c.pass(time.Minute)
		}
		if c.t.Failed() {
			return
		}
	}
}

// pass lets time go by.
func (c *crowd) pass(d time.Duration) {
	until := c.now.Add(d)
	for {
		out, ok := c.fire(until)
		if !ok {
			break
		}
		c.hear(out)
	}
	c.now = until
}

func (c *crowd) ask(cl *client, body any) {
	c.askers[c.token+1] = cl
	if cl != nil {
		cl.busy = true
	}
	token, out, err := c.do(body)
	if err != nil {
		c.told(token, coordinator.Reply{Token: token, Err: err})
	}
	c.hear(out)
}

func (c *crowd) hear(out coordinator.Output) {
	for _, r := range out.Replies {
		c.told(r.Token, r)
	}
}

// told lets a client learn from a reply, as Kafka's clients do.
func (c *crowd) told(token coordinator.Token, r coordinator.Reply) {
	cl := c.askers[token]
	delete(c.askers, token)
	if cl == nil {
		return
	}
	cl.busy = false
	code := wire.CodeOf(r.Err)
	switch b := r.Body.(type) {
	case JoinReply:
		if code = b.Code; code == wire.None {
			cl.id, cl.generation, cl.leader, cl.members = b.MemberID, b.Generation, b.Leader == b.MemberID, nil
			for _, m := range b.Members {
				cl.members = append(cl.members, m.ID)
			}
			if cl.leader && !b.SkipAssignment && !slices.Contains(cl.members, cl.id) {
				c.t.Errorf("leader %s is not among the members %q that it hears of", cl.id, cl.members)
			}
		} else if code == wire.MemberIDRequired {
			cl.id = b.MemberID
		}
	case SyncReply:
		code = b.Code
	}
	if code == wire.UnknownMemberID || code == wire.FencedInstanceID {
		cl.id, cl.leader = "", false
	}
}

// act does what a client might do now.
func (c *crowd) act(cl *client) {
	if cl.busy && c.r.IntN(20) > 0 {
		return // a patient client
	}
	switch c.r.IntN(8) {
	case 0, 1:
		c.ask(cl, c.joinOf(cl))
	case 2, 3:
		s := Sync{Group: cl.group, MemberID: cl.id, InstanceID: cl.instance, Generation: cl.generation}
		if cl.leader {
			for _, id := range cl.members {
				s.Assignments = append(s.Assignments, Assignment{id, []byte(fmt.Sprint(id, cl.generation))})
			}
		}
		c.ask(cl, s)
	case 4, 5:
		c.ask(cl, Heartbeat{Group: cl.group, MemberID: cl.id, InstanceID: cl.instance, Generation: cl.generation})
	case 6:
		c.ask(cl, c.commitOf(cl))
	default:
		if c.r.IntN(4) == 0 {
			c.ask(cl, Leave{Group: cl.group, Members: []Leaver{{cl.id, cl.instance}}})
		}
	}
}

func (c *crowd) joinOf(cl *client) Join {
	names := [][]string{{"range"}, {"range", "sticky"}, {"sticky", "range"}}[c.r.IntN(3)]
	j := Join{
		Group: cl.group, MemberID: cl.id, InstanceID: cl.instance, ClientID: cl.name, SessionMs: 10000,
		RebalanceMs: 20000, ProtocolType: "consumer", KnownIDs: c.r.IntN(4) > 0, SkipAssignment: c.r.IntN(2) == 0, NewID: c.newID(),
	}
	for _, n := range names {
		j.Protocols = append(j.Protocols, Protocol{n, subscription(fmt.Sprintf("t%d", c.r.IntN(3)))})
	}
	return j
}

func (c *crowd) commitOf(cl *client) Commit {
	m := Commit{Group: cl.group, MemberID: cl.id, InstanceID: cl.instance, Generation: cl.generation, RetentionMs: -1}
	if c.r.IntN(4) == 0 {
		m.Generation, m.MemberID, m.InstanceID = -1, "", nil
	}
	if c.r.IntN(3) == 0 {
		m.Txn = &coordinator.Txn{ProducerID: int64(c.r.IntN(3))}
	}
	m.Topics = []CommitTopic{{Name: fmt.Sprintf("t%d", c.r.IntN(3)), Partitions: []CommitPartition{{Index: int32(c.r.IntN(2)), Offset: c.r.Int64N(100)}}}}
	return m
}

func TestRandomClientsNeverBreakAGroup(t *testing.T) {
	states := map[State]int{}
	for seed := range uint64(100) {
		c := newCrowd(t, seed)
		for range 20 {
			c.run(50)
			c.sameAfterReplay()
			for _, g := range c.m.groups {
				states[g.live.state]++
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
	for s := Empty; s < Dead; s++ {
		if states[s] == 0 {
			t.Errorf("no group was ever seen %s: the clients are too tame", s)
		}
	}
}

func TestTheSameClientsGiveTheSameLog(t *testing.T) {
	a, b := newCrowd(t, 99), newCrowd(t, 99)
	a.run(1500)
	b.run(1500)
	if x, y := bare(a.log), bare(b.log); !slices.Equal(x, y) || len(x) < 50 {
		t.Errorf("two runs of one seed wrote %d and %d records, not the same", len(x), len(y))
	}
}
