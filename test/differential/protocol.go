package main

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func protocolStories() []story {
	return []story{
		{"protocol/api versions", apiVersions},
		{"protocol/unknown keys and versions", unknownKeys},
		{"protocol/garbage", garbage},
		{"protocol/broken bodies", brokenBodies},
		{"metadata/every version", metadataVersions},
		{"metadata/topics", metadataTopics},
		{"metadata/auto creation", autoCreation},
		{"cluster/described", clusterDescribed},
		{"cluster/topic partitions", topicPartitions},
		{"cluster/log dirs", logDirs},
	}
}

func apiVersions(s *scene) {
	for v := int16(0); v <= 9; v++ {
		req := kmsg.NewPtrApiVersionsRequest()
		req.SetVersion(v)
		req.ClientSoftwareName, req.ClientSoftwareVersion = "differential", "1"
		req.NodeID = -1
		s.send(fmt.Sprintf("v%d", v), req)
	}
	for _, c := range []struct{ label, name, version string }{{"empty name", "", "1"}, {"empty version", "x", ""}, {"bad name", "a b", "1"}, {"bad version", "x", "-1-"}} {
		req := kmsg.NewPtrApiVersionsRequest()
		req.SetVersion(3)
		req.ClientSoftwareName, req.ClientSoftwareVersion = c.name, c.version
		s.send(c.label, req)
	}
	for _, c := range []struct {
		label   string
		cluster *string
		node    int32
	}{{"wrong cluster", kmsg.StringPtr("AAAAAAAAAAAAAAAAAAAAAA"), 1}, {"no node", kmsg.StringPtr("AAAAAAAAAAAAAAAAAAAAAA"), -1}, {"no cluster", nil, 1}} {
		req := kmsg.NewPtrApiVersionsRequest()
		req.SetVersion(5)
		req.ClientSoftwareName, req.ClientSoftwareVersion = "x", "1"
		req.ClusterID, req.NodeID = c.cluster, c.node
		s.send(c.label, req)
	}
}

// unknownKeys asks for what no broker port serves.
func unknownKeys(s *scene) {
	for _, key := range []int16{-1, 4, 5, 6, 7, 52, 53, 56, 58, 59, 71, 72, 95, 999, 32767} {
		s.raw(fmt.Sprintf("key %d", key), lengthFirst(appendHeader(nil, key, 0, 1, false)))
	}
	for _, key := range []int16{0, 1, 2, 3, 19, 20, 22, 32} {
		for _, version := range []int16{-1, 50, 32767} {
			s.raw(fmt.Sprintf("key %d version %d", key, version), lengthFirst(appendHeader(nil, key, version, 1, true)))
		}
	}
}

// garbage sends bytes that are no requests. Ottla looks at five bytes before
// it judges a connection, so there are never fewer.
func garbage(s *scene) {
	be := binary.BigEndian
	for _, c := range []struct {
		label string
		bytes []byte
	}{
		{"length 0", append(be.AppendUint32(nil, 0), 0)},
		{"length -1", append(be.AppendUint32(nil, 0xffffffff), 0)},
		{"length of 200 MB", append(be.AppendUint32(nil, 200<<20), 0)},
		{"three bytes", lengthFirst([]byte{0, 18, 0})},
		{"eight bytes", lengthFirst([]byte{0, 18, 0, 0, 0, 0, 0, 1})},
		{"client id longer than the frame", lengthFirst([]byte{0, 18, 0, 0, 0, 0, 0, 1, 0, 50, 'x'})},
		{"negative client id length", lengthFirst([]byte{0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xf0})},
		{"noise", []byte("\x00\x00\x00\x20noise noise noise noise noise noise")},
	} {
		s.raw(c.label, c.bytes)
	}
	s.rawWithin("half a frame", be.AppendUint32(nil, 100), silence) // the rest may come
}

// brokenBodies cuts good requests short and makes their lengths lie.
func brokenBodies(s *scene) {
	t := s.create("t", 1)
	reqs := []kmsg.Request{
		produceTo(t, 9, 1, batch{records: recsOf(1)}.bytes()), produceTo(t, 3, 1, batch{records: recsOf(1)}.bytes()),
		fetchOf(t, 12, 0, nil), fetchOf(t, 4, 0, nil), listOf(t, 7, -1, nil), listOf(t, 1, -1, nil), deleteTo(t, 2, 0, 0),
	}
	for _, req := range reqs {
		label := fmt.Sprintf("key %d v%d", req.Key(), req.GetVersion())
		body := frameOf(req, 1)[4:]
		s.raw(label+" cut by 5", lengthFirst(body[:len(body)-5]))
		s.raw(label+" cut in half", lengthFirst(body[:len(body)/2]))
		s.raw(label+" header only", lengthFirst(appendHeader(nil, req.Key(), req.GetVersion(), 1, req.IsFlexible())))
	}
	huge := appendHeader(nil, 3, 1, 1, false)
	s.raw("array of two thousand million", lengthFirst(binary.BigEndian.AppendUint32(huge, 0x7fffffff)))
	s.raw("array of -2", lengthFirst(binary.BigEndian.AppendUint32(huge, 0xfffffffe)))
	s.raw("compact array of four thousand million", lengthFirst(append(appendHeader(nil, 3, 12, 1, true), 0xff, 0xff, 0xff, 0xff, 0x0f)))
	s.raw("endless varint", lengthFirst(append(appendHeader(nil, 3, 12, 1, true), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)))
	s.raw("bytes behind the body", lengthFirst(append(frameOf(listOf(t, 1, -1, nil), 1)[4:], 0, 1, 2, 3)))
}

// metadataOf asks about topics; nil is all of them.
func metadataOf(version int16, names ...string) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(version)
	req.Topics = []kmsg.MetadataRequestTopic{}
	for _, name := range names {
		row := kmsg.NewMetadataRequestTopic()
		row.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, row)
	}
	return req
}

func metadataVersions(s *scene) {
	t := s.create("t", 2)
	for v := int16(0); v <= 14; v++ {
		s.send(fmt.Sprintf("one topic v%d", v), metadataOf(v, t.name))
		if v > 0 { // in v0 no topics are all topics
			s.send(fmt.Sprintf("no topics v%d", v), metadataOf(v))
		}
		s.send(fmt.Sprintf("unknown topic v%d", v), metadataOf(v, fmt.Sprintf("%s-gone%d", t.name, v)))
		if v >= 8 {
			req := metadataOf(v, t.name)
			req.IncludeClusterAuthorizedOperations, req.IncludeTopicAuthorizedOperations = true, true
			s.send(fmt.Sprintf("operations v%d", v), req)
		}
	}
}

func metadataTopics(s *scene) {
	t := s.create("t", 1)
	for _, v := range []int16{4, 9, 10, 12, 13} {
		for _, name := range []string{"", ".", "..", "not a name!", string(make([]byte, 300))} {
			s.send(fmt.Sprintf("name %.12q v%d", name, v), metadataOf(v, name))
		}
		s.send(fmt.Sprintf("twice v%d", v), metadataOf(v, t.name, t.name))
		if v >= 10 {
			for _, c := range []struct {
				label string
				id    [16]byte
				name  *string
			}{{"by id", t.id, nil}, {"unknown id", [16]byte{5}, nil}, {"id and name", t.id, &t.name}, {"neither", [16]byte{}, nil}} {
				req := metadataOf(v)
				row := kmsg.NewMetadataRequestTopic()
				row.TopicID, row.Topic = c.id, c.name
				req.Topics = append(req.Topics, row)
				s.send(fmt.Sprintf("%s v%d", c.label, v), req)
			}
		}
	}
}

func autoCreation(s *scene) {
	t := s.create("t", 1)
	for _, v := range []int16{4, 13} {
		req := metadataOf(v, fmt.Sprintf("%s-auto%d", t.name, v))
		req.AllowAutoTopicCreation = true
		s.send(fmt.Sprintf("first v%d", v), req)
		s.awaitLeaders(topic{name: *req.Topics[0].Topic}, 1)
		s.send(fmt.Sprintf("then v%d", v), req)
		bad := metadataOf(v, "not a name!", "__consumer_offsetsx")
		bad.AllowAutoTopicCreation = true
		s.send(fmt.Sprintf("invalid v%d", v), bad)
	}
}

func clusterDescribed(s *scene) {
	for v := int16(0); v <= 3; v++ {
		for _, endpoint := range []int8{1, 2, 3} {
			req := kmsg.NewPtrDescribeClusterRequest()
			req.SetVersion(v)
			req.EndpointType, req.IncludeClusterAuthorizedOperations = endpoint, true
			s.send(fmt.Sprintf("endpoint type %d v%d", endpoint, v), req)
		}
	}
}

func topicPartitions(s *scene) {
	t := s.create("t", 5)
	ask := func(label string, limit int32, cursor *kmsg.DescribeTopicPartitionsRequestCursor, names ...string) {
		req := kmsg.NewPtrDescribeTopicPartitionsRequest()
		req.ResponsePartitionLimit, req.Cursor = limit, cursor
		for _, name := range names {
			row := kmsg.NewDescribeTopicPartitionsRequestTopic()
			row.Topic = name
			req.Topics = append(req.Topics, row)
		}
		s.send(label, req)
	}
	at := func(name string, partition int32) *kmsg.DescribeTopicPartitionsRequestCursor {
		c := kmsg.NewDescribeTopicPartitionsRequestCursor()
		c.Topic, c.Partition = name, partition
		return &c
	}
	ask("all of one", 100, nil, t.name)
	ask("two", 2, nil, t.name)
	ask("the next two", 2, at(t.name, 2), t.name)
	ask("the rest", 100, at(t.name, 4), t.name)
	ask("beyond", 100, at(t.name, 9), t.name)
	ask("negative cursor", 100, at(t.name, -1), t.name)
	ask("unknown", 100, nil, t.name+"-gone")
	ask("invalid", 100, nil, "not a name!")
	ask("limit 0", 0, nil, t.name)
}

func logDirs(s *scene) {
	t := s.filled("t", 2)
	for v := int16(0); v <= 5; v++ {
		req := kmsg.NewPtrDescribeLogDirsRequest()
		req.SetVersion(v)
		row := kmsg.NewDescribeLogDirsRequestTopic()
		row.Topic, row.Partitions = t.name, []int32{0, 1, 9}
		req.Topics = append(req.Topics, row)
		s.send(fmt.Sprintf("one topic v%d", v), req)
		gone := kmsg.NewPtrDescribeLogDirsRequest()
		gone.SetVersion(v)
		other := kmsg.NewDescribeLogDirsRequestTopic()
		other.Topic, other.Partitions = t.name+"-gone", []int32{0}
		gone.Topics = append(gone.Topics, other)
		s.send(fmt.Sprintf("unknown topic v%d", v), gone)
	}
}
