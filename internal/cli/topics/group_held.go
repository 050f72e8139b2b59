package topics

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/dlq"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/groups"
	"ottla/internal/cli/out"
)

// heldTable reads what share groups hold; others hold nothing.
func heldTable(ctx context.Context, o *ask.Options, address string, all []*groups.Group) (*out.Table, error) {
	if address == "" {
		return nil, fail.Usagef("what a share group's members hold is told over HTTP: give --http HOST:PORT of the node that leads the partitions")
	}
	ctx, cancel := context.WithTimeout(ctx, o.ConnectTimeout)
	defer cancel()
	t := &out.Table{Empty: "no member of a share group reads here", Columns: []out.Column{
		{Field: "group"}, {Field: "topic", Title: "TOPIC"}, {Field: "partition", Title: "PARTITION", Right: true},
		{Field: "acquired", Title: "ACQUIRED", Right: true}, {Field: "redelivered", Title: "REDELIVERED", Right: true}, {Field: "delayed", Title: "DELAYED", Right: true},
		{Field: "parked_keys", Title: "PARKED KEYS", Right: true}, {Field: "dying", Title: "DYING", Right: true},
	}}
	for _, g := range all {
		if g.Type != "share" {
			continue
		}
		rows, err := groups.ReadHeld(ctx, address, g.Name)
		if err != nil {
			return nil, fail.New(fail.Unreachable, "cannot tell what group "+g.Name+" holds", err.Error(), "give --http HOST:PORT of the node that leads the partitions")
		}
		for _, h := range rows {
			t.Add(g.Name, h.Topic, h.Partition, h.Acquired, h.Redelivered, h.Delayed, h.Parked, h.Dying)
		}
	}
	return t, nil
}

// Shared finds out what a share group's members hold, where a node can be asked,
// and which of its dead letters wait.
func Shared(ctx context.Context, o *ask.Options, c *kgo.Client, a *kadm.Client, g *groups.Group, http string) (*groups.Shared, error) {
	s := &groups.Shared{}
	if address := o.HTTPAddress(ctx, http); address != "" {
		bounded, cancel := context.WithTimeout(ctx, o.ConnectTimeout)
		held, err := groups.ReadHeld(bounded, address, g.Name)
		if cancel(); err != nil && http != "" {
			return nil, fail.New(fail.Unreachable, "cannot tell what group "+g.Name+" holds", err.Error(), "give --http HOST:PORT of the node that leads the partitions")
		}
		s.Held = held
	}
	named, err := dlq.Named(ctx, c, a)
	if err != nil {
		return nil, ask.KafkaFailure("cannot find the dead letters of "+g.Name, err)
	}
	if s.DeadTopic = named[g.Name]; s.DeadTopic == "" {
		return s, nil
	}
	q, err := dlq.Look(ctx, a, s.DeadTopic, nil)
	if err != nil {
		return nil, ask.KafkaFailure("cannot look into "+s.DeadTopic, err)
	}
	s.Letters = q.Waiting()
	return s, nil
}

// showHeld shows what a group holds beneath its offsets, where that can be told.
func showHeld(ctx context.Context, o *ask.Options, address string, asked bool, g *groups.Group) error {
	if g.Type != "share" || address == "" && !asked {
		return nil
	}
	t, err := heldTable(ctx, o, address, []*groups.Group{g})
	if err != nil && asked {
		return err
	}
	if err != nil || len(t.Rows) == 0 {
		return nil
	}
	fmt.Fprintln(o.Out)
	return o.Print(t)
}
