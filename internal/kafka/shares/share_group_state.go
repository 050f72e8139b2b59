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

// asks are the commands of a request about states, in the order of its rows.
type asks struct {
	keys []store.Key
	cmds []any
	said []said // what is not taken yet, once asked
}

func (a *asks) add(k store.Key, cmd any) { a.keys, a.cmds = append(a.keys, k), append(a.cmds, cmd) }

// run asks all.
func (a *asks) run(ctx context.Context, f *Family) {
	a.said = f.ask(ctx, a.keys, func(i int) any { return a.cmds[i] })
}

// next takes what the next row is answered with.
func (a *asks) next() (partition int32, code int16, message *string, body any) {
	k, s := a.keys[0], a.said[0]
	a.keys, a.said = a.keys[1:], a.said[1:]
	return k.Partition, stateCode(s.err), messageOf(s.err), s.body
}

func (f *Family) initializeState(ctx context.Context, _ *api.Conn, req *kmsg.InitializeShareGroupStateRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.InitializeShareGroupStateResponse)
	var all asks
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			p := &req.Topics[i].Partitions[j]
			k := store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: p.Partition}
			all.add(k, store.Initialize{Key: k, StateEpoch: p.StateEpoch, Start: p.StartOffset, LeaderEpoch: -1})
		}
	}
	all.run(ctx, f)
	for i := range req.Topics {
		t := kmsg.NewInitializeShareGroupStateResponseTopic()
		t.TopicID = req.Topics[i].TopicID
		for range req.Topics[i].Partitions {
			row := kmsg.NewInitializeShareGroupStateResponseTopicPartition()
			row.Partition, row.ErrorCode, row.ErrorMessage, _ = all.next()
			t.Partitions = append(t.Partitions, row)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}

func (f *Family) readState(ctx context.Context, _ *api.Conn, req *kmsg.ReadShareGroupStateRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ReadShareGroupStateResponse)
	var all asks
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			p := &req.Topics[i].Partitions[j]
			k := store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: p.Partition}
			all.add(k, store.Read{Key: k, LeaderEpoch: p.LeaderEpoch})
		}
	}
	all.run(ctx, f)
	for i := range req.Topics {
		t := kmsg.NewReadShareGroupStateResponseTopic()
		t.TopicID = req.Topics[i].TopicID
		for range req.Topics[i].Partitions {
			row := kmsg.NewReadShareGroupStateResponseTopicPartition()
			var body any
			row.Partition, row.ErrorCode, row.ErrorMessage, body = all.next()
			if st, ok := body.(store.State); ok {
				row.StateEpoch, row.StartOffset = st.StateEpoch, st.Start
				for _, r := range st.Rows {
					b := kmsg.NewReadShareGroupStateResponseTopicPartitionStateBatch()
					b.FirstOffset, b.LastOffset, b.DeliveryState, b.DeliveryCount = r.First, r.Last, int8(r.State), r.Count
					row.StateBatches = append(row.StateBatches, b)
				}
			}
			t.Partitions = append(t.Partitions, row)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}

func (f *Family) writeState(ctx context.Context, _ *api.Conn, req *kmsg.WriteShareGroupStateRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.WriteShareGroupStateResponse)
	var all asks
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
			all.add(k, put)
		}
	}
	all.run(ctx, f)
	for i := range req.Topics {
		t := kmsg.NewWriteShareGroupStateResponseTopic()
		t.TopicID = req.Topics[i].TopicID
		for range req.Topics[i].Partitions {
			row := kmsg.NewWriteShareGroupStateResponseTopicPartition()
			row.Partition, row.ErrorCode, row.ErrorMessage, _ = all.next()
			t.Partitions = append(t.Partitions, row)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}

func (f *Family) deleteState(ctx context.Context, _ *api.Conn, req *kmsg.DeleteShareGroupStateRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DeleteShareGroupStateResponse)
	var all asks
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			k := store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: req.Topics[i].Partitions[j].Partition}
			all.add(k, store.Delete{Key: k})
		}
	}
	all.run(ctx, f)
	for i := range req.Topics {
		t := kmsg.NewDeleteShareGroupStateResponseTopic()
		t.TopicID = req.Topics[i].TopicID
		for range req.Topics[i].Partitions {
			row := kmsg.NewDeleteShareGroupStateResponseTopicPartition()
			row.Partition, row.ErrorCode, row.ErrorMessage, _ = all.next()
			t.Partitions = append(t.Partitions, row)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}

func (f *Family) summarizeState(ctx context.Context, _ *api.Conn, req *kmsg.ReadShareGroupStateSummaryRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ReadShareGroupStateSummaryResponse)
	var all asks
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			p := &req.Topics[i].Partitions[j]
			k := store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: p.Partition}
			all.add(k, store.Summarize{Key: k, LeaderEpoch: p.LeaderEpoch})
		}
	}
	all.run(ctx, f)
	for i := range req.Topics {
		t := kmsg.NewReadShareGroupStateSummaryResponseTopic()
		t.TopicID = req.Topics[i].TopicID
		for range req.Topics[i].Partitions {
			row := kmsg.NewReadShareGroupStateSummaryResponseTopicPartition()
			var body any
			row.Partition, row.ErrorCode, row.ErrorMessage, body = all.next()
			if s, ok := body.(store.Summary); ok {
				row.StateEpoch, row.LeaderEpoch, row.StartOffset, row.DeliveryCompleteCount = s.StateEpoch, s.LeaderEpoch, s.Start, s.Done
				if !s.Known {
					row.LeaderEpoch = 0
				}
			}
			t.Partitions = append(t.Partitions, row)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}
