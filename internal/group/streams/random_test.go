package streams_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ottla/internal/group/schema"
	"ottla/internal/group/streams"
	"ottla/internal/wire"
)

// crowd drives a world with instances of an application that come, go, die,
// lose answers, and give up tasks late, while the coordinator crashes and
// topics come.
type crowd struct {
	*world
	r       *rand.Rand
	clients []*client
	born    int
	seen    map[string]int
}

func newCrowd(t *testing.T, seed uint64) *crowd {
	c := &crowd{world: newWorld(t), r: rand.New(rand.NewPCG(seed, 7)), seen: map[string]int{}}
	c.own.Session = 20 * time.Second
	c.own.Standbys = int(seed % 3)
	if seed%4 == 0 {
		c.own.Delay = 3 * time.Second
	}
	c.topic("in", 1+c.r.IntN(6))
	return c
}

func (c *crowd) run(steps int) {
	for range steps {
		switch n := c.r.IntN(100); {
		case n < 8 && len(c.clients) < 6:
			c.arrive()
		case n < 75 && len(c.clients) > 0:
			c.act(c.r.IntN(len(c.clients)))
		case n < 78:
			c.crash(c.r.IntN(2) == 0)
			c.seen["crash"]++
		case n < 80:
			c.own.Standbys = c.r.IntN(3)
		case n < 97:
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

func (c *crowd) arrive() {
	c.born++
	x := c.client(fmt.Sprintf("m%03d", c.born), fmt.Sprint("p", c.r.IntN(3)), words())
	if c.r.IntN(3) == 0 {
		x.at = &schema.StreamsEndpoint{Host: x.id, Port: 1}
	}
	c.clients = append(c.clients, x)
}

func (c *crowd) act(i int) {
	x := c.clients[i]
	switch n := c.r.IntN(40); {
	case n < 1: // killed
		c.drop(i, "killed")
	case n < 2 && x.epoch > 0:
		h := streams.Heartbeat{Group: "g", MemberID: x.id, Epoch: -1, RebalanceMs: -1}
		if _, err := c.do(h); err != nil && wire.CodeOf(err) != wire.UnknownMemberID {
			c.t.Errorf("%s leaves: %v", x.id, err)
		}
		c.drop(i, "left")
	case n < 6 && x.epoch > 0: // the answer is lost
		if _, err := c.do(x.request()); err == nil {
			c.seen["lost"]++
		}
	default:
		before := x.has
		_, err := x.try(x.request())
		switch wire.CodeOf(err) {
		case wire.None:
			if c.r.IntN(4) == 0 && x.last.Assigned && x.epoch > 0 && covers(before, x.has) {
				x.has = before // gives up late
				c.seen["late"]++
			}
		case wire.FencedMemberEpoch, wire.UnknownMemberID, wire.GroupIDNotFound:
			x.epoch, x.has = 0, schema.StreamsAssignment{}
			c.seen["fenced"]++
		case wire.GroupMaxSizeReached: // those that died are members yet
			c.seen["full"]++
		default:
			c.t.Errorf("%s: %v", x.id, err)
		}
	}
}

// covers tells whether all of b is in a.
func covers(a, b schema.StreamsAssignment) bool {
	have := places(a.Active, "a") + places(a.Standby, "s")
	for _, p := range strings.Fields(places(b.Active, "a") + places(b.Standby, "s")) {
		if !strings.Contains(have, p+" ") {
			return false
		}
	}
	return true
}

func places(list []schema.StreamsTasks, role string) string {
	var b strings.Builder
	for _, t := range list {
		for _, p := range t.Partitions {
			fmt.Fprintf(&b, "%s%s/%d ", role, t.Subtopology, p)
		}
	}
	return b.String()
}

func (c *crowd) drop(i int, how string) {
	c.clients = append(c.clients[:i], c.clients[i+1:]...)
	c.seen[how]++
}

// hold checks what must be so at every moment: no two members have a task as
// active ones, and no process has one twice.
func (c *crowd) hold() {
	c.t.Helper()
	if body, err := c.do(streams.Describe{Group: "g"}); err == nil {
		hold(c.t, body.(streams.Described))
	}
}

func hold(t *testing.T, d streams.Described) {
	t.Helper()
	active, process := map[string]string{}, map[string]string{}
	for _, m := range d.Members {
		for _, p := range strings.Fields(places(m.Assigned.Active, "")) {
			if other := active[p]; other != "" {
				t.Errorf("task %s is active at %s and %s", p, other, m.ID)
			}
			active[p] = m.ID
		}
		for _, p := range strings.Fields(places(m.Assigned.Active, "") + places(m.Assigned.Standby, "")) {
			at := m.Said.ProcessID + " " + p
			if other := process[at]; other != "" && other != m.ID {
				t.Errorf("task %s is at %s and %s, which are one process", p, other, m.ID)
			}
			process[at] = m.ID
		}
	}
}

// settle lets all report until nothing moves, and checks that everything is
// assigned, as evenly as it can be.
func (c *crowd) settle() {
	c.t.Helper()
	c.pass(25 * time.Second) // whoever died is out; the living may be, too
	if len(c.clients) == 0 {
		c.arrive()
	}
	const rounds = 8
	for range rounds {
		for _, x := range c.clients {
			if _, err := x.try(x.request()); err != nil {
				x.epoch, x.has = 0, schema.StreamsAssignment{}
			}
			c.hold()
		}
		c.pass(3 * time.Second)
	}
	d := c.describe()
	parts := len(c.image.TopicByName("in").Partitions)
	total, least, most, spare := 0, 1<<30, 0, 0
	processes := map[string]bool{}
	for _, m := range d.Members {
		n := len(strings.Fields(places(m.Assigned.Active, "")))
		total, least, most = total+n, min(least, n), max(most, n)
		spare += len(strings.Fields(places(m.Assigned.Standby, "")))
		processes[m.Said.ProcessID] = true
	}
	if d.State != "Stable" || total != 2*parts || most-least > 1 {
		c.t.Errorf("after %d rounds the group is %s, %d of %d tasks are assigned, %d to %d a member", rounds, d.State, total, 2*parts, least, most)
	}
	if want := parts * min(c.own.Standbys, len(processes)-1); spare > want {
		c.t.Errorf("%d standby tasks in %d processes, want at most %d", spare, len(processes), want)
	}
}

func TestNoTaskIsTwiceWhateverHappens(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(60) {
		c := newCrowd(t, seed)
		c.run(250)
		if !t.Failed() {
			c.settle()
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		for what, n := range c.seen {
			seen[what] += n
		}
	}
	for _, what := range []string{"crash", "killed", "left", "lost", "late", "fenced"} {
		if seen[what] == 0 {
			t.Errorf("the runs are tame: nothing was %s", what)
		}
	}
}

func TestAssignmentsAreEvenAndSticky(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 6)
	var all []*client
	for i := range 3 {
		x := w.client(fmt.Sprint("m", i), fmt.Sprint("p", i), plain("in"))
		all = append(all, x)
		for range 4 {
			for _, c := range all {
				c.beat()
			}
		}
	}
	before := []string{show(all[0].has), show(all[1].has)}
	all[2].leave(-1)
	for range 4 {
		all[0].beat()
		all[1].beat()
	}
	for i, c := range all[:2] {
		if had := strings.Trim(strings.TrimPrefix(before[i], "0"), "[]"); len(strings.Fields(had)) != 2 || !strings.Contains(places(c.has.Active, ""), "0/"+strings.Fields(had)[0]+" ") {
			t.Errorf("m%d had %q and has %q: it should keep what it had", i, before[i], show(c.has))
		}
		if n := len(strings.Fields(places(c.has.Active, ""))); n != 3 {
			t.Errorf("m%d has %d of six tasks", i, n)
		}
	}
}
