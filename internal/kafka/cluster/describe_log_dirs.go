package cluster

import (
	"cmp"
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// DescribeLogDirs (35), versions 1 to 5 (KIP-113).
//
//	v3  an error for the whole
//	v4  sizes of the file systems (KIP-827)
//	v5  cordoned directories (KIP-1066): none ever is here
//
// Null topics mean all.
func (h *handlers) describeLogDirs() api.API {
	return api.Row(1, 5, h.serveDescribeLogDirs,
		"Topics and partitions are listed in order.")
}

func (h *handlers) serveDescribeLogDirs(_ context.Context, _ *api.Conn, req *kmsg.DescribeLogDirsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeLogDirsResponse)
	byDir := h.replicasByDir(req)
	for _, d := range h.d.Storage.LogDirs() {
		r := kmsg.NewDescribeLogDirsResponseDir()
		r.Dir, r.TotalBytes, r.UsableBytes = d.Path, d.TotalBytes, d.UsableBytes
		if d.Err != nil {
			r.ErrorCode = int16(wire.KafkaStorageError)
			r.TotalBytes, r.UsableBytes = -1, -1
		} else {
			r.Topics = dirTopics(byDir[d.Path])
		}
		resp.Dirs = append(resp.Dirs, r)
	}
	return resp, nil
}

// replicasByDir lists the replicas that were asked for, in order.
func (h *handlers) replicasByDir(req *kmsg.DescribeLogDirsRequest) map[string][]partition.Describe {
	type named struct {
		topic string
		index int32
	}
	wanted := map[named]bool{}
	for i := range req.Topics {
		for _, p := range req.Topics[i].Partitions {
			wanted[named{req.Topics[i].Topic, p}] = true
		}
	}
	out := map[string][]partition.Describe{}
	for d := range h.d.Storage.Replicas() {
		if req.Topics == nil || wanted[named{d.Topic, d.Index}] {
			out[d.Dir] = append(out[d.Dir], d)
		}
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b partition.Describe) int {
			return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Index, b.Index))
		})
	}
	return out
}

func dirTopics(list []partition.Describe) []kmsg.DescribeLogDirsResponseDirTopic {
	var out []kmsg.DescribeLogDirsResponseDirTopic
	for i := range list {
		d := &list[i]
		if n := len(out); n == 0 || out[n-1].Topic != d.Topic {
			t := kmsg.NewDescribeLogDirsResponseDirTopic()
			t.Topic = d.Topic
			out = append(out, t)
		}
		p := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
		p.Partition, p.Size = d.Index, d.Bytes
		p.OffsetLag = max(d.Offsets.HighWatermark-d.Offsets.LogEnd, 0)
		last := &out[len(out)-1]
		last.Partitions = append(last.Partitions, p)
	}
	return out
}
