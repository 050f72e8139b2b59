//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/realfault"
)

const (
	manyTopic = "many"
	// manyPartitions on three nodes are 10,002 replicas.
	manyPartitions = 3334
	manyWithin     = 2 * time.Minute
)

// many makes many partitions, watches them at rest, and kills nodes that lead a
// third of them.
func (s *stage) many(ctx context.Context, trials int) error {
	began := time.Now()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = manyTopic, manyPartitions, nodes
	id, err := s.make(ctx, t, time.Minute)
	if err != nil {
		return err
	}
	answered := time.Since(began)
	all := make([]int32, manyPartitions)
	for i := range all {
		all[i] = int32(i)
	}
	if err := s.writeEach(ctx, id, all, 0); err != nil {
		return err
	}
	s.figures.time("many made", time.Since(began))
	say("%d partitions made: answered after %v, written after %v", manyPartitions, answered.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	if err := s.whole(ctx); err != nil {
		return err
	}
	if err := s.rest(ctx); err != nil {
		return err
	}
	for trial := range trials {
		if err := s.manyKilled(ctx, id, trial); err != nil {
			return fmt.Errorf("trial %d: %w", trial+1, err)
		}
	}
	return nil
}

// manyKilled is one trial: who leads the metadata is killed every third time.
func (s *stage) manyKilled(ctx context.Context, id [16]byte, trial int) error {
	if err := s.whole(ctx); err != nil {
		return err
	}
	if err := s.home(ctx); err != nil {
		return err
	}
	victim := trial%nodes + 1
	led, err := s.ledBy(ctx, victim%nodes+1, victim)
	if err != nil {
		return err
	}
	leader, err := s.controller(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	s.cluster.Kill(victim)
	for node := 1; node <= nodes; node++ {
		if node == victim {
			continue
		}
		if err := s.until(ctx, manyWithin, func(ctx context.Context) (string, error) {
			still, err := s.ledBy(ctx, node, victim)
			if err != nil {
				return err.Error(), nil
			}
			if len(still) > 0 {
				return fmt.Sprintf("node %d has %d partitions as led by the dead node", node, len(still)), nil
			}
			return "", nil
		}); err != nil {
			return err
		}
	}
	moved := time.Since(began)
	if err := s.writeEach(ctx, id, led, victim); err != nil {
		return err
	}
	written := time.Since(began)
	s.figures.time("many led", moved)
	s.figures.time("many written", written)
	if err := s.cluster.Start(ctx, victim); err != nil {
		return err
	}
	up := time.Since(began)
	if err := s.whole(ctx); err != nil {
		return err
	}
	say("kill -9 of node %d with %d partitions (controller: %v): led elsewhere after %v, written after %v; up %v, whole %v later", victim, len(led), leader == victim,
		moved.Round(time.Millisecond), written.Round(time.Millisecond), (up - written).Round(time.Millisecond), (time.Since(began) - written).Round(time.Millisecond))
	return realfault.Pause(ctx, calm)
}

// ledBy are the partitions of the topic that a node says are led by a leader.
func (s *stage) ledBy(ctx context.Context, node, leader int) (led []int32, err error) {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	name := manyTopic
	t.Topic = &name
	req.Topics = append(req.Topics, t)
	m, err := from[*kmsg.MetadataResponse](ctx, s, node, req)
	if err != nil {
		return nil, err
	}
	if len(m.Topics) != 1 || len(m.Topics[0].Partitions) != manyPartitions {
		return nil, fmt.Errorf("node %d does not tell of all partitions", node)
	}
	for _, p := range m.Topics[0].Partitions {
		if int(p.Leader) == leader {
			led = append(led, p.Partition)
		}
	}
	slices.Sort(led)
	return led, nil
}

// writeEach writes one record to each partition, asking every node but one about
// those that are left until none is.
func (s *stage) writeEach(ctx context.Context, id [16]byte, left []int32, without int) error {
	for began := time.Now(); len(left) > 0; {
		if time.Since(began) > manyWithin {
			return fmt.Errorf("after %v still no write to %d partitions, the first is %d", manyWithin, len(left), left[0])
		}
		done := map[int32]bool{}
		var mu sync.Mutex // guards done
		var wg sync.WaitGroup
		for node := 1; node <= nodes; node++ {
			if node == without {
				continue
			}
			wg.Go(func() {
				resp, err := from[*kmsg.ProduceResponse](ctx, s, node, produceTo(manyTopic, id, left...))
				if err != nil {
					return // it is asked again
				}
				mu.Lock()
				defer mu.Unlock()
				for _, t := range resp.Topics {
					for _, p := range t.Partitions {
						if p.ErrorCode == 0 {
							done[p.Partition] = true
						}
					}
				}
			})
		}
		wg.Wait()
		left = slices.DeleteFunc(slices.Clone(left), func(p int32) bool { return done[p] })
		if err := realfault.Pause(ctx, look); err != nil {
			return err
		}
	}
	return nil
}
