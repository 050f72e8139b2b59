//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/realfault"
	"ottla/test/rig"
)

// topic is one that serves; leaders are nodes' numbers by partition.
type topic struct {
	name    string
	leaders []int32
}

// settleWithin bounds the wait for a new topic.
const settleWithin = time.Minute

// create makes a topic with the same assignment on both sides: leaders in turn,
// every partition on every node. It returns when all replicas are in sync.
func (s *side) create(ctx context.Context, name string, partitions int, durability string) (topic, error) {
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = name, -1, -1
	for p := range partitions {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition = int32(p)
		for r := range nodes {
			a.Replicas = append(a.Replicas, int32((p+r)%nodes)+1)
		}
		rt.ReplicaAssignment = append(rt.ReplicaAssignment, a)
	}
	settings := map[string]string{"file.delete.delay.ms": "1000"} // the disk is soon free again
	if s.name == "ottla" {
		settings["durability"] = durability
	}
	for k, v := range settings {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = k, kmsg.StringPtr(v)
		rt.Configs = append(rt.Configs, c)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis, req.Topics = 30_000, []kmsg.CreateTopicsRequestTopic{rt}
	resp, err := req.RequestWith(ctx, s.client)
	if err != nil {
		return topic{}, err
	}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return topic{}, fmt.Errorf("%w: %s", err, orNothing(t.ErrorMessage))
		}
	}
	return s.settled(ctx, name, partitions)
}

func orNothing(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// settled waits until a topic serves and all its replicas are in sync.
func (s *side) settled(ctx context.Context, name string, partitions int) (topic, error) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	adm := kadm.NewClient(s.client)
	for {
		t := topic{name: name}
		if m, err := rig.Metadata(ctx, s.client, name); err == nil {
			rows := m.Topics[0].Partitions
			slices.SortFunc(rows, func(a, b kmsg.MetadataResponseTopicPartition) int { return cmp.Compare(a.Partition, b.Partition) })
			for _, p := range rows {
				if p.ErrorCode == 0 && p.Leader > 0 && len(p.ISR) == nodes {
					t.leaders = append(t.leaders, p.Leader)
				}
			}
		}
		if len(t.leaders) == partitions {
			if ends, err := adm.ListEndOffsets(ctx, name); err == nil && ends.Error() == nil {
				return t, nil
			}
		}
		if err := realfault.Pause(ctx, 50*time.Millisecond); err != nil {
			return t, fmt.Errorf("%d of %d partitions serve with all replicas in sync: %w", len(t.leaders), partitions, err)
		}
	}
}

// remove deletes a topic, and gives the disk a moment to be rid of it.
func (s *side) remove(ctx context.Context, name string) error {
	got, err := kadm.NewClient(s.client).DeleteTopic(ctx, name)
	if err == nil {
		err = got.Err
	}
	if err != nil {
		return fmt.Errorf("delete topic %s on %s: %w", name, s.name, err)
	}
	return realfault.Pause(ctx, 2*time.Second)
}
