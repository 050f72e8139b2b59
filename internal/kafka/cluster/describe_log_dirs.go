package cluster

import (
	"cmp"
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// DescribeLogDirs (35), versions 1 to 5 (KIP-113).
//
//	v3  an error for the whole
//	v4  sizes of the file systems (KIP-827)
//	v5  cordoned directories (KIP-1066)
//
// Null topics mean all. A partition on its way to another directory is listed
// there too, as a future replica. Those whose logs cannot be opened are in a tagged
// field of ours.
func (h *handlers) describeLogDirs() api.API {
	return api.Row(1, 5, h.serveDescribeLogDirs,
		"Topics and partitions are listed in order.")
}

func (h *handlers) serveDescribeLogDirs(_ context.Context, _ *api.Conn, req *kmsg.DescribeLogDirsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeLogDirsResponse)
	byDir := h.replicasByDir(req)
	for _, d := range h.d.Storage.LogDirs() {
		r := kmsg.NewDescribeLogDirsResponseDir()
		r.Dir, r.TotalBytes, r.UsableBytes, r.IsCordoned = d.Path, d.TotalBytes, d.UsableBytes, d.Cordoned
		if d.Err != nil {
			r.ErrorCode = int16(wire.KafkaStorageError)
			r.TotalBytes, r.UsableBytes = -1, -1
		} else {
			r.Topics = dirTopics(byDir[d.Path])
			own.SetClosed(&r.UnknownTags, d.Closed)
		}
		resp.Dirs = append(resp.Dirs, r)
	}
	return resp, nil
}

// replica is one line of the answer.
type replica struct {
	topic  string
	index  int32
	bytes  int64
	lag    int64
	future bool
}

// replicasByDir lists the replicas that were asked for, in order.
func (h *handlers) replicasByDir(req *kmsg.DescribeLogDirsRequest) map[string][]replica {
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
	out := map[string][]replica{}
	add := func(dir string, r replica) {
		if req.Topics == nil || wanted[named{r.topic, r.index}] {
			out[dir] = append(out[dir], r)
		}
	}
	for d := range h.d.Storage.Replicas() {
		add(d.Dir, replica{topic: d.Topic, index: d.Index, bytes: d.Bytes, lag: max(d.Offsets.HighWatermark-d.Offsets.LogEnd, 0)})
	}
	for _, m := range h.d.Storage.Moves() {
		add(m.Dir, replica{topic: m.Topic, index: m.Index, bytes: m.Bytes, lag: m.Lag, future: true})
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b replica) int {
			return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.index, b.index))
		})
	}
	return out
}

func dirTopics(list []replica) []kmsg.DescribeLogDirsResponseDirTopic {
	var out []kmsg.DescribeLogDirsResponseDirTopic
	for i := range list {
		d := &list[i]
		if n := len(out); n == 0 || out[n-1].Topic != d.topic {
			t := kmsg.NewDescribeLogDirsResponseDirTopic()
			t.Topic = d.topic
			out = append(out, t)
		}
		p := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
		p.Partition, p.Size, p.OffsetLag, p.IsFuture = d.index, d.bytes, d.lag, d.future
		last := &out[len(out)-1]
		last.Partitions = append(last.Partitions, p)
	}
	return out
}
