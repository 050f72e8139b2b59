package cli

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
	"ottla/internal/cli/fail"
)

// setGroup gives a group a setting.
func setGroup(ctx context.Context, t *testing.T, c *kgo.Client, group, name, value string) {
	t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	x := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	x.Name, x.Value = name, &value
	r.Configs = append(r.Configs, x)
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := kerr.ErrorForCode(resp.Resources[0].ErrorCode); err != nil {
		t.Fatalf("%s of group %s: %v", name, group, err)
	}
}

// streamsMember lets an instance of an application that counts the records of
// a topic join its group, and reports until it has n tasks.
func streamsMember(ctx context.Context, t *testing.T, n *ottla.Server, c *kgo.Client, group, topic string, tasks int) *kmsg.StreamsGroupHeartbeatRequest {
	t.Helper()
	setGroup(ctx, t, c, group, "streams.initial.rebalance.delay.ms", "0")
	req := kmsg.NewPtrStreamsGroupHeartbeatRequest()
	req.Group, req.MemberID, req.RebalanceTimeoutMillis = group, "instance", 60_000
	process := "process"
	req.ProcessID = &process
	sub := kmsg.NewStreamsGroupHeartbeatRequestTopologySubtopology()
	sub.SubtopologyID, sub.SourceTopics = "0", []string{topic}
	sub.StateChangelogTopics = []kmsg.TopicInfo{{Topic: group + "-changelog"}}
	topology := kmsg.NewStreamsGroupHeartbeatRequestTopology()
	topology.Subtopologies = append(topology.Subtopologies, sub)
	at := kmsg.NewStreamsGroupHeartbeatRequestUserEndpoint()
	at.Host, at.Port = "shop.example", 7070
	req.UserEndpoint, req.Topology = &at, &topology
	req.ActiveTasks, req.StandbyTasks, req.WarmupTasks = []kmsg.TaskIDs{}, []kmsg.TaskIDs{}, []kmsg.TaskIDs{}
	for {
		resp, err := req.RequestWith(ctx, c.SeedBrokers()[0]) // the client does not know where such requests go
		if err != nil {
			t.Fatal(err)
		}
		if err := kerr.ErrorForCode(resp.ErrorCode); err != nil && !kerr.IsRetriable(err) {
			t.Fatal(err)
		} else if err != nil {
			continue
		}
		req.MemberEpoch, req.Topology, req.RebalanceTimeoutMillis = resp.MemberEpoch, nil, -1
		if resp.ActiveTasks != nil {
			req.ActiveTasks, req.StandbyTasks, req.WarmupTasks = resp.ActiveTasks, resp.StandbyTasks, resp.WarmupTasks
		}
		has := 0
		for _, x := range req.ActiveTasks {
			has += len(x.Partitions)
		}
		if has == tasks {
			return req
		}
	}
}

func TestAStreamsGroupIsShownMovedAndDeleted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	n := reading(t, 3)
	c, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m := streamsMember(ctx, t, n, c, "app", "t", 1)
	call(t, n, "", "groups").mustHold(t, 0, "app", "streams", "Stable")
	call(t, n, "", "group", "describe", "app").mustHold(t, 0, "app  Stable  streams  epoch", "ENDPOINT", "shop.example:7070", "0_0", "reached",
		"SUBTOPOLOGY", "app-changelog")
	call(t, n, "", "group", "describe", "app", "--members", "-o", "template={{.active}} {{.standby}} {{.endpoint}} {{.assigned}} {{.process}}").mustHold(t, 0,
		"[0_0] [] shop.example:7070 [t-0] process")
	call(t, n, "", "group", "describe", "app", "--topology", "-o", "template={{.subtopology}} {{.sources}} {{.changelogs}}").mustHold(t, 0, "0 [t] [app-changelog]")
	call(t, n, "", "explain", "app", "--watch", "0s").mustHold(t, 0, "app  Stable  1 member", "it has read everything")
	call(t, n, "", "group", "reset", "app", "--to", "start", "--topic", "t").mustHold(t, fail.Failed, "it has members (Stable)")
	call(t, n, "", "group", "delete", "app").mustHold(t, fail.Failed, "the group has members")
	m.MemberEpoch = -1
	if resp, err := m.RequestWith(ctx, c.SeedBrokers()[0]); err != nil || resp.ErrorCode != 0 {
		t.Fatalf("leaving: %+v, %v", resp, err)
	}
	call(t, n, "", "group", "reset", "app", "--to", "1", "--topic", "t").mustHold(t, 0, "reset")
	call(t, n, "", "group", "describe", "app", "-o", "template={{.topic}} {{.committed}} {{.lag}}").mustHold(t, 0, "t 1 2")
	call(t, n, "", "explain", "app").mustHold(t, 0, "it has no members", "it is 2 records behind")
	call(t, n, "", "group", "delete", "app", "--topic", "t").mustHold(t, 0, "forgotten")
	call(t, n, "", "group", "delete", "app").mustHold(t, 0, "deleted")
	call(t, n, "", "group", "describe", "app").mustHold(t, fail.NotFound, "there is no such group")
}

func TestAStreamsGroupWithoutItsTopicIsExplained(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	n := reading(t, 1)
	c, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	streamsMember(ctx, t, n, c, "app", "nowhere", 0)
	call(t, n, "", "explain", "app").mustHold(t, 0, "app  NotReady  1 member", "there is no topic nowhere, which it reads", "make the topics that it reads")
}

func TestAShareGroupIsExplainedMovedAndForgotten(t *testing.T) {
	n := givingUp(t, 4)
	call(t, n, "", "explain", "shop").mustHold(t, 0, "shop  Empty  0 members", "4 dead letters wait in dlq.orders", "ottla dlq redrive shop")
	call(t, n, "", "group", "reset", "shop", "--to", "1", "--dry-run").mustHold(t, 0, "would be reset")
	call(t, n, "", "group", "reset", "shop", "--to", "1").mustHold(t, 0, "reset")
	call(t, n, "", "group", "describe", "shop", "-o", "template={{.topic}} {{.committed}} {{.lag}}").mustHold(t, 0, "orders 1 1\norders 1 1")
	call(t, n, "", "explain", "shop").mustHold(t, 0, "it is 2 records behind")
	call(t, n, "", "group", "delete", "shop", "--topic", "orders:0").mustHold(t, fail.Failed, "forgets orders whole or not at all")
	call(t, n, "", "group", "delete", "shop", "--topic", "orders").mustHold(t, 0, "forgotten")
	call(t, n, "", "explain", "shop").mustHold(t, 0, "it stands nowhere yet")
	call(t, n, "", "group", "delete", "shop").mustHold(t, 0, "deleted")
}
