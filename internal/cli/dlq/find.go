package dlq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/event/letter"
)

// setting is where a group names its topic for dead letters.
const setting = "errors.deadletterqueue.topic.name"

// GroupOf is the group whose committed offsets tell how far the letters of a
// topic were put back.
func GroupOf(topic string) string { return "ottla-redrive." + topic }

// Queue is a topic of dead letters with what waits in it.
type Queue struct {
	Topic  string
	Groups []string // that name it, ascending
	// Exists is false of a topic that nothing has been written to yet.
	Exists bool
	Parts  []*Part  // ascending by partition
	id     [16]byte // of the topic, once letters are put back
}

// Part is a partition of a queue.
type Part struct {
	Partition  int32
	Start, End int64 // of the log
	Progress   *Progress
	at         int64 // next offset that a redrive reads; 0 before it begins
}

// From is the first offset that may have a letter that waits.
func (p *Part) From() int64 { return max(p.Start, p.Progress.Next) }

// passed takes note of a record that was read. Markers, and offsets without a
// record, are done.
func (p *Part) passed(r *kgo.Record) {
	p.Progress.Add(max(p.at, p.From()), r.Offset)
	if p.at = r.Offset + 1; r.Attrs.IsControl() {
		p.Progress.Add(r.Offset, p.at)
	}
}

// Waiting counts offsets that are not done. Retention may have left fewer
// letters, as may compaction.
func (p *Part) Waiting() int64 { return p.End - p.Start - p.Progress.Past(p.Start, p.End) }

// Waiting counts the letters that wait in all partitions.
func (q *Queue) Waiting() (n int64) {
	for _, p := range q.Parts {
		n += p.Waiting()
	}
	return n
}

// Named gives the dead-letter topic of each group that names one.
func Named(ctx context.Context, c *kgo.Client, a *kadm.Client) (map[string]string, error) {
	names := map[string]bool{}
	listed, err := a.ListGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	for _, g := range listed {
		if g.GroupType == "share" {
			names[g.Group] = true
		}
	}
	// Groups may have settings before they have members and after they are gone.
	set, err := a.ListConfigResources(ctx, kadm.ConfigResourceGroupConfig)
	if err == nil {
		err = set.Err
	}
	if err != nil && !errors.Is(err, kerr.UnsupportedVersion) {
		return nil, fmt.Errorf("list the groups that have settings: %w", err)
	}
	for _, r := range set.FilterTypes(kadm.ConfigResourceGroupConfig) {
		names[r.Name] = true
	}
	return settings(ctx, c, names, setting)
}

// OfQueue tells whether the records of a topic are the messages of a queue: they
// go back by moves, which acknowledge them.
func OfQueue(ctx context.Context, c *kgo.Client, topic string) (bool, error) {
	group := "queue." + topic
	enabled, err := settings(ctx, c, map[string]bool{group: true}, "queue.enable")
	return enabled[group] == "true", err
}

// settings reads one setting of groups.
func settings(ctx context.Context, c *kgo.Client, groups map[string]bool, setting string) (map[string]string, error) {
	req, out := kmsg.NewPtrDescribeConfigsRequest(), map[string]string{}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName, r.ConfigNames = kmsg.ConfigResourceTypeGroupConfig, g, []string{setting}
		req.Resources = append(req.Resources, r)
	}
	if len(req.Resources) == 0 {
		return out, nil
	}
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("read the settings of groups: %w", err)
	}
	for _, r := range resp.Resources {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return nil, fmt.Errorf("read the settings of group %s: %w", r.ResourceName, err)
		}
		for _, x := range r.Configs {
			if x.Name == setting && x.Value != nil && *x.Value != "" {
				out[r.ResourceName] = *x.Value
			}
		}
	}
	return out, nil
}

// ByTopic turns what Named gives round: the groups of each topic.
func ByTopic(named map[string]string) map[string][]string {
	out := map[string][]string{}
	for _, g := range slices.Sorted(maps.Keys(named)) {
		out[named[g]] = append(out[named[g]], g)
	}
	return out
}

// Look reads what waits in a topic.
func Look(ctx context.Context, a *kadm.Client, topic string, groups []string) (*Queue, error) {
	q := &Queue{Topic: topic, Groups: groups}
	starts, err := a.ListStartOffsets(ctx, topic)
	if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, fmt.Errorf("read where %s begins: %w", topic, err)
	}
	ends, err := a.ListEndOffsets(ctx, topic)
	if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, fmt.Errorf("read where %s ends: %w", topic, err)
	}
	committed, err := a.FetchOffsets(ctx, GroupOf(topic))
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, fmt.Errorf("read how far %s was put back: %w", topic, err)
	}
	for n, end := range ends[topic] {
		start, ok := starts.Lookup(topic, n)
		switch {
		case errors.Is(end.Err, kerr.UnknownTopicOrPartition) && n <= 0:
			return q, nil
		case end.Err != nil:
			return nil, fmt.Errorf("read where %s-%d ends: %w", topic, n, end.Err)
		case !ok || start.Err != nil:
			return nil, fmt.Errorf("read where %s-%d begins: %w", topic, n, cmp.Or(start.Err, error(kerr.UnknownTopicOrPartition)))
		}
		p := &Part{Partition: n, Start: start.Offset, End: end.Offset, Progress: new(Progress)}
		if err := p.heed(topic, committed); err != nil {
			return nil, err
		}
		q.Parts = append(q.Parts, p)
	}
	q.Exists = len(q.Parts) > 0
	slices.SortFunc(q.Parts, func(a, b *Part) int { return cmp.Compare(a.Partition, b.Partition) })
	return q, nil
}

// heed takes over what was committed.
func (p *Part) heed(topic string, committed kadm.OffsetResponses) (err error) {
	o, ok := committed.Lookup(topic, p.Partition)
	if !ok {
		return nil
	}
	if o.Err != nil {
		return fmt.Errorf("read how far %s-%d was put back: %w", topic, p.Partition, o.Err)
	}
	if p.Progress, err = parseProgress(o.At, o.Metadata); err != nil {
		return fmt.Errorf("%s-%d: %w", topic, p.Partition, err)
	}
	if p.Progress.Next > p.End { // the topic was made anew
		p.Progress = new(Progress)
	}
	return nil
}

// Done tells whether a letter was put back.
func (q *Queue) Done(l *letter.Letter) bool {
	p := q.part(l.Partition)
	return p != nil && p.Progress.Has(l.Offset)
}

// Only is the queue up to one letter, in that one's partition.
func (q *Queue) Only(l *letter.Letter) *Queue {
	out := *q
	out.Parts = nil
	if p := q.part(l.Partition); p != nil {
		last := *p
		last.End = min(p.End, l.Offset+1)
		out.Parts = []*Part{&last}
	}
	return &out
}

// offset is how a client names a place.
func offset(n int64) kgo.Offset { return kgo.NewOffset().At(n) }
