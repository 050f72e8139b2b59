package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
)

// kind is a queue of a run; it has another for its dead letters.
type kind struct {
	name        string
	fifo        bool
	partitions  int
	maxReceives int
}

var kinds = []kind{{"orders", false, 3, 4}, {"orders.fifo", true, 2, 4}}

// settings are those of the nodes: shorter times than groups may have by default.
var settings = []string{"group.share.min.record.lock.duration.ms=1000", "group.share.min.session.timeout.ms=1000", "group.share.max.size=1000"}

// spec is what is said of a queue when it is made.
type spec struct {
	FIFO         bool        `json:"fifo,omitempty"`
	Partitions   int         `json:"partitions"`
	VisibilityMs int64       `json:"visibility_ms"`
	DeadLetter   *deadLetter `json:"dead_letter,omitempty"`
}

type deadLetter struct {
	Queue       queueName `json:"queue"`
	MaxReceives int       `json:"max_receives"`
}

type queueName struct {
	Name string `json:"name"`
}

// build makes the queues and says how their groups lock.
func build(ctx context.Context, d native, cl *kgo.Client) error {
	for _, k := range kinds {
		s := spec{FIFO: k.fifo, Partitions: k.partitions, VisibilityMs: hold.Milliseconds()}
		if err := d.ask(ctx, http.MethodPut, "/q/"+deadOf(k.name), s, nil); err != nil {
			return fmt.Errorf("make the queue %s: %w", deadOf(k.name), err)
		}
		s.DeadLetter = &deadLetter{queueName{deadOf(k.name)}, k.maxReceives}
		if err := d.ask(ctx, http.MethodPut, "/q/"+k.name, s, nil); err != nil {
			return fmt.Errorf("make the queue %s: %w", k.name, err)
		}
		err := configure(ctx, cl, groupOf(k.name), map[string]string{
			"share.record.lock.duration.ms": fmt.Sprint(hold.Milliseconds()), "share.session.timeout.ms": "3000",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// configure sets settings of a group.
func configure(ctx context.Context, cl *kgo.Client, group string, settings map[string]string) error {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	for name, value := range settings {
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Name, c.Value = name, kmsg.StringPtr(value)
		r.Configs = append(r.Configs, c)
	}
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(ctx, cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.Resources[0].ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("settings of the group %s: %w", group, err)
	}
	return nil
}

// topicIDs are those of the queues' topics.
func topicIDs(ctx context.Context, cl *kgo.Client) (map[string]uuid.UUID, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, k := range kinds {
		for _, topic := range []string{k.name, deadOf(k.name)} {
			t := kmsg.NewMetadataRequestTopic()
			t.Topic = kmsg.StringPtr(topic)
			req.Topics = append(req.Topics, t)
		}
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, fmt.Errorf("look at the topics of the queues: %w", err)
	}
	out := map[string]uuid.UUID{}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return nil, fmt.Errorf("look at the topics of the queues: %w", err)
		}
		out[*t.Topic] = t.TopicID
	}
	return out, nil
}
