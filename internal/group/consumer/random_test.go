package consumer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group/kind"
	"ottla/internal/wire"
)

// crowd drives a world with clients that behave as consumers do, on a network
// that loses answers, in a world whose topics change.
type crowd struct {
	*world
	r       *rand.Rand
	clients []*client
	born    int
	seen    map[string]int // what was met, so that tame runs are noticed
	// offsets are the highest committed, by partition; they never fall.
	offsets map[place]int64
}

// client is a consumer: what it has it takes from answers alone.
type client struct {
	id       string
	instance *string
	epoch    int32
	topics   []string
	regex    *string
	// owned is what it has, said what it last told the group of that.
	owned, said slots
	// news tells that it must say everything with its next heartbeat.
	news bool
	dead bool
}

func newCrowd(t *testing.T, seed uint64) *crowd {
	c := &crowd{world: newWorld(t), r: rand.New(rand.NewPCG(seed, 3)), seen: map[string]int{}, offsets: map[place]int64{}}
	if seed%4 == 0 {
		every := 2 * time.Second
		c.s.Of = func(string) Times { return Times{Session: 20 * time.Second, Assignment: every, Heartbeat: time.Second} }
	} else {
		c.s.Of = func(string) Times { return Times{Session: 20 * time.Second, Assignment: -1} }
	}
	c.k = c.newKind()
	for i := range 1 + c.r.IntN(4) {
		c.topic(fmt.Sprint("t", i), 1+c.r.IntN(6))
	}
	return c
}

func (c *crowd) run(steps int) {
	for range steps {
		switch n := c.r.IntN(100); {
		case n < 5 && len(c.clients) < 8:
			c.arrive()
		case n < 70 && len(c.clients) > 0:
			c.act(c.clients[c.r.IntN(len(c.clients))])
		case n < 78:
			if _, ok := c.work(); ok {
				c.seen["work"]++
			}
		case n < 81:
			c.topic(fmt.Sprint("t", c.r.IntN(5)), 1+c.r.IntN(8))
		case n < 82:
			if name := fmt.Sprint("t", c.r.IntN(5)); c.img.TopicByName(name) != nil {
				c.deleteTopic(name)
			}
		case n < 83:
			c.restart()
			c.seen["restart"]++
		case n < 98:
			c.pass(time.Duration(c.r.IntN(1500)) * time.Millisecond)
		default:
			c.pass(15 * time.Second)
		}
		c.hold()
		if c.t.Failed() {
			return
		}
	}
}

// arrive starts a client; it may have the name of one that went.
func (c *crowd) arrive() {
	c.born++
	cl := &client{id: fmt.Sprintf("m%03d", c.born), news: true}
	if c.r.IntN(3) == 0 {
		name := fmt.Sprint("i", c.r.IntN(3))
		cl.instance = &name
	}
	c.choose(cl)
	c.clients = append(c.clients, cl)
}

// choose picks what a client reads.
func (c *crowd) choose(cl *client) {
	cl.topics, cl.regex, cl.news = nil, nil, true
	if c.r.IntN(4) == 0 {
		cl.regex = text([]string{"t.*", "t[0-2]", "x"}[c.r.IntN(3)])
		return
	}
	cl.regex = text("")
	for i := range 5 {
		if c.r.IntN(2) == 0 {
			cl.topics = append(cl.topics, fmt.Sprint("t", i))
		}
	}
}

func (c *crowd) act(cl *client) {
	switch n := c.r.IntN(60); {
	case n < 1: // killed
		cl.dead = true
		c.bury()
	case n < 2: // leaves, for good or for a while
		beat := c.beatOf(cl)
		beat.Epoch = leaving
		if cl.instance != nil && c.r.IntN(2) == 0 {
			beat.Epoch = leavingSoon
		}
		_, _ = c.do(beat) // it goes either way
		cl.dead = true
		c.bury()
	case n < 4:
		c.choose(cl)
	case n < 8:
		c.commit(cl)
	default:
		c.heartbeat(cl, c.r.IntN(8) == 0)
	}
}

func (c *crowd) bury() {
	c.clients = slices.DeleteFunc(c.clients, func(cl *client) bool { return cl.dead })
}

// beatOf is what a client says now.
func (c *crowd) beatOf(cl *client) Heartbeat {
	beat := Heartbeat{Group: "g", MemberID: cl.id, Epoch: cl.epoch, InstanceID: cl.instance, RebalanceMs: -1, Version: 1, ClientID: "c", ClientHost: "/h"}
	if cl.epoch == joining || cl.news {
		beat.RebalanceMs, beat.Topics, beat.SaidTopics, beat.Regex = 8000, cl.topics, true, cl.regex
	}
	beat.Owned, beat.SaidOwned = cl.owned.parts(false), true
	if cl.epoch != joining && !cl.news && samePlaces(cl.owned, cl.said) && c.r.IntN(2) == 0 {
		beat.Owned, beat.SaidOwned = nil, false
	}
	cl.said = cl.owned
	return beat
}

// heartbeat lets a client report; lost tells that it does not hear the answer,
// and says everything again.
func (c *crowd) heartbeat(cl *client, lost bool) {
	reply, err := c.do(c.beatOf(cl))
	if lost {
		c.seen["lost answer"]++
		cl.news = true
		return
	}
	if err != nil {
		c.refused(cl, err)
		return
	}
	beat := reply.(Beat)
	if beat.Epoch < cl.epoch {
		c.t.Errorf("client %s was at epoch %d and is told %d", cl.id, cl.epoch, beat.Epoch)
	}
	cl.epoch, cl.news = beat.Epoch, false
	if beat.Assigned {
		cl.owned = slotsOf(beat.Assignment)
	}
}

// refused is what an error does to a client.
func (c *crowd) refused(cl *client, err error) {
	code := wire.CodeOf(err)
	c.seen[code.Name()]++
	switch code {
	case wire.FencedMemberEpoch, wire.UnknownMemberID, wire.GroupIDNotFound:
		cl.epoch, cl.owned, cl.news = joining, nil, true
	case wire.FencedInstanceID, wire.UnreleasedInstanceID:
		cl.dead = true
		c.bury()
	default:
		c.t.Errorf("client %s hears %v", cl.id, err)
	}
}

// commit commits one of a client's partitions, if the group lets it: offsets of
// a partition that is somebody else's may not be.
func (c *crowd) commit(cl *client) {
	g := c.k.Groups["g"]
	if len(cl.owned) == 0 || cl.epoch <= 0 || g == nil {
		return
	}
	s := cl.owned[c.r.IntN(len(cl.owned))]
	err := c.k.MayCommit(commitOf(cl.id, cl.epoch, s))
	if err != nil {
		c.seen["commit "+wire.CodeOf(err).Name()]++
		return
	}
	c.seen["commit"]++
	if owner := g.owners[s.place()]; owner != cl.id {
		c.t.Errorf("%s committed %v, which is %q's", cl.id, s.place(), owner)
	}
	c.offsets[s.place()]++
}

// commitOf is the commit of a member for some of its partitions.
func commitOf(id string, epoch int32, s ...slot) *kind.Commit {
	return &kind.Commit{Group: "g", MemberID: id, Epoch: epoch, Version: 10, Parts: slots(s).parts(false)}
}

// hold holds that a client has nothing that the group does not hold for it: so
// no two have the same.
func (c *crowd) hold() {
	c.t.Helper()
	g := c.k.Groups["g"]
	if g == nil {
		return
	}
	for _, cl := range c.clients {
		m := g.members[cl.id]
		if m == nil || cl.epoch == joining {
			continue // thrown out, and it will hear so
		}
		for _, s := range cl.owned {
			if !m.assigned.has(s) && !m.revoking.has(s) {
				c.t.Errorf("client %s at epoch %d still has %v, the group gave it away: %+v", cl.id, cl.epoch, s.place(), m)
			}
		}
	}
}

// settle lets everybody report in turn until nothing changes, and holds that
// it does not take long: then all that is read has one owner.
func (c *crowd) settle() {
	c.t.Helper()
	c.clients = slices.DeleteFunc(c.clients, func(cl *client) bool { return cl.dead })
	c.pass(25 * time.Second) // sessions of those who are gone end
	for round := range 12 {
		for _, cl := range slices.Clone(c.clients) {
			if !cl.dead {
				c.heartbeat(cl, false)
				c.hold()
			}
		}
		for _, ok := c.work(); ok; _, ok = c.work() {
		}
		c.pass(2100 * time.Millisecond)
		if c.settled() {
			c.seen[fmt.Sprint("settled in ", min(round, 9))]++
			return
		}
	}
	c.t.Errorf("the group is not settled: %s, %+v", c.k.Groups["g"].state(), c.k.Groups["g"])
}

func (c *crowd) settled() bool {
	g := c.k.Groups["g"]
	if g == nil || len(c.clients) == 0 {
		return true
	}
	if g.state() != "Stable" || len(g.members) != len(c.clients) {
		return false
	}
	for _, cl := range c.clients {
		if !samePlaces(cl.owned, g.members[cl.id].assigned) {
			return false
		}
	}
	for _, name := range g.topics() {
		if t := c.img.TopicByName(name); t != nil {
			for p := range t.Partitions {
				if g.owners[place{t.ID, int32(p)}] == "" {
					return false
				}
			}
		}
	}
	return true
}

func TestClientsNeverShareAPartitionAndAlwaysSettle(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(60) {
		c := newCrowd(t, seed)
		for range 6 {
			c.run(80)
			c.sameAfterReplay()
			if !t.Failed() {
				c.settle()
				c.sameAfterReplay()
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		for what, n := range c.seen {
			seen[what] += n
		}
	}
	for _, what := range []string{
		"work", "restart", "lost answer", "commit",
		"FENCED_MEMBER_EPOCH", "UNKNOWN_MEMBER_ID", "UNRELEASED_INSTANCE_ID",
	} {
		if seen[what] == 0 {
			t.Errorf("%s was never met: the clients are too tame: %v", what, seen)
		}
	}
}

func TestTheSameClientsGiveTheSameLog(t *testing.T) {
	a, b := newCrowd(t, 77), newCrowd(t, 77)
	a.run(800)
	b.run(800)
	if len(a.log) < 100 || !slices.EqualFunc(a.log, b.log, func(x, y coordinator.Record) bool {
		return string(x.Key) == string(y.Key) && string(x.Value) == string(y.Value)
	}) {
		t.Errorf("two runs of one seed wrote %d and %d records, not the same", len(a.log), len(b.log))
	}
}

// A crash may leave the log at the end of any command. Whatever it leaves is a
// sound group, in which clients settle that know nothing of it.
func TestACrashAfterAnyCommandLeavesAGroupThatGoesOn(t *testing.T) {
	for seed := range uint64(6) {
		c := newCrowd(t, seed+500)
		c.run(600)
		whole, marks := c.log, c.marks
		for i, n := range marks {
			c.log = whole[:n:n]
			clear(c.epochs)
			c.restart()
			c.clients = []*client{{id: "new-1", news: true, topics: []string{"t0", "t1"}, regex: text("")}, {id: "new-2", news: true, topics: []string{"t0"}, regex: text("")}}
			if i%8 == 0 {
				c.settle()
			}
			if t.Failed() {
				t.Fatalf("seed %d, after %d of %d records", seed, n, len(whole))
			}
		}
	}
}
