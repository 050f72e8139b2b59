package main

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// listOf asks where in partition 0 a time is, or one of the special times.
func listOf(t topic, version int16, at int64, change func(*kmsg.ListOffsetsRequest)) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.SetVersion(version)
	req.ReplicaID, req.TimeoutMillis = -1, 5000
	row := kmsg.NewListOffsetsRequestTopic()
	row.Topic = t.name
	part := kmsg.NewListOffsetsRequestTopicPartition()
	part.Timestamp = at
	row.Partitions = append(row.Partitions, part)
	req.Topics = append(req.Topics, row)
	if change != nil {
		change(req)
	}
	return req
}

func offsetStories() []story {
	return []story{
		{"list offsets/every version", listEveryVersion},
		{"list offsets/times", listTimes},
		{"list offsets/empty partition", listEmpty},
		{"list offsets/errors", listErrors},
		{"list offsets/after records were deleted", listDeleted},
		{"leader epochs/every version", leaderEpochs},
		{"delete records/every version", deleteRecords},
	}
}

// specialTimes are latest, earliest, max timestamp, earliest local, latest
// tiered, earliest pending upload, and one beyond them.
var specialTimes = []int64{-1, -2, -3, -4, -5, -6, -7}

// timed makes a topic with records at base, base+1000, … and one out of order.
func (s *scene) timed() (topic, int64) {
	t, base := s.create("t", 1), time.Now().UnixMilli()-1_000_000
	for i := range int64(4) {
		records := recsOf(2)
		records[1].time = 500
		s.must("fill", produceTo(t, 9, -1, batch{records: records, baseTime: base + i*1000}.bytes()))
	}
	s.must("fill", produceTo(t, 9, -1, batch{records: recsOf(1), baseTime: base + 100}.bytes()))
	for i := range int64(10) {
		s.lines.hide(fmt.Sprint(base+i*500), fmt.Sprintf("BASE+%d", i*500))
	}
	s.lines.hide(fmt.Sprint(base+100), "BASE+100")
	return t, base
}

func listEveryVersion(s *scene) {
	t, base := s.timed()
	for v := int16(0); v <= 12; v++ {
		for _, at := range specialTimes {
			s.send(fmt.Sprintf("time %d v%d", at, v), listOf(t, v, at, nil))
		}
		s.send(fmt.Sprintf("BASE+1200 v%d", v), listOf(t, v, base+1200, nil))
	}
}

func listTimes(s *scene) {
	t, base := s.timed()
	for _, d := range []int64{-1_000_000_000, -1, 0, 1, 499, 500, 501, 1000, 1001, 2999, 3000, 3500, 3501, 1_000_000_000} {
		for _, v := range []int16{1, 5, 11} {
			s.send(fmt.Sprintf("BASE%+d v%d", d, v), listOf(t, v, base+d, nil))
		}
	}
	s.send("time 0", listOf(t, 11, 0, nil))
}

func listEmpty(s *scene) {
	t := s.create("t", 1)
	for _, at := range append([]int64{0, time.Now().UnixMilli()}, specialTimes...) {
		for _, v := range []int16{1, 5, 11} {
			label := fmt.Sprintf("time %d v%d", at, v)
			if s.lines.isNow(at) {
				label = fmt.Sprintf("now v%d", v)
			}
			s.send(label, listOf(t, v, at, nil))
		}
	}
}

func listErrors(s *scene) {
	t, _ := s.timed()
	part := func(r *kmsg.ListOffsetsRequest) *kmsg.ListOffsetsRequestTopicPartition {
		return &r.Topics[0].Partitions[0]
	}
	for _, v := range []int16{1, 2, 4, 6, 11} {
		s.send(fmt.Sprintf("unknown topic v%d", v), listOf(topic{name: t.name + "-gone"}, v, -1, nil))
		s.send(fmt.Sprintf("invalid name v%d", v), listOf(topic{name: "not a name!"}, v, -1, nil))
		s.send(fmt.Sprintf("unknown partition v%d", v), listOf(t, v, -1, func(r *kmsg.ListOffsetsRequest) { part(r).Partition = 5 }))
		s.send(fmt.Sprintf("no topics v%d", v), listOf(t, v, -1, func(r *kmsg.ListOffsetsRequest) { r.Topics = nil }))
		s.send(fmt.Sprintf("read committed v%d", v), listOf(t, v, -1, func(r *kmsg.ListOffsetsRequest) { r.IsolationLevel = 1 }))
		s.send(fmt.Sprintf("isolation 3 v%d", v), listOf(t, v, -1, func(r *kmsg.ListOffsetsRequest) { r.IsolationLevel = 3 }))
		s.send(fmt.Sprintf("epoch 0 v%d", v), listOf(t, v, -1, func(r *kmsg.ListOffsetsRequest) { part(r).CurrentLeaderEpoch = 0 }))
		s.send(fmt.Sprintf("epoch 9 v%d", v), listOf(t, v, -1, func(r *kmsg.ListOffsetsRequest) { part(r).CurrentLeaderEpoch = 9 }))
		s.send(fmt.Sprintf("replica 1 v%d", v), listOf(t, v, -1, func(r *kmsg.ListOffsetsRequest) { r.ReplicaID = 1 }))
		s.send(fmt.Sprintf("replica -2 v%d", v), listOf(t, v, -1, func(r *kmsg.ListOffsetsRequest) { r.ReplicaID = -2 }))
		s.send(fmt.Sprintf("a partition twice v%d", v), listOf(t, v, -1, func(r *kmsg.ListOffsetsRequest) {
			r.Topics[0].Partitions = append(r.Topics[0].Partitions, r.Topics[0].Partitions[0])
		}))
	}
}

// deleteTo asks to delete what lies before an offset.
func deleteTo(t topic, version int16, partition int32, offset int64) *kmsg.DeleteRecordsRequest {
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.SetVersion(version)
	req.TimeoutMillis = 5000
	row := kmsg.NewDeleteRecordsRequestTopic()
	row.Topic = t.name
	part := kmsg.NewDeleteRecordsRequestTopicPartition()
	part.Partition, part.Offset = partition, offset
	row.Partitions = append(row.Partitions, part)
	req.Topics = append(req.Topics, row)
	return req
}

func listDeleted(s *scene) {
	t, base := s.timed()
	s.send("delete", deleteTo(t, 2, 0, 3))
	for _, at := range append([]int64{base, base + 600, base + 1600}, specialTimes...) {
		s.send("time "+timeName(at, base), listOf(t, 11, at, nil))
	}
	for _, offset := range []int64{0, 2, 3, 4, 9} {
		s.send(fmt.Sprintf("fetch at %d", offset), fetchOf(t, 12, offset, nil))
	}
	s.send("delete all", deleteTo(t, 2, 0, -1))
	for _, at := range append([]int64{base}, specialTimes...) {
		s.send("of none, time "+timeName(at, base), listOf(t, 11, at, nil))
	}
	s.send("fetch of none", fetchOf(t, 12, 9, nil))
	s.send("append", produceTo(t, 9, -1, batch{records: recsOf(1)}.bytes()))
}

func timeName(at, base int64) string {
	if at < 0 {
		return fmt.Sprint(at)
	}
	return fmt.Sprintf("BASE+%d", at-base)
}

func leaderEpochs(s *scene) {
	t := s.filled("t", 1)
	for v := int16(0); v <= 5; v++ {
		for _, c := range []struct{ current, asked int32 }{{-1, 0}, {0, 0}, {-1, -1}, {-1, 5}, {5, 0}, {0, -2}, {-2, 0}} {
			req := kmsg.NewPtrOffsetForLeaderEpochRequest()
			req.SetVersion(v)
			req.ReplicaID = -1
			for _, p := range []int32{0, 4} {
				row := kmsg.NewOffsetForLeaderEpochRequestTopic()
				row.Topic = t.name
				part := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
				part.Partition, part.CurrentLeaderEpoch, part.LeaderEpoch = p, c.current, c.asked
				row.Partitions = append(row.Partitions, part)
				req.Topics = append(req.Topics, row)
				if p > 0 {
					req.Topics[len(req.Topics)-1].Topic += "-gone"
				}
			}
			s.send(fmt.Sprintf("current %d asked %d v%d", c.current, c.asked, v), req)
		}
	}
}

func deleteRecords(s *scene) {
	for v := int16(0); v <= 3; v++ {
		t := s.filled(fmt.Sprintf("t%d", v), 1)
		for _, c := range []struct {
			partition int32
			offset    int64
		}{{0, 2}, {0, 1}, {0, 100}, {0, -2}, {0, -1}, {0, 6}, {7, 0}, {-1, 0}} {
			s.send(fmt.Sprintf("partition %d to %d v%d", c.partition, c.offset, v), deleteTo(t, v, c.partition, c.offset))
		}
		s.send(fmt.Sprintf("unknown topic v%d", v), deleteTo(topic{name: t.name + "-gone"}, v, 0, 0))
		s.send(fmt.Sprintf("fetch v%d", v), fetchOf(t, 12, 0, nil))
		compacted := s.create(fmt.Sprintf("c%d", v), 1, "cleanup.policy", "compact")
		s.send(fmt.Sprintf("compacted v%d", v), deleteTo(compacted, v, 0, 0))
	}
}
