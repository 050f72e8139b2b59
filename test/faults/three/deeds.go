//go:build linux

package three

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/realfault"
	"ottla/test/rig"
)

// deed is one kind of fault. It returns when the fault is over; what it took
// away has been given back, though not all of it need be there again yet.
type deed struct {
	name  string
	nodes int // that it takes
	do    func(ctx context.Context, s *stage) error
}

// deeds are all of them.
var deeds = []deed{
	{"kill -9 of one", 1, killOne},
	{"kill -9 of the controller", 3, killController},
	{"kill -9 of all", 1, killAll},
	{"clean restart of one", 1, restartOne},
	{"rolling restart", 3, rolling},
	{"pause of one", 1, pauseOne},
	{"power cut of one", 1, powerOne},
	{"power cut of all", 1, powerAll},
	{"one cut off", 3, cutOff},
	{"one hears nobody", 3, deaf},
	{"one is heard by nobody", 3, mute},
	{"two see only the third", 3, bridge},
	{"a line that comes and goes", 3, flapping},
	{"packets of one lost", 3, lossy},
	{"connections of one reset", 3, resets},
	{"disk of a leader slow", 3, slowDisk},
	{"disk of one full", 3, fullDisk},
	{"disk of one fails", 3, failingDisk},
	{"disk of one lost", 3, diskLost},
	{"disks of two lost in turn", 3, disksInTurn},
	{"disks of two lost at once", 3, disksAtOnce},
	{"a bit flipped on one", 3, bitFlipped},
	{"a fourth joins in a partition", 3, joinedUnderPartition},
	{"a voter goes in a partition", 3, voterUnderPartition},
	{"one replaced in a partition", 3, replacedUnderPartition},
}

func names() string {
	var all []string
	for _, d := range deeds {
		all = append(all, d.name)
	}
	return strings.Join(all, ", ")
}

func (s *stage) any() int { return 1 + s.r.IntN(s.o.Nodes) }

// others are all nodes but one.
func (s *stage) others(one int) (out []int) {
	for number := 1; number <= s.o.Nodes; number++ {
		if number != one {
			out = append(out, number)
		}
	}
	return out
}

// leader is a node that leads partitions of the load.
func (s *stage) leader(ctx context.Context) (int, error) {
	m, err := rig.Metadata(ctx, s.asks, topic)
	if err != nil {
		return 0, fmt.Errorf("ask who leads: %w", err)
	}
	number := leads(m, s.r.Int32N(partitions))
	if number < 1 || number > s.o.Nodes {
		return s.any(), nil
	}
	return number, nil
}

// leads is the node that metadata have lead a partition of the load, -1 for none.
func leads(m *kmsg.MetadataResponse, partition int32) int {
	for _, t := range m.Topics {
		for _, p := range t.Partitions {
			if *t.Topic == topic && p.Partition == partition {
				return int(p.Leader)
			}
		}
	}
	return -1
}

// longest and few make a fault of a short run shorter.
func (s *stage) longest(d time.Duration) time.Duration {
	if s.o.Short {
		return max(d/3, 2*time.Second+time.Millisecond)
	}
	return d
}

func (s *stage) few(n int) int {
	if s.o.Short {
		return max(1, n/3)
	}
	return n
}

func killOne(ctx context.Context, s *stage) error { return s.kill(ctx, s.any()) }

func (s *stage) kill(ctx context.Context, number int) error {
	s.cluster.Kill(number)
	// With others the cluster goes on while it is down.
	if s.o.Nodes > 1 {
		if err := s.flowing(ctx); err != nil {
			return fmt.Errorf("with node %d killed: %w", number, err)
		}
	}
	return s.cluster.Start(ctx, number)
}

func killController(ctx context.Context, s *stage) error {
	p, err := s.newestQuorum(ctx)
	if err != nil {
		return fmt.Errorf("ask who the controller is: %w", err)
	}
	if p.LeaderID < 1 || int(p.LeaderID) > s.o.Nodes {
		return fmt.Errorf("node %d is said to be the controller", p.LeaderID)
	}
	return s.kill(ctx, int(p.LeaderID))
}

// What nodes say when they start on a directory that was not closed.
const (
	saysKilled = "nothing that was written is missing"
	saysCut    = "what was not synced may be missing"
)

// killAll kills every node: the kernel has what they wrote, and they know it.
func killAll(ctx context.Context, s *stage) error {
	return s.saying(saysKilled, func() error {
		for _, number := range s.everybody() {
			s.cluster.Kill(number)
		}
		return s.cluster.StartAll(ctx)
	})
}

// saying does something to all nodes after which each of them says what it takes to
// have happened.
func (s *stage) saying(text string, do func() error) error {
	before := map[int]int{}
	for _, number := range s.everybody() {
		n, err := s.cluster.Said(number, text)
		if err != nil {
			return err
		}
		before[number] = n
	}
	if err := do(); err != nil {
		return err
	}
	for _, number := range s.everybody() {
		n, err := s.cluster.Said(number, text)
		if err != nil {
			return err
		}
		if n == before[number] {
			return fmt.Errorf("node %d does not say that %s", number, text)
		}
	}
	return nil
}

// everybody are all nodes but the spare ones.
func (s *stage) everybody() []int { return s.others(0) }

func restartOne(ctx context.Context, s *stage) error { return s.restart(ctx, s.any()) }

func (s *stage) restart(ctx context.Context, number int) error {
	if err := s.cluster.Stop(number); err != nil {
		return err
	}
	return s.cluster.Start(ctx, number)
}

func rolling(ctx context.Context, s *stage) error {
	for number := 1; number <= s.o.Nodes; number++ {
		if err := s.restart(ctx, number); err != nil {
			return err
		}
		if err := s.whole(ctx); err != nil {
			return fmt.Errorf("after the restart of node %d: %w", number, err)
		}
	}
	return nil
}

func pauseOne(ctx context.Context, s *stage) error {
	number := s.any()
	if err := s.cluster.Pause(number); err != nil {
		return err
	}
	return errors.Join(realfault.Pause(ctx, s.between(500*time.Millisecond, s.longest(12*time.Second))), s.cluster.Continue(number))
}

func powerOne(ctx context.Context, s *stage) error {
	number := s.any()
	if err := s.cluster.CutPower(ctx, number); err != nil {
		return err
	}
	if s.o.Nodes > 1 {
		if err := s.flowing(ctx); err != nil {
			return fmt.Errorf("with the power of node %d cut: %w", number, err)
		}
	}
	return s.cluster.Start(ctx, number)
}

func powerAll(ctx context.Context, s *stage) error {
	return s.saying(saysCut, func() error {
		if err := s.cluster.CutPower(ctx, s.everybody()...); err != nil {
			return err
		}
		return s.cluster.StartAll(ctx)
	})
}
