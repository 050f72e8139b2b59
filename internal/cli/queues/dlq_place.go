package queues

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/dlq"
	"ottla/internal/cli/fail"
	"ottla/internal/event/letter"
	"ottla/internal/gateway/rest"
)

// place is where dead letters lie, and which of them are meant.
type place struct {
	name  string
	where []string
	// queue is the queue that they lie in; nil for letters of share groups, which
	// lie in a topic.
	queue  *rest.Queue
	topic  *dlq.Queue
	filter dlq.Filter
}

// placeOf finds the place that a name means: a queue, that of a queue that has one
// (then only its letters are meant), a topic for dead letters, that of a share
// group that has one (likewise).
func placeOf(ctx context.Context, o *ask.Options, c *kgo.Client, a *kadm.Client, q *ask.QueueFlags, name string, where []string) (*place, error) {
	f, err := letter.Parse(where)
	if err != nil {
		return nil, fail.Usagef("--where: %v", err)
	}
	p := &place{name: name, where: where}
	asked := o.HTTPAddress(ctx, q.HTTP) != ""
	if asked {
		err := queuePlace(ctx, o, q, p)
		if err == nil && p.queue != nil {
			return p, nil
		}
		if err != nil && q.HTTP != "" {
			return nil, err
		}
	}
	return p, topicPlace(ctx, o, c, a, p, f)
}

// queuePlace finds the queue that a place is, if it is one.
func queuePlace(ctx context.Context, o *ask.Options, q *ask.QueueFlags, p *place) error {
	what := "cannot find the dead letters of " + p.name
	get := func(name string) (*rest.Queue, error) {
		var x rest.Queue
		err := o.Ask(ctx, q.HTTP, what, http.MethodGet, ask.QueuePath(name), q.Query(), nil, &x)
		if fail.CodeOf(err) == fail.NotFound || fail.CodeOf(err) == fail.Usage {
			return nil, nil // a topic may be called as no queue is
		}
		return &x, err
	}
	x, err := get(p.name)
	if err != nil || x == nil {
		return err
	}
	all, err := deadQueues(ctx, o, q, false)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].Queue == p.name {
			p.queue = x
			return nil
		}
	}
	if x.DeadLetter == nil {
		p.queue = x // a queue that was for dead letters once, or is looked into
		return nil
	}
	p.where = append([]string{"topic=" + x.Topic}, p.where...)
	p.queue, err = get(x.DeadLetter.Queue.Name)
	return err
}

// topicPlace finds the topic of letters of share groups.
func topicPlace(ctx context.Context, o *ask.Options, c *kgo.Client, a *kadm.Client, p *place, f letter.Filter) error {
	named, err := dlq.Named(ctx, c, a)
	if err != nil {
		return ask.KafkaFailure("cannot find the dead letters of "+p.name, err)
	}
	topics, topic := dlq.ByTopic(named), p.name
	if of, ok := named[p.name]; ok && topics[p.name] == nil {
		topic, f = of, append(f, letter.OfGroup(p.name)...)
	}
	if p.topic, err = dlq.Look(ctx, a, topic, topics[topic]); err != nil {
		return ask.KafkaFailure("cannot look into "+topic, err)
	}
	now := time.Now()
	p.filter = func(l *letter.Letter) bool { return f.Takes(l, now) }
	if topics[topic] != nil {
		return nil
	}
	if queues, err := dlq.OfQueue(ctx, c, topic); err != nil {
		return ask.KafkaFailure("cannot find the dead letters of "+p.name, err)
	} else if queues {
		return fail.Usagef("dead letters of the queue whose topic is %s are told over HTTP: give --http HOST:PORT of a node", topic)
	}
	if !p.topic.Exists {
		return fail.New(fail.NotFound, "there are no dead letters of "+p.name,
			"no queue or topic is called so, and no group of that name has a topic for dead letters (errors.deadletterqueue.topic.name)", "\"ottla dlq list\" shows what there is")
	}
	return nil
}

// queueLetters asks for letters in a queue, at most most (0: all), and hands them
// on page by page.
func queueLetters(ctx context.Context, o *ask.Options, q *ask.QueueFlags, p *place, most int, each func([]rest.Letter)) error {
	query := q.Query()
	query["where"] = p.where
	for left := most; ; {
		query.Set("max", "1000")
		if most > 0 && left < 1000 {
			query.Set("max", number(left))
		}
		var page rest.Letters
		err := o.Ask(ctx, q.HTTP, "cannot show dead letters of "+p.name, http.MethodGet, ask.QueuePath(p.queue.Name, "messages"), query, nil, &page)
		if err != nil {
			return err
		}
		each(page.Letters)
		if left -= len(page.Letters); page.Next == "" || most > 0 && left <= 0 {
			return nil
		}
		query.Set("next", page.Next)
	}
}

// letterOf is a letter as it was told over HTTP.
func letterOf(l *rest.Letter) (*letter.Letter, error) {
	out := &letter.Letter{Topic: l.Topic, Partition: l.Partition, Offset: l.Offset, Time: time.UnixMilli(l.TimeMs), OriginTopic: l.OriginOf,
		OriginPartition: -1, OriginOffset: -1, Group: l.Group, Reason: l.Reason, Deliveries: -1, ID: l.ID, SentMs: l.SentMs,
		Key: l.Key.Bytes(), Value: l.Body.Bytes()}
	if l.Deliveries != nil {
		out.Deliveries = *l.Deliveries
	}
	var err error
	if l.Origin != "" {
		_, out.OriginPartition, out.OriginOffset, err = letter.ParseName(l.Origin)
	}
	for i := range l.Headers {
		h := &l.Headers[i]
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: h.Name, Value: h.Bytes()})
	}
	return out, err
}

// errNoLetter tells that a letter is not there.
var errNoLetter = errors.New("there is no such letter, or it was put back")
