//go:build linux

package three

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ottla/test/realfault"
	"ottla/test/rig/several"
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
	{"disk of one lost", 3, diskLost},
}

func names() string {
	var all []string
	for _, d := range deeds {
		all = append(all, d.name)
	}
	return strings.Join(all, ", ")
}

func (s *stage) any() int { return 1 + s.r.IntN(s.o.Nodes) }

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
	m, err := s.admin.BrokerMetadata(ctx)
	if err != nil {
		return fmt.Errorf("ask who the controller is: %w", err)
	}
	if m.Controller < 1 || int(m.Controller) > s.o.Nodes {
		return fmt.Errorf("node %d is said to be the controller", m.Controller)
	}
	return s.kill(ctx, int(m.Controller))
}

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
	return errors.Join(realfault.Pause(ctx, s.between(500*time.Millisecond, 12*time.Second)), s.cluster.Continue(number))
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
	var everybody []int
	for number := 1; number <= s.o.Nodes; number++ {
		everybody = append(everybody, number)
	}
	if err := s.cluster.CutPower(ctx, everybody...); err != nil {
		return err
	}
	return s.cluster.StartAll(ctx)
}

// partition holds links cut for a while.
func (s *stage) partition(ctx context.Context, most time.Duration, links ...several.Link) error {
	mend, err := s.cluster.Apart(ctx, links...)
	if err != nil {
		return err
	}
	return errors.Join(realfault.Pause(ctx, s.between(time.Second, most)), mend())
}

// longCut is the longest partition: longer than a node is waited for before the
// others go on without it.
const longCut = 15 * time.Second

func (s *stage) links(one int, from, to bool) (out []several.Link) {
	for other := 1; other <= s.o.Nodes; other++ {
		if other == one {
			continue
		}
		if from {
			out = append(out, several.Link{From: one, To: other})
		}
		if to {
			out = append(out, several.Link{From: other, To: one})
		}
	}
	return out
}

func cutOff(ctx context.Context, s *stage) error {
	return s.partition(ctx, longCut, s.links(s.any(), true, true)...)
}

func deaf(ctx context.Context, s *stage) error {
	return s.partition(ctx, longCut, s.links(s.any(), false, true)...)
}

func mute(ctx context.Context, s *stage) error {
	return s.partition(ctx, longCut, s.links(s.any(), true, false)...)
}

func bridge(ctx context.Context, s *stage) error {
	middle := s.any()
	var ends []int
	for number := 1; number <= s.o.Nodes; number++ {
		if number != middle {
			ends = append(ends, number)
		}
	}
	return s.partition(ctx, longCut, several.Link{From: ends[0], To: ends[1]}, several.Link{From: ends[1], To: ends[0]})
}

func flapping(ctx context.Context, s *stage) error {
	one := s.any()
	for range 4 + s.r.IntN(6) {
		if err := s.partition(ctx, 2*time.Second, s.links(one, true, true)...); err != nil {
			return err
		}
		if err := realfault.Pause(ctx, s.between(100*time.Millisecond, time.Second)); err != nil {
			return err
		}
	}
	return nil
}

func diskLost(ctx context.Context, s *stage) error {
	number := s.any()
	if err := s.cluster.LoseDisk(number); err != nil {
		return err
	}
	if err := s.flowing(ctx); err != nil {
		return fmt.Errorf("with the disk of node %d lost: %w", number, err)
	}
	// Its number is taken until the others have given it up; whoever looks after
	// processes starts it again.
	began := time.Now()
	for {
		err := s.cluster.Start(ctx, number)
		if err == nil || time.Since(began) > backWithin {
			return err
		}
		if err := realfault.Pause(ctx, time.Second); err != nil {
			return err
		}
	}
}
