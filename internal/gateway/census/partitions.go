package census

import (
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// topics are those of the image by name.
func (s *scrape) topics() []*metadata.Topic {
	return slices.SortedFunc(s.image.Topics(), func(a, b *metadata.Topic) int { return strings.Compare(a.Name, b.Name) })
}

// partitions are those that fit.
func (s *scrape) partitions(t *metadata.Topic) iter.Seq[*metadata.Partition] {
	return func(yield func(*metadata.Partition) bool) {
		for _, p := range t.Partitions {
			if s.take(&s.left.Partitions) && !yield(p) {
				return
			}
		}
	}
}

// held finds a partition that this node holds and can speak for; nil when not.
func (s *scrape) held(topic string, index int32) *partition.Partition {
	p, code := s.ByName([]byte(topic), index)
	if code != wire.None {
		return nil
	}
	return p
}

func (s *scrape) detailOfPartitions() {
	for _, t := range s.topics() {
		for row := range s.partitions(t) {
			p := s.held(t.Name, row.Index)
			if p == nil {
				continue
			}
			d := p.Describe()
			put := func(name string, v int64) { s.sheet.Put(name, float64(v), t.Name, number(row.Index)) }
			put("ottla_partition_log_start_offset", d.Offsets.LogStart)
			put("ottla_partition_high_watermark", d.Offsets.HighWatermark)
			put("ottla_partition_last_stable_offset", d.Offsets.LastStable)
			put("ottla_partition_log_end_offset", d.Offsets.LogEnd)
			put("ottla_partition_size_bytes", d.Bytes)
			s.followers(t.Name, row.Index, p, d.Offsets.LogEnd)
		}
	}
}

// followers are how far the others are behind a partition that is led here. Since
// end was read they may have come further.
func (s *scrape) followers(topic string, index int32, p *partition.Partition, end int64) {
	for _, f := range p.Standings() {
		lag, since := max(0, end-max(f.Appended, 0)), 0.0
		if lag > 0 {
			since = max(0, float64(s.Steady()-f.CaughtUpMs)/1000)
		}
		if f.CaughtUpMs == 0 && lag > 0 { // it never had everything since this node leads
			since = math.Inf(1)
		}
		s.sheet.Put("ottla_replica_lag_records", float64(lag), topic, number(index), number(f.ID))
		s.sheet.Put("ottla_replica_lag_seconds", since, topic, number(index), number(f.ID))
	}
}

func (s *scrape) exportPartitions() {
	brokers := 0
	for b := range s.image.Brokers() {
		if !b.Fenced {
			brokers++
		}
	}
	s.sheet.Put("kafka_brokers", float64(brokers))
	for _, t := range s.topics() {
		shown := 0
		for row := range s.partitions(t) {
			s.exportPartition(t.Name, row)
			shown++
		}
		if shown > 0 {
			s.sheet.Put("kafka_topic_partitions", float64(len(t.Partitions)), t.Name)
		}
	}
}

func (s *scrape) exportPartition(topic string, row *metadata.Partition) {
	put := func(name string, v int64) { s.sheet.Put(name, float64(v), topic, number(row.Index)) }
	put("kafka_topic_partition_leader", int64(row.Leader))
	put("kafka_topic_partition_leader_is_preferred", truth(len(row.Replicas) > 0 && row.Leader == row.Replicas[0]))
	put("kafka_topic_partition_replicas", int64(len(row.Replicas)))
	put("kafka_topic_partition_in_sync_replica", int64(len(row.ISR)))
	put("kafka_topic_partition_under_replicated_partition", truth(len(row.ISR) < len(row.Replicas)))
	if p := s.held(topic, row.Index); p != nil {
		o := p.Offsets()
		put("kafka_topic_partition_current_offset", o.HighWatermark)
		put("kafka_topic_partition_oldest_offset", o.LogStart)
	}
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func number(i int32) string { return strconv.Itoa(int(i)) }
