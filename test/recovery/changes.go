//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/realfault"
)

// changePause between two changes: each is an entry of the metadata log.
const changePause = 20 * time.Millisecond

// askAny sends a request to the nodes in turn, beginning with the one that answered
// last, until one has answered.
func (l *load) askAny(ctx context.Context, node *int, req kmsg.Request) (kmsg.Response, error) {
	var err error
	for range nodes {
		one, cancel := context.WithTimeout(ctx, 10*time.Second)
		var resp kmsg.Response
		resp, err = l.direct.SeedBrokers()[*node-1].Request(one, req)
		cancel()
		if err == nil {
			return resp, nil
		}
		*node = *node%nodes + 1
	}
	return nil, err
}

// elsewhere gives a code as an error; after NOT_CONTROLLER the next request goes to the
// next node, as clients have it.
func elsewhere(node *int, code int16) error {
	if code == kerr.NotController.Code {
		*node = *node%nodes + 1
	}
	return kerr.ErrorForCode(code)
}

// alter changes a setting of a topic again and again.
func (l *load) alter(ctx context.Context, p *pulse) {
	node := 1
	for n := 0; ctx.Err() == nil; n++ {
		value := fmt.Sprint(1000 + n%1000)
		req := kmsg.NewPtrIncrementalAlterConfigsRequest()
		r := kmsg.NewIncrementalAlterConfigsRequestResource()
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeTopic, topic
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Name, c.Value = "file.delete.delay.ms", &value
		r.Configs = append(r.Configs, c)
		req.Resources = append(req.Resources, r)
		resp, err := l.askAny(ctx, &node, req)
		if err == nil && elsewhere(&node, resp.(*kmsg.IncrementalAlterConfigsResponse).Resources[0].ErrorCode) == nil {
			p.beat()
		}
		_ = realfault.Pause(ctx, changePause)
	}
}

// create makes a topic, writes to it, and deletes it, again and again.
func (l *load) create(ctx context.Context, p *pulse) {
	node := 1
	for n := 0; ctx.Err() == nil; n++ {
		name := fmt.Sprintf("made-%d", n)
		req := kmsg.NewPtrCreateTopicsRequest()
		req.TimeoutMillis = 10_000
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = name, 1, 1
		req.Topics = append(req.Topics, t)
		resp, err := l.askAny(ctx, &node, req)
		if err == nil && created(resp.(*kmsg.CreateTopicsResponse)) == nil && l.serves(ctx, resp.(*kmsg.CreateTopicsResponse)) {
			p.beat()
		} else if err == nil {
			_ = elsewhere(&node, resp.(*kmsg.CreateTopicsResponse).Topics[0].ErrorCode)
		}
		remove := kmsg.NewPtrDeleteTopicsRequest()
		remove.TimeoutMillis = 10_000
		rt := kmsg.NewDeleteTopicsRequestTopic()
		rt.Topic = &name
		remove.Topics, remove.TopicNames = append(remove.Topics, rt), append(remove.TopicNames, name)
		_, _ = l.askAny(ctx, &node, remove) // what is left costs nothing
		_ = realfault.Pause(ctx, changePause)
	}
}

// serves tells whether a topic that was just made takes a write at one of the
// nodes.
func (l *load) serves(ctx context.Context, made *kmsg.CreateTopicsResponse) bool {
	t := made.Topics[0]
	for _, b := range l.direct.SeedBrokers() {
		one, cancel := context.WithTimeout(ctx, time.Second)
		resp, err := b.Request(one, produceTo(t.Topic, t.TopicID, 0))
		cancel()
		if err != nil {
			continue
		}
		if r := resp.(*kmsg.ProduceResponse); len(r.Topics) == 1 && r.Topics[0].Partitions[0].ErrorCode == 0 {
			return true
		}
	}
	return false
}
