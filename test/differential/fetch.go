package main

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetchOf asks for partition 0 from an offset; change bends the request.
func fetchOf(t topic, version int16, offset int64, change func(*kmsg.FetchRequest)) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(version)
	req.ReplicaID = -1
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 100, 1, 1<<20
	req.SessionEpoch = -1
	row := kmsg.NewFetchRequestTopic()
	row.Topic, row.TopicID = t.name, t.id
	part := kmsg.NewFetchRequestTopicPartition()
	part.FetchOffset, part.PartitionMaxBytes = offset, 1<<20
	row.Partitions = append(row.Partitions, part)
	req.Topics = append(req.Topics, row)
	if change != nil {
		change(req)
	}
	return req
}

func partOf(r *kmsg.FetchRequest) *kmsg.FetchRequestTopicPartition { return &r.Topics[0].Partitions[0] }

func fetchStories() []story {
	return []story{
		{"fetch/every version", fetchEveryVersion},
		{"fetch/offsets", fetchOffsets},
		{"fetch/topics that are not there", fetchNowhere},
		{"fetch/limits", fetchLimits},
		{"fetch/isolation", fetchIsolation},
		{"fetch/epochs", fetchEpochs},
		{"fetch/sessions", fetchSessions},
		{"fetch/sessions gone wrong", fetchBadSessions},
		{"fetch/session of a topic that is deleted", fetchDeleted},
		{"fetch/as a replica", fetchReplica},
		{"fetch/long poll", fetchLongPoll},
	}
}

// filled makes a topic with three batches of two records.
func (s *scene) filled(suffix string, partitions int32) topic {
	t := s.create(suffix, partitions)
	for p := range partitions {
		for range 3 {
			s.must("fill", producePart(t, 9, -1, p, batch{records: recsOf(2)}.bytes()))
		}
	}
	return t
}

var fetchVersions = []int16{4, 7, 11, 12, 13, 16, 18}

func fetchEveryVersion(s *scene) {
	t := s.filled("t", 1)
	for v := int16(0); v <= 19; v++ {
		s.send(fmt.Sprintf("v%d", v), fetchOf(t, v, 0, nil))
	}
}

func fetchOffsets(s *scene) {
	t := s.filled("t", 1)
	for _, offset := range []int64{0, 1, 2, 5, 6, 7, 1000, -1, -2} {
		for _, v := range fetchVersions {
			s.send(fmt.Sprintf("offset %d v%d", offset, v), fetchOf(t, v, offset, nil))
		}
	}
}

func fetchNowhere(s *scene) {
	t := s.filled("t", 1)
	gone := topic{name: t.name + "-gone", id: [16]byte{9, 9}}
	for _, v := range fetchVersions {
		s.send(fmt.Sprintf("unknown topic v%d", v), fetchOf(gone, v, 0, nil))
		s.send(fmt.Sprintf("unknown partition v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { partOf(r).Partition = 7 }))
		s.send(fmt.Sprintf("negative partition v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { partOf(r).Partition = -1 }))
		s.send(fmt.Sprintf("no topics v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { r.Topics = nil }))
		s.send(fmt.Sprintf("zero id v%d", v), fetchOf(topic{name: t.name}, v, 0, nil))
	}
}

func fetchLimits(s *scene) {
	t := s.filled("t", 2)
	both := func(r *kmsg.FetchRequest) {
		second := kmsg.NewFetchRequestTopicPartition()
		second.Partition, second.PartitionMaxBytes = 1, 1<<20
		r.Topics[0].Partitions = append(r.Topics[0].Partitions, second)
	}
	for _, v := range []int16{4, 12, 18} {
		s.send(fmt.Sprintf("max bytes 10 v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { r.MaxBytes = 10; both(r) }))
		s.send(fmt.Sprintf("max bytes 0 v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { r.MaxBytes = 0; both(r) }))
		s.send(fmt.Sprintf("partition max bytes 10 v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { partOf(r).PartitionMaxBytes = 10; both(r) }))
		s.send(fmt.Sprintf("partition max bytes 150 v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { partOf(r).PartitionMaxBytes = 150 }))
		s.send(fmt.Sprintf("partition max bytes 200 v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { partOf(r).PartitionMaxBytes = 200 }))
		s.send(fmt.Sprintf("max bytes 400 v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { r.MaxBytes = 400; both(r) }))
		s.send(fmt.Sprintf("partition max bytes 0 v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { partOf(r).PartitionMaxBytes = 0 }))
	}
}

func fetchIsolation(s *scene) {
	t := s.filled("t", 1)
	for _, v := range fetchVersions {
		s.send(fmt.Sprintf("read committed v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { r.IsolationLevel = 1 }))
		s.send(fmt.Sprintf("read committed at the end v%d", v), fetchOf(t, v, 6, func(r *kmsg.FetchRequest) { r.IsolationLevel = 1 }))
		s.send(fmt.Sprintf("isolation 2 v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { r.IsolationLevel = 2 }))
	}
}

func fetchEpochs(s *scene) {
	t := s.filled("t", 1)
	for _, v := range []int16{9, 11, 12, 16, 18} {
		for _, epoch := range []int32{-1, 0, 5} {
			s.send(fmt.Sprintf("current epoch %d v%d", epoch, v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { partOf(r).CurrentLeaderEpoch = epoch }))
		}
	}
	for _, v := range []int16{12, 16, 18} {
		for _, epoch := range []int32{-1, 0, 5} {
			for _, offset := range []int64{0, 6, 9} {
				s.send(fmt.Sprintf("last fetched epoch %d at %d v%d", epoch, offset, v), fetchOf(t, v, offset, func(r *kmsg.FetchRequest) { partOf(r).LastFetchedEpoch = epoch }))
			}
		}
	}
}

// fetchSessions goes through the life of a session (KIP-227).
func fetchSessions(s *scene) {
	for _, v := range []int16{7, 12, 13, 18} {
		s.hangUp()
		t := s.filled(fmt.Sprintf("t%d", v), 2)
		open := fetchOf(t, v, 0, func(r *kmsg.FetchRequest) {
			r.SessionEpoch = 0
			second := kmsg.NewFetchRequestTopicPartition()
			second.Partition, second.FetchOffset, second.PartitionMaxBytes = 1, 6, 1<<20
			r.Topics[0].Partitions = append(r.Topics[0].Partitions, second)
		})
		resp, _ := s.send(fmt.Sprintf("open v%d", v), open).(*kmsg.FetchResponse)
		if resp == nil {
			continue
		}
		next := func(label string, epoch int32, change func(*kmsg.FetchRequest)) {
			s.send(fmt.Sprintf("%s v%d", label, v), fetchOf(t, v, 6, func(r *kmsg.FetchRequest) {
				r.SessionID, r.SessionEpoch = resp.SessionID, epoch
				change(r)
			}))
		}
		none := func(r *kmsg.FetchRequest) { r.Topics = nil }
		next("the same offsets", 1, none)
		next("advanced", 2, func(*kmsg.FetchRequest) {})
		next("nothing new", 3, none)
		s.must("append", producePart(t, 9, -1, 1, batch{records: recsOf(1)}.bytes()))
		next("news in one", 4, none)
		next("forget it", 5, func(r *kmsg.FetchRequest) {
			r.Topics = nil
			f := kmsg.NewFetchRequestForgottenTopic()
			f.Topic, f.TopicID, f.Partitions = t.name, t.id, []int32{1}
			r.ForgottenTopics = append(r.ForgottenTopics, f)
		})
		next("epoch repeated", 5, none)
		next("epoch skipped", 9, none)
		next("close", -1, func(*kmsg.FetchRequest) {})
		next("after the close", 6, none)
	}
}

func fetchBadSessions(s *scene) {
	t := s.filled("t", 1)
	for _, v := range []int16{7, 12, 18} {
		for _, c := range []struct{ id, epoch int32 }{{0, 0}, {0, 1}, {0, -1}, {123456, 0}, {123456, 1}, {123456, -1}, {0, -2}, {123456, -2}, {-1, 0}, {-1, 1}} {
			req := fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { r.SessionID, r.SessionEpoch = c.id, c.epoch })
			s.send(fmt.Sprintf("id %d epoch %d v%d", c.id, c.epoch, v), req)
		}
	}
}

func fetchDeleted(s *scene) {
	for _, v := range []int16{12, 13, 18} {
		t := s.filled(fmt.Sprintf("t%d", v), 1)
		resp, _ := s.send(fmt.Sprintf("open v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { r.SessionEpoch = 0 })).(*kmsg.FetchResponse)
		if resp == nil {
			continue
		}
		s.deleteTopic(t)
		s.send(fmt.Sprintf("after the delete v%d", v), fetchOf(t, v, 6, func(r *kmsg.FetchRequest) {
			r.SessionID, r.SessionEpoch, r.Topics = resp.SessionID, 1, nil
		}))
	}
}

func fetchReplica(s *scene) {
	t := s.filled("t", 1)
	for _, v := range []int16{4, 12, 14, 15, 18} {
		for _, id := range []int32{1, 5} {
			s.send(fmt.Sprintf("replica %d v%d", id, v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) {
				r.ReplicaID = id
				r.ReplicaState.ID, r.ReplicaState.Epoch = id, -1
			}))
		}
	}
}

func fetchLongPoll(s *scene) {
	t := s.filled("t", 1)
	for _, v := range []int16{4, 12, 18} {
		s.send(fmt.Sprintf("at the end v%d", v), fetchOf(t, v, 6, nil))
		s.send(fmt.Sprintf("min bytes 100000 v%d", v), fetchOf(t, v, 0, func(r *kmsg.FetchRequest) { r.MinBytes = 100000 }))
		s.send(fmt.Sprintf("min bytes 0 v%d", v), fetchOf(t, v, 6, func(r *kmsg.FetchRequest) { r.MinBytes, r.MaxWaitMillis = 0, 60000 }))
	}
}
