package shares

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/share"
	"ottla/internal/share/store"
	"ottla/internal/wire"
)

// InitializeShareGroupState (83, v0), ReadShareGroupState (84, v0),
// WriteShareGroupState (85, v0-1), DeleteShareGroupState (86, v0) and
// ReadShareGroupStateSummary (87, v0-1) are what brokers ask of the share
// coordinator; v1 of 85 and 87 brings the number of records done (KIP-1226).
func (f *Family) initializeRow() api.API { return api.Row(0, 0, f.initializeState) }
func (f *Family) readRow() api.API       { return api.Row(0, 0, f.readState) }
func (f *Family) writeRow() api.API      { return api.Row(0, 1, f.writeState) }
func (f *Family) deleteRow() api.API     { return api.Row(0, 0, f.deleteState) }
func (f *Family) summaryRow() api.API    { return api.Row(0, 1, f.summarizeState) }

// said is what one command brought.
type said struct {
	body any
	err  error
}

// ask gives commands to the coordinators of their share-partitions side by
// side and waits for all.
func (f *Family) ask(ctx context.Context, keys []store.Key, cmd func(i int) any) []said {
	out := make([]said, len(keys))
	ctx, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	var all sync.WaitGroup
	for i, k := range keys {
		if err := f.prepare(ctx, k.String()); err != nil {
			out[i].err = wire.Errorf(wire.CoordinatorNotAvailable, "the topic %s is being made: %w", stateTopic, err)
			continue
		}
		all.Add(1)
		f.d.States.Go(ctx, k.String(), cmd(i), func(body any, err error) {
			out[i] = said{body, err}
			all.Done()
		})
	}
	all.Wait()
	return out
}

func (f *Family) initializeState(ctx context.Context, _ *api.Conn, req *kmsg.InitializeShareGroupStateRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.InitializeShareGroupStateResponse)
	var keys []store.Key
	var cmds []any
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			p := &req.Topics[i].Partitions[j]
			k := store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: p.Partition}
			keys, cmds = append(keys, k), append(cmds, store.Initialize{Key: k, StateEpoch: p.StateEpoch, Start: p.StartOffset, LeaderEpoch: -1})
		}
	}
	all := f.ask(ctx, keys, func(i int) any { return cmds[i] })
	for i := range req.Topics {
		t := kmsg.NewInitializeShareGroupStateResponseTopic()
		t.TopicID = req.Topics[i].TopicID
		for range req.Topics[i].Partitions {
			row := kmsg.NewInitializeShareGroupStateResponseTopicPartition()
			row.Partition, row.ErrorCode, row.ErrorMessage = keys[0].Partition, stateCode(all[0].err), messageOf(all[0].err)
			t.Partitions = append(t.Partitions, row)
			keys, all = keys[1:], all[1:]
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}

func (f *Family) readState(ctx context.Context, _ *api.Conn, req *kmsg.ReadShareGroupStateRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ReadShareGroupStateResponse)
	var keys []store.Key
	var cmds []any
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			p := &req.Topics[i].Partitions[j]
			k := store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: p.Partition}
			keys, cmds = append(keys, k), append(cmds, store.Read{Key: k, LeaderEpoch: p.LeaderEpoch})
		}
	}
	all := f.ask(ctx, keys, func(i int) any { return cmds[i] })
	for i := range req.Topics {
		t := kmsg.NewReadShareGroupStateResponseTopic()
		t.TopicID = req.Topics[i].TopicID
		for range req.Topics[i].Partitions {
			row := kmsg.NewReadShareGroupStateResponseTopicPartition()
			row.Partition, row.ErrorCode, row.ErrorMessage = keys[0].Partition, stateCode(all[0].err), messageOf(all[0].err)
			if st, ok := all[0].body.(store.State); ok {
				row.StateEpoch, row.StartOffset = st.StateEpoch, st.Start
				for _, r := range st.Rows {
					b := kmsg.NewReadShareGroupStateResponseTopicPartitionStateBatch()
					b.FirstOffset, b.LastOffset, b.DeliveryState, b.DeliveryCount = r.First, r.Last, int8(r.State), r.Count
					row.StateBatches = append(row.StateBatches, b)
				}
			}
			t.Partitions = append(t.Partitions, row)
			keys, all = keys[1:], all[1:]
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}

func (f *Family) writeState(ctx context.Context, _ *api.Conn, req *kmsg.WriteShareGroupStateRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.WriteShareGroupStateResponse)
	var keys []store.Key
	var cmds []any
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			p := &req.Topics[i].Partitions[j]
			k := store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: p.Partition}
			put := store.Put{Key: k, StateEpoch: p.StateEpoch, LeaderEpoch: p.LeaderEpoch, Start: p.StartOffset, Done: -1}
			if req.Version >= 1 {
				put.Done = p.DeliveryCompleteCount
			}
			for _, b := range p.StateBatches {
				put.Rows = append(put.Rows, share.Stored{First: b.FirstOffset, Last: b.LastOffset, State: share.State(b.DeliveryState), Count: b.DeliveryCount})
			}
			keys, cmds = append(keys, k), append(cmds, put)
		}
	}
	all := f.ask(ctx, keys, func(i int) any { return cmds[i] })
	for i := range req.Topics {
		t := kmsg.NewWriteShareGroupStateResponseTopic()
		t.TopicID = req.Topics[i].TopicID
		for range req.Topics[i].Partitions {
			row := kmsg.NewWriteShareGroupStateResponseTopicPartition()
			row.Partition, row.ErrorCode, row.ErrorMessage = keys[0].Partition, stateCode(all[0].err), messageOf(all[0].err)
			t.Partitions = append(t.Partitions, row)
			keys, all = keys[1:], all[1:]
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}

func (f *Family) deleteState(ctx context.Context, _ *api.Conn, req *kmsg.DeleteShareGroupStateRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DeleteShareGroupStateResponse)
	var keys []store.Key
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			keys = append(keys, store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: req.Topics[i].Partitions[j].Partition})
		}
	}
	all := f.ask(ctx, keys, func(i int) any { return store.Delete{Key: keys[i]} })
	for i := range req.Topics {
		t := kmsg.NewDeleteShareGroupStateResponseTopic()
		t.TopicID = req.Topics[i].TopicID
		for range req.Topics[i].Partitions {
			row := kmsg.NewDeleteShareGroupStateResponseTopicPartition()
			row.Partition, row.ErrorCode, row.ErrorMessage = keys[0].Partition, stateCode(all[0].err), messageOf(all[0].err)
			t.Partitions = append(t.Partitions, row)
			keys, all = keys[1:], all[1:]
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}

func (f *Family) summarizeState(ctx context.Context, _ *api.Conn, req *kmsg.ReadShareGroupStateSummaryRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ReadShareGroupStateSummaryResponse)
	var keys []store.Key
	var epochs []int32
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			p := &req.Topics[i].Partitions[j]
			keys = append(keys, store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: p.Partition})
			epochs = append(epochs, p.LeaderEpoch)
		}
	}
	all := f.ask(ctx, keys, func(i int) any { return store.Summarize{Key: keys[i], LeaderEpoch: epochs[i]} })
	for i := range req.Topics {
		t := kmsg.NewReadShareGroupStateSummaryResponseTopic()
		t.TopicID = req.Topics[i].TopicID
		for range req.Topics[i].Partitions {
			row := kmsg.NewReadShareGroupStateSummaryResponseTopicPartition()
			row.Partition, row.ErrorCode, row.ErrorMessage = keys[0].Partition, stateCode(all[0].err), messageOf(all[0].err)
			if s, ok := all[0].body.(store.Summary); ok {
				row.StateEpoch, row.LeaderEpoch, row.StartOffset, row.DeliveryCompleteCount = s.StateEpoch, s.LeaderEpoch, s.Start, s.Done
				if !s.Known {
					row.LeaderEpoch = 0
				}
			}
			t.Partitions = append(t.Partitions, row)
			keys, all = keys[1:], all[1:]
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}
