package mapping

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

const (
	// renewEvery is when what is committed is committed again: offsets of a group that
	// has no members expire (offsets.retention.minutes).
	renewEvery = time.Hour
	// renewFirst is when what rests does that first: who lets it rest to set offsets
	// does so at once.
	renewFirst = time.Minute
	// madeSlack is how much older than their mapping records may be that were written
	// after it was made: producers have clocks of their own.
	madeSlack = time.Minute
)

// begin is where the group is; false when the runner was stopped before that was known.
// Of a partition that came later it is the beginning.
func (p *partition) begin() (int64, bool) {
	for failures := 1; ; failures++ {
		all, err := p.admin.FetchOffsetsForTopics(p.r.ctx, p.r.m.Group, p.topic)
		if err == nil {
			err = all.Error()
		}
		var at int64
		if err == nil {
			at, err = p.beginOf(all)
		}
		if err == nil {
			return at, true
		}
		p.r.trouble("where the group is cannot be read", err)
		if !p.r.rest(failures) {
			return 0, false
		}
	}
}

// beginOf is where a group is that has these offsets, in this partition. Where those of the
// whole topic were lost it is where the mapping was told to begin, so that what was never
// meant for the function does not come to it.
func (p *partition) beginOf(all kadm.OffsetResponses) (int64, error) {
	if o, there := all.Lookup(p.topic, p.number); there && o.At >= 0 || !p.lost {
		return max(o.At, 0), nil
	}
	m := p.r.m
	from := m.From
	if from == Latest { // nothing of what came since then may be missed
		from = m.Created.Add(-madeSlack).UTC().Format(time.RFC3339Nano)
	}
	starts, err := startsOf(p.r.ctx, p.admin, p.topic, from)
	if err != nil {
		return 0, err
	}
	o, _ := starts.Lookup(p.topic, p.number)
	p.r.s.o.Logger.Warn("the offsets of a mapping's group are gone: it begins as it did", "mapping", m.Ref.Name, "group", m.Group, "topic", p.topic, "partition", p.number, "offset", o.Offset)
	return max(o.Offset, 0), nil
}

// lost tells whether a group has no offsets of a topic at all; known is false when the
// runner was stopped before that was known.
func (r *runner) lost(admin *kadm.Client, topic string) (lost, known bool) {
	for failures := 1; ; failures++ {
		all, err := admin.FetchOffsetsForTopics(r.ctx, r.m.Group, topic)
		if err == nil {
			err = all.Error()
		}
		if err == nil {
			lost = true
			all.Each(func(o kadm.OffsetResponse) { lost = lost && o.At < 0 })
			return lost, true
		}
		r.trouble("where the group is cannot be read", err)
		if !r.rest(failures) {
			return false, false
		}
	}
}

// commit notes that everything below an offset is done; false when the runner was
// stopped before that was known to be written.
func (p *partition) commit(at int64) bool {
	for failures := 1; ; failures++ {
		err := p.write(at)
		if errors.Is(err, errElsewhere) {
			p.r.s.o.Logger.Info("what the function took of a mapping that was stopped is not committed", "mapping", p.r.m.Ref.Name, "topic", p.topic, "partition", p.number, "offset", at, "err", err)
			return false
		}
		if err == nil {
			p.done, p.doneAt = at, p.r.s.moment()
			return true
		}
		p.r.trouble("what the function took cannot be committed", err)
		if !p.rest(failures, false) {
			return false
		}
	}
}

// errElsewhere says that a group is not where its mapping has left it.
var errElsewhere = errors.New("the offsets of the group were changed, or are gone")

// write commits an offset. When the runner was stopped, the group may have been changed
// while its last call was under way: what was set then is what holds.
func (p *partition) write(at int64) error {
	r := p.r
	ctx, cancel := r.afterwards()
	defer cancel()
	if r.ctx.Err() != nil {
		if err := p.unchanged(ctx); err != nil {
			return err
		}
	}
	return commitOffsets(ctx, p.admin, r.m.Group, kadm.Offset{Topic: p.topic, Partition: p.number, At: at, LeaderEpoch: -1})
}

// unchanged tells whether the group is still where it was left.
func (p *partition) unchanged(ctx context.Context) error {
	if p.r.m.Group == ownGroup(p.r.m.Ref) && !p.r.s.stands(p.r.m) {
		return errElsewhere // it went with the mapping; another of the name has one of its own
	}
	has, err := p.admin.FetchOffsetsForTopics(ctx, p.r.m.Group, p.topic)
	if err == nil {
		err = has.Error()
	}
	if err != nil {
		return err
	}
	at := int64(0)
	if o, there := has.Lookup(p.topic, p.number); there {
		at = max(o.At, 0)
	}
	if at != p.done {
		return errElsewhere
	}
	return nil
}

// renew commits again what is committed, now and then; false when the runner was stopped
// before that was known to be written.
func (p *partition) renew() bool {
	return !p.r.s.past(p.doneAt, renewEvery) || p.commit(p.done)
}

// keepGroup keeps the group of a mapping that rests from being forgotten.
func (r *runner) keepGroup(topic string) {
	c, err := r.s.o.Client()
	if err != nil {
		r.trouble("a client cannot be made", err)
		<-r.ctx.Done()
		return
	}
	defer c.Close()
	admin := kadm.NewClient(c)
	at, wait := r.s.moment(), renewFirst
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-time.After(idleFetch): // the domain clock may have been moved
		}
		if !r.s.past(at, wait) {
			continue
		}
		at, wait = r.s.moment(), renewEvery
		if err := recommit(r.ctx, admin, r.m.Group, topic); err != nil {
			wait = renewFirst
			r.s.o.Logger.Warn("the offsets of a group cannot be renewed", "mapping", r.m.Ref.Name, "group", r.m.Group, "err", err)
		}
	}
}

// recommit commits what a group has committed of a topic.
func recommit(ctx context.Context, admin *kadm.Client, group, topic string) error {
	has, err := admin.FetchOffsetsForTopics(ctx, group, topic)
	if err == nil {
		err = has.Error()
	}
	if err != nil {
		return err
	}
	var all []kadm.Offset
	has.Each(func(o kadm.OffsetResponse) {
		if o.At >= 0 {
			all = append(all, o.Offset)
		}
	})
	if len(all) == 0 {
		return nil
	}
	return commitOffsets(ctx, admin, group, all...)
}

// commitOffsets commits offsets of a group that has no members.
func commitOffsets(ctx context.Context, admin *kadm.Client, group string, all ...kadm.Offset) error {
	offsets := kadm.Offsets{}
	for _, o := range all {
		offsets.Add(o)
	}
	done, err := admin.CommitOffsets(ctx, group, offsets)
	if err != nil {
		return err
	}
	return done.Error()
}
