package groups_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
)

// cord is what a client hangs on: cut, all its connections are gone and it
// makes no new ones, as if its machine had died.
type cord struct {
	to    func(ctx context.Context, network, addr string) (net.Conn, error)
	mu    sync.Mutex
	conns []net.Conn
	cut   bool
}

func (c *cord) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := c.to(ctx, network, addr)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		if err == nil {
			conn.Close()
		}
		return nil, errors.New("cut")
	}
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

func (c *cord) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	for _, conn := range c.conns {
		conn.Close()
	}
}

// siege is a group whose members are killed, and whose node is restarted.
type siege struct {
	*node
	*team
	r         *rand.Rand
	balancer  kgo.GroupBalancer
	started   int
	alive     map[string]*cord
	committed map[int32]int64
}

func (s *siege) add() {
	s.started++
	name, c := fmt.Sprintf("m%d", s.started), &cord{to: s.dial}
	s.team.update(func() { s.alive[name] = c })
	s.team.join(s.node, name, "g", kgo.Balancers(s.balancer), kgo.Dialer(c.dial),
		kgo.RebalanceTimeout(patience), kgo.AutoCommitInterval(100*time.Millisecond), kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
		kgo.AutoCommitMarks())
}

// killOne cuts a member off; what it owned counts as nobody's from then on. An
// administrator takes it out of the group: sessions outlast the test, so that a
// member that is alive and slow never loses its place unawares.
func (s *siege) killOne() {
	var name string
	s.team.update(func() {
		names := make([]string, 0, len(s.alive))
		for i := range s.started {
			if name := fmt.Sprintf("m%d", i+1); s.alive[name] != nil {
				names = append(names, name)
			}
		}
		name = names[s.r.IntN(len(names))]
		s.alive[name].kill()
		delete(s.alive, name)
		s.team.owns[name] = map[int32]bool{}
		s.team.dead[name] = true
	})
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = "g"
	for _, m := range describe(s.node, "g").Members {
		if m.ClientID == name {
			gone := kmsg.NewLeaveGroupRequestMember()
			gone.MemberID = m.MemberID
			req.Members = append(req.Members, gone)
		}
	}
	resp, err := req.RequestWith(s.ctx, s.client())
	if err == nil && len(req.Members) == 1 {
		err = errors.Join(kerr.ErrorForCode(resp.ErrorCode), kerr.ErrorForCode(resp.Members[0].ErrorCode))
	}
	if err != nil || len(req.Members) != 1 {
		s.t.Fatalf("take %s out of the group, where it is %d times: %v", name, len(req.Members), err)
	}
}

func (s *siege) members() []string {
	var out []string
	for name := range s.alive {
		out = append(out, name)
	}
	return out
}

// checkOffsets holds that committed offsets never go back.
func (s *siege) checkOffsets(where string) {
	s.t.Helper()
	got, err := s.admin().FetchOffsets(s.ctx, "g")
	if err != nil {
		s.t.Fatal(err)
	}
	for p := range int32(8) {
		if o, ok := got.Lookup(s.topic, p); ok {
			if o.At < s.committed[p] {
				s.t.Errorf("%s: partition %d went back from %d to %d", where, p, s.committed[p], o.At)
			}
			s.committed[p] = o.At
		}
	}
}

func TestAGroupOutlivesItsMembersAndItsNodesRestarts(t *testing.T) {
	for name, balancer := range map[string]kgo.GroupBalancer{"eager": kgo.RangeBalancer(), "cooperative": kgo.CooperativeStickyBalancer()} {
		t.Run(name, func(t *testing.T) {
			const partitions = 8
			n := startNode(t, partitions, ottla.Options{Dir: t.TempDir()})
			s := &siege{node: n, team: newTeam(), r: rand.New(rand.NewPCG(1, 2)), balancer: balancer, alive: map[string]*cord{}, committed: map[int32]int64{}}
			for range 4 {
				s.add()
			}
			written := 0
			for round := range 6 {
				s.until(n.ctx, t, fmt.Sprintf("settled in round %d", round), func() bool { return s.settled(partitions, s.members()...) })
				n.produce(partitions, written, written+20)
				written += 20
				s.until(n.ctx, t, fmt.Sprintf("read in round %d", round), func() bool { return len(s.read) == partitions*written })
				s.checkOffsets(fmt.Sprint("round ", round))
				if round%3 == 2 {
					if err := n.Close(); err != nil {
						t.Fatal(err)
					}
					n.start()
				}
				s.killOne()
				s.add()
			}
			s.until(n.ctx, t, "settled at the end", func() bool { return s.settled(partitions, s.members()...) })
			s.checkOffsets("the end")
			if len(s.wrong) > 0 {
				t.Errorf("partitions with two owners: %q", s.wrong)
			}
		})
	}
}
