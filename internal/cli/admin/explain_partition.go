package admin

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/nodes"
	"ottla/internal/cli/out"
	"ottla/internal/wire/own"
)

// explainPartition says who has a partition, and why it is as it is.
func explainPartition(ctx context.Context, o *ask.Options, name string) error {
	topic, index, err := partitionName(name)
	if err != nil {
		return err
	}
	f, client, done, err := gatherNodes(ctx, o, topic)
	if err != nil {
		if fail.CodeOf(err) == fail.NotFound {
			return ask.TopicFailure("cannot explain partition "+name, topic, ask.ErrUnknownTopic, "")
		}
		return err
	}
	defer done()
	p := f.Partition(topic, index)
	if p == nil {
		return fail.New(fail.NotFound, fmt.Sprintf("there is no partition %d in %s", index, topic), fmt.Sprintf("it has partitions 0 to %d", len(f.Partitions)-1), "")
	}
	story := nodes.Story(f, p)
	history, err := nodes.History(ctx, client, topic, index)
	if err != nil {
		f.Missing["why it came to this"] = err.Error()
		history = nil
	}
	if o.Format == "table" {
		fmt.Fprintln(o.Out, strings.Join(story, "\n  "))
		if history != nil {
			fmt.Fprintln(o.Out, "why it came to this:\n  "+strings.Join(nodes.Told(history, time.Now()), "\n  "))
		}
		missing(o, f)
		return nil
	}
	return printPartition(o, p, story, history)
}

// printPartition is what programs read.
func printPartition(o *ask.Options, p *nodes.Partition, story []string, history *own.History) error {
	t := &out.Table{One: true, Columns: []out.Column{
		{Field: "topic"}, {Field: "partition"}, {Field: "state"}, {Field: "leader"}, {Field: "leader_epoch"}, {Field: "preferred_leader"},
		{Field: "replicas"}, {Field: "in_sync"}, {Field: "eligible"}, {Field: "min_in_sync"}, {Field: "adding"}, {Field: "removing"}, {Field: "story"},
		{Field: "controller"}, {Field: "known_since"}, {Field: "changes"},
	}}
	var preferred, by, since, changes any
	if history != nil {
		by, since, changes = history.Node, time.UnixMilli(history.SinceMs).UTC().Format(time.RFC3339Nano), nodes.Changes(history)
	}
	if len(p.Replicas) > 0 {
		preferred = p.Replicas[0]
	}
	t.Add(p.Topic, p.Index, string(nodes.StateOf(p)), p.Leader, p.LeaderEpoch, preferred, numbers(p.Replicas), numbers(p.InSync), numbers(p.Eligible), p.MinISR,
		numbers(p.Adding), numbers(p.Removing), story, by, since, changes)
	return o.Print(t)
}

// numbers keeps an empty list apart from null in JSON.
func numbers(list []int32) []int32 {
	if list == nil {
		return []int32{}
	}
	return list
}

// partitionName reads TOPIC-N; a topic's name may hold dashes itself.
func partitionName(name string) (topic string, index int32, err error) {
	at := strings.LastIndexByte(name, '-')
	if at > 0 {
		n, perr := strconv.ParseInt(name[at+1:], 10, 32)
		if perr == nil && n >= 0 {
			return name[:at], int32(n), nil
		}
	}
	return "", 0, fail.Usagef("%s does not name a partition: want TOPIC-N, as orders-3", name)
}
