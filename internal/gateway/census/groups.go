package census

import (
	"slices"
	"strings"
	"time"

	"ottla/internal/group"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// groupFacts are a group at the moment of the scrape.
type groupFacts struct {
	id      string
	members int
	offsets []standing
}

// standing is where a group stands in a partition that this node holds.
type standing struct {
	topic     string
	index     int32
	committed int64
	lag       int64 // in offsets
	partition *partition.Partition
}

// groups shows those that fit, by id. A shard that does not answer counts as
// one entry left out.
func (s *scrape) groups(show func(*groupFacts)) {
	var all []group.Listed
	for _, a := range s.Groups.Each(s.ctx, group.List{}) {
		list, ok := a.Body.([]group.Listed)
		if a.Err != nil || !ok {
			s.omitted++
			continue
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b group.Listed) int { return strings.Compare(a.ID, b.ID) })
	for i := range all {
		if !s.take(&s.left.Groups) {
			continue
		}
		if g := s.ask(&all[i]); g != nil {
			show(g)
		}
	}
}

// ask learns about a group; nil when it does not answer. Members and offsets
// are of two moments, which is as near as Kafka's own tools come.
func (s *scrape) ask(listed *group.Listed) *groupFacts {
	fetched, err := s.Groups.Do(s.ctx, listed.ID, group.Fetch{Group: listed.ID, All: true})
	if err != nil {
		if wire.CodeOf(err) != wire.GroupIDNotFound { // it went since it was listed, or keeps no offsets
			s.omitted++
		}
		return nil
	}
	g := &groupFacts{id: listed.ID, members: listed.Members}
	if f, ok := fetched.(group.FetchReply); ok {
		for i := range f.Topics {
			s.addStandings(g, &f.Topics[i])
		}
	}
	slices.SortStableFunc(g.offsets, func(a, b standing) int { return strings.Compare(a.topic, b.topic) })
	return g
}

// addStandings adds a topic's committed offsets. What was committed for another
// topic of that name counts for nothing.
func (s *scrape) addStandings(g *groupFacts, f *group.FetchedTopic) {
	t := s.image.TopicByName(f.Name)
	if t == nil {
		return
	}
	for _, o := range f.Partitions {
		foreign := !o.TopicID.IsZero() && o.TopicID != t.ID
		if o.Offset < 0 || foreign || !s.take(&s.left.Offsets) {
			continue
		}
		if p := s.held(f.Name, o.Index); p != nil {
			lag := max(0, p.Offsets().HighWatermark-o.Offset)
			g.offsets = append(g.offsets, standing{f.Name, o.Index, o.Offset, lag, p})
		}
	}
}

func (s *scrape) detailOfGroup(g *groupFacts) {
	s.sheet.Put("ottla_group_members", float64(g.members), g.id)
	for i := range g.offsets {
		o := &g.offsets[i]
		put := func(name string, v float64) { s.sheet.Put(name, v, g.id, o.topic, number(o.index)) }
		put("ottla_group_committed_offset", float64(o.committed))
		put("ottla_group_lag_records", float64(o.lag))
		if age, ok := s.age(o); ok {
			put("ottla_group_lag_seconds", age.Seconds())
		}
	}
}

// age is how long the first record not committed has been there, 0 when there
// is none; not ok when it cannot be told.
func (s *scrape) age(o *standing) (time.Duration, bool) {
	if o.lag == 0 {
		return 0, true
	}
	if !s.take(&s.left.Reads) {
		return 0, false
	}
	first, waits, err := o.partition.Waiting(o.committed)
	switch {
	case err != nil || waits && first.TimestampMs < 0: // a record may have no time
		s.omitted++
		return 0, false
	case !waits: // nothing but markers, or what compaction took
		return 0, true
	}
	return max(0, s.Now().Sub(time.UnixMilli(first.TimestampMs))), true
}

func (s *scrape) exportGroup(g *groupFacts) {
	s.sheet.Put("kafka_consumergroup_members", float64(g.members), g.id)
	for i := 0; i < len(g.offsets); {
		topic := g.offsets[i].topic
		var committed, lag int64
		for ; i < len(g.offsets) && g.offsets[i].topic == topic; i++ {
			o := &g.offsets[i]
			s.sheet.Put("kafka_consumergroup_current_offset", float64(o.committed), g.id, topic, number(o.index))
			s.sheet.Put("kafka_consumergroup_lag", float64(o.lag), g.id, topic, number(o.index))
			committed, lag = committed+o.committed, lag+o.lag
		}
		s.sheet.Put("kafka_consumergroup_current_offset_sum", float64(committed), g.id, topic)
		s.sheet.Put("kafka_consumergroup_lag_sum", float64(lag), g.id, topic)
	}
}
