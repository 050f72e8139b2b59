package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/realfault"
	"ottla/test/rig"
)

// lookPause is between two looks at a cluster that shall come to something.
const lookPause = 20 * time.Millisecond

// running are the nodes that do.
func (s *side) running() []*rig.Node {
	var out []*rig.Node
	for i, n := range s.cluster.Nodes {
		if i+1 != s.away {
			out = append(out, n)
		}
	}
	return out
}

// level waits until every running node has applied what was changed up to now: a
// tool asks any of them. Metadata are a log, so a change behind all others, to a
// subscription that matches nobody, is the mark.
func (s *side) level(ctx context.Context) error {
	s.mark++
	value := strconv.Itoa(1000 + s.mark)
	c, err := kgo.NewClient(kgo.SeedBrokers(s.addrs()...))
	if err != nil {
		return err
	}
	defer c.Close()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	res := kmsg.NewIncrementalAlterConfigsRequestResource()
	res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeClientMetrics, "mark"
	row := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	row.Name, row.Value = "interval.ms", &value
	res.Configs = append(res.Configs, row)
	req.Resources = append(req.Resources, res)
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return fmt.Errorf("mark the metadata: %w", err)
	}
	if err := kerr.ErrorForCode(resp.Resources[0].ErrorCode); err != nil {
		return fmt.Errorf("mark the metadata: %w", err)
	}
	return s.everywhere(ctx, func(ctx context.Context, b *kgo.Broker) (string, error) {
		req := kmsg.NewPtrDescribeConfigsRequest()
		res := kmsg.NewDescribeConfigsRequestResource()
		res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeClientMetrics, "mark"
		req.Resources = append(req.Resources, res)
		got, err := b.RetriableRequest(ctx, req)
		if err != nil {
			return "", err
		}
		for _, row := range got.(*kmsg.DescribeConfigsResponse).Resources[0].Configs {
			if row.Name == "interval.ms" && row.Value != nil && *row.Value == value {
				return "", nil
			}
		}
		return "it has not heard of the last change", nil
	})
}

func (s *side) addrs() []string {
	var out []string
	for _, n := range s.running() {
		out = append(out, n.Addr)
	}
	return out
}

// everywhere asks each running node until it lacks nothing.
func (s *side) everywhere(ctx context.Context, lacks func(context.Context, *kgo.Broker) (string, error)) error {
	look := time.NewTicker(lookPause)
	defer look.Stop()
	for _, addr := range s.addrs() {
		c, err := kgo.NewClient(kgo.SeedBrokers(addr))
		if err != nil {
			return err
		}
		defer c.Close()
		for {
			why, err := lacks(ctx, c.SeedBrokers()[0])
			if err == nil && why == "" {
				break
			}
			select {
			case <-look.C:
			case <-ctx.Done():
				return fmt.Errorf("%s: %s: %w", addr, why, errors.Join(err, ctx.Err()))
			}
		}
	}
	return nil
}

// settled waits until every node sees so many nodes, no reassignment, and no
// partition without any of its replicas that are there.
func (s *side) settled(ctx context.Context) error {
	return s.everywhere(ctx, func(ctx context.Context, b *kgo.Broker) (string, error) {
		resp, err := b.RetriableRequest(ctx, kmsg.NewPtrListPartitionReassignmentsRequest())
		if err != nil {
			return "", err
		}
		if n := len(resp.(*kmsg.ListPartitionReassignmentsResponse).Topics); n > 0 {
			return fmt.Sprintf("%d topics are moved", n), nil
		}
		m, err := rig.Metadata(ctx, b)
		if err != nil {
			return "", err
		}
		if len(m.Brokers) != len(s.running()) {
			return fmt.Sprintf("it knows %d nodes", len(m.Brokers)), nil
		}
		for _, t := range m.Topics {
			for _, p := range t.Partitions {
				if *t.Topic == s.behind {
					continue
				}
				there := slices.DeleteFunc(slices.Clone(p.Replicas), func(n int32) bool { return int(n) == s.away })
				if len(p.ISR) != len(there) && len(there) > 0 {
					return fmt.Sprintf("%s-%d has %v of %v in sync", *t.Topic, p.Partition, p.ISR, p.Replicas), nil
				}
			}
		}
		return "", nil
	})
}

// voters waits until the quorum has so many voters and observers, as every node
// tells.
func (s *side) voters(ctx context.Context, voters, observers string) error {
	return s.everywhere(ctx, func(ctx context.Context, b *kgo.Broker) (string, error) {
		q, err := realfault.Quorum(ctx, b.RetriableRequest)
		if err != nil {
			return "", err
		}
		got := [2]string{strconv.Itoa(len(q.CurrentVoters)), strconv.Itoa(len(q.Observers))}
		if got != [2]string{voters, observers} {
			return fmt.Sprintf("the quorum has %s voters and %s observers", got[0], got[1]), nil
		}
		return "", nil
	})
}

// leave stops a node and waits until the others know.
func (s *side) leave(ctx context.Context, number string) error {
	return s.without(ctx, number, (*rig.Node).Stop)
}

// lose kills a node, or one that ended by itself, and waits until the others know.
func (s *side) lose(ctx context.Context, number string) error {
	return s.without(ctx, number, (*rig.Node).Kill)
}

func (s *side) without(ctx context.Context, number string, end func(*rig.Node) error) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	if err := end(s.cluster.Node(n)); err != nil {
		return err
	}
	s.away = n
	return s.settled(ctx)
}

// comeBack starts a node that was stopped and waits until it has what it missed.
func (s *side) comeBack(ctx context.Context, number string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	if err := s.cluster.Node(n).Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	s.away = 0
	return s.settled(ctx)
}

// replicas tells how a topic is spread, but not where it began to be.
func (s *side) replicas(ctx context.Context, topic string) ([]string, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(s.addrs()...))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	resp, err := rig.Metadata(ctx, c, topic)
	if err != nil {
		return nil, err
	}
	leaders, lines := map[int32]bool{}, []string{}
	for i, p := range resp.Topics[0].Partitions {
		leaders[p.Leader] = true
		nodes := map[int32]bool{}
		for _, n := range p.Replicas {
			nodes[n] = true
		}
		lines = append(lines, fmt.Sprintf("out %d: %d replicas on %d nodes, %d in sync, the first leads: %v", i, len(p.Replicas), len(nodes), len(p.ISR), p.Leader == p.Replicas[0]))
	}
	return append(lines, fmt.Sprintf("out %d leaders", len(leaders))), nil
}

// someReplicas are replicas in a plan, the choice of which is random.
var someReplicas = regexp.MustCompile(`"replicas":\[\d+(,\d+)*\]`)

// generate has a plan made, of which only the shape is compared.
func (s *side) generate(ctx context.Context, topic string) ([]string, error) {
	name, err := writeTemp(fmt.Sprintf(`{"version":1,"topics":[{"topic":%q}]}`, topic))
	if err != nil {
		return nil, err
	}
	defer os.Remove(name)
	o, err := s.call(ctx, "kafka-reassign-partitions", "", s.withServer([]string{"--generate", "--topics-to-move-json-file", name, "--broker-list", "1,2,3"}))
	if err != nil {
		return nil, err
	}
	_, proposed, _ := strings.Cut(o.Out, "Proposed")
	o.Out = strings.Replace(o.Out, proposed, someReplicas.ReplaceAllStringFunc(proposed, func(text string) string {
		return fmt.Sprintf(`"replicas":[%d of them]`, strings.Count(text, ",")+1)
	}), 1)
	return masks(s.cluster).lines("out", o.Out), nil
}

// What is written for replicas to copy: far more than a throttle of a byte a second
// lets pass while the steps look on (Kafka gives a megabyte, or Ottla a batch, at
// once and then nothing for ten seconds).
const (
	fillRecords = 600
	fillBytes   = 50_000 // that no codec makes smaller: there is none
)

// fill writes to a partition what takes a throttled replica minutes to copy.
func (s *side) fill(ctx context.Context, topic, partition string) error {
	p, err := strconv.ParseInt(partition, 10, 32)
	if err != nil {
		return fmt.Errorf("a partition: %w", err)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(s.addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.UnknownTopicRetries(-1))
	if err != nil {
		return err
	}
	defer c.Close()
	var first kgo.FirstErrPromise
	for range fillRecords {
		c.Produce(ctx, &kgo.Record{Topic: topic, Partition: int32(p), Value: make([]byte, fillBytes)}, first.Promise())
	}
	return first.Err()
}
