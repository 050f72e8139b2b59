package group

import (
	"time"

	"ottla/internal/group/schema"
)

// topicsDeleted steps a TopicsDeleted, a part at a time where there is much.
func (t *turn) topicsDeleted(c *TopicsDeleted) {
	for _, id := range sorted(t.m.groups) {
		for _, topic := range c.Topics {
			t.forgetTopic(id, topic, t.m.groups[id].offsets)
			for _, producer := range sorted(t.m.open) {
				t.forgetTopic(id, topic, t.m.open[producer].groups[id])
			}
		}
	}
	if t.full() {
		for _, topic := range c.Topics {
			t.timer(goneKey(topic), 0, TopicsDeleted{Topics: []DeletedTopic{topic}})
		}
	}
	t.answer(nil)
}

// forgetTopic forgets a group's offsets in a topic that is gone.
func (t *turn) forgetTopic(group string, topic DeletedTopic, in offsets) {
	for _, p := range sorted(in[topic.Name]) {
		if t.full() {
			return
		}
		if had := in[topic.Name][p].TopicID; had.IsZero() || topic.ID.IsZero() || had == topic.ID {
			t.write(schema.AppendOffsetKey(nil, group, topic.Name, p), nil)
		}
	}
}

// sweep forgets offsets that nobody needs any more (KIP-211), and groups that
// have neither members nor offsets left.
func (t *turn) sweep() {
	for _, id := range t.m.ids() {
		if t.full() {
			break
		}
		t.sweepGroup(id, t.m.groups[id])
	}
	next := t.m.s.RetentionCheck
	if t.full() {
		next = 0 // the rest at once
	}
	t.timer(sweepKey{}, next, sweepDue{})
}

func (t *turn) sweepGroup(id string, g *group) {
	if g == nil { // one of a kind, that has no offsets
		g = &group{live: &live{}}
	}
	k := t.m.kindOf(id)
	since, ok := g.live.expiresFrom()
	left := g.txns > 0
	for _, topic := range sorted(g.offsets) {
		for _, p := range sorted(g.offsets[topic]) {
			v := g.offsets[topic][p]
			if !ok || t.full() || t.reads(k, id, topic) || !t.expired(&v, since) || t.m.unstable(id, topic, p) {
				left = true
				continue
			}
			t.write(schema.AppendOffsetKey(nil, id, topic, p), nil)
		}
	}
	switch {
	case left:
	case k != nil:
		if k.Expires() && k.Show(id).Members == 0 {
			k.Bury(t.kind(), id)
		}
	case g.live.state == Empty && len(g.live.pending) == 0:
		t.write(schema.AppendGroupKey(nil, id), nil)
	}
}

// expiresFrom tells from when the retention of a group's offsets counts, zero
// for each offset's commit; false when they do not expire now.
func (l *live) expiresFrom() (time.Time, bool) {
	switch {
	case l.protocolType == "":
		return time.Time{}, true
	case l.state == Empty:
		return l.since, true
	case l.state == Stable && l.consumers() && l.subscribed != nil:
		return time.Time{}, true
	}
	return time.Time{}, false
}

func (t *turn) expired(v *offset, since time.Time) bool {
	now := t.wall.UnixMilli()
	if v.ExpireMs >= 0 {
		return now >= v.ExpireMs
	}
	from := v.CommitMs
	if !since.IsZero() {
		from = since.UnixMilli()
	}
	return now-from >= t.m.s.Retention.Milliseconds()
}
