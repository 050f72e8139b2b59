package cluster

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/partition"
	"ottla/internal/wire"
)

func TestReplicasAreSentToTheDirectoriesAskedFor(t *testing.T) {
	n := newNode(t, nil)
	req := kmsg.NewPtrAlterReplicaLogDirsRequest()
	for _, dir := range []string{"/a", "/b"} {
		d := kmsg.NewAlterReplicaLogDirsRequestDir()
		d.Dir = dir
		topic := kmsg.NewAlterReplicaLogDirsRequestDirTopic()
		topic.Topic, topic.Partitions = "orders", []int32{0, int32(len(n.asked) + 1)}
		d.Topics = append(d.Topics, topic)
		req.Dirs = append(req.Dirs, d)
	}
	for v := int16(1); v <= 2; v++ {
		n.asked = nil
		resp := ask[*kmsg.AlterReplicaLogDirsResponse](n, req, v)
		if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 4 {
			t.Errorf("v%d: %+v", v, resp)
		}
		if got, want := fmt.Sprint(n.asked), "[orders-0 to /a orders-1 to /a orders-0 to /b orders-1 to /b]"; got != want {
			t.Errorf("v%d: asked %s, want %s", v, got, want)
		}
	}
	n.moveErr = wire.Errorf(wire.LogDirNotFound, "no such directory")
	for _, p := range ask[*kmsg.AlterReplicaLogDirsResponse](n, req, 2).Topics[0].Partitions {
		if wire.Code(p.ErrorCode) != wire.LogDirNotFound {
			t.Errorf("partition %d: code %d", p.Partition, p.ErrorCode)
		}
	}
}

func TestReplicasOnTheirWayAreFutureReplicas(t *testing.T) {
	n := newNode(t, nil)
	n.dirs = []LogDir{{Path: "/a"}, {Path: "/b", Cordoned: true}}
	n.held = []partition.Describe{{Topic: "orders", Dir: "/a", Bytes: 900}}
	n.moves = []Move{{Topic: "orders", Dir: "/b", Bytes: 300, Lag: 6}}
	for v := int16(1); v <= 5; v++ {
		resp := ask[*kmsg.DescribeLogDirsResponse](n, kmsg.NewPtrDescribeLogDirsRequest(), v)
		here, there := resp.Dirs[0].Topics[0].Partitions[0], resp.Dirs[1].Topics[0].Partitions[0]
		if here.IsFuture || here.Size != 900 || here.OffsetLag != 0 {
			t.Errorf("v%d: here %+v", v, here)
		}
		if !there.IsFuture || there.Size != 300 || there.OffsetLag != 6 {
			t.Errorf("v%d: there %+v", v, there)
		}
		if resp.Dirs[0].IsCordoned || resp.Dirs[1].IsCordoned != (v >= 5) {
			t.Errorf("v%d: cordoned %v %v", v, resp.Dirs[0].IsCordoned, resp.Dirs[1].IsCordoned)
		}
	}
}
