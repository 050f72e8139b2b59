package shares

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/share"
	"ottla/internal/share/persist"
	"ottla/internal/share/store"
	"ottla/internal/wire"
)

// InitializeShareGroupState (83, v0), ReadShareGroupState (84, v0),
// WriteShareGroupState (85, v0-1), DeleteShareGroupState (86, v0) and
// ReadShareGroupStateSummary (87, v0-1) are what brokers ask of the share
// coordinator; v1 of 85 and 87 brings the number of records done (KIP-1226).
//
// They are asked by nodes alone: what a stranger wrote here would be taken for
// what members have acknowledged (KIP-932 asks for CLUSTER_ACTION).
//
// They are asked of this node's coordinator and of no other: one that is not
// led here is NOT_COORDINATOR. Requests behind them are served meanwhile. Our
// own nodes say a little more in tagged fields: see share/persist.
func (f *Family) initializeRow() api.API { return stateRow(f, 0, 0, initializeAsks, initializeAnswer) }
func (f *Family) readRow() api.API       { return stateRow(f, 0, 0, readAsks, readAnswer) }
func (f *Family) writeRow() api.API      { return stateRow(f, 0, 1, writeAsks, writeAnswer) }
func (f *Family) deleteRow() api.API     { return stateRow(f, 0, 0, deleteAsks, deleteAnswer) }
func (f *Family) summaryRow() api.API    { return stateRow(f, 0, 1, summaryAsks, summaryAnswer) }

// stateRow is the row of such a request: it becomes commands, in the order of
// its rows, and what they brought becomes its answer.
func stateRow[Q kmsg.Request](f *Family, low, high int16, asksOf func(Q) *asks, answer func(Q, *asks) kmsg.Response) api.API {
	row := api.Late(low, high, func(c *api.Conn, req Q, finish api.Finish) {
		all := asksOf(req)
		all.run(c, f, func() {
			finish(func() kmsg.Response { return answer(req, all) })
		})
	}, "Served to nodes of the cluster alone; anybody else gets 31 CLUSTER_AUTHORIZATION_FAILED, as from Kafka where access control is on.")
	row.NodesOnly = true
	row.Refusal = func(req kmsg.Request, code wire.Code) kmsg.Response {
		q, _ := req.(Q)
		all := asksOf(q)
		all.said = make([]api.Said, len(all.keys))
		for i := range all.said {
			all.said[i].Err = code
		}
		return answer(q, all)
	}
	return row
}

// asks are the commands of a request about states, in the order of its rows.
type asks struct {
	keys []store.Key
	cmds []any
	said []api.Said // what is not taken yet, once asked
}

func (a *asks) add(k store.Key, cmd any) { a.keys, a.cmds = append(a.keys, k), append(a.cmds, cmd) }

// run gives all to this node's coordinator; done is called when each has its
// answer.
func (a *asks) run(c *api.Conn, f *Family, done func()) {
	ctx, cancel := context.WithTimeout(context.Background(), f.patience)
	var unready error
	if len(a.keys) > 0 {
		c.Wait(func(life context.Context) {
			defer context.AfterFunc(life, cancel)()
			unready = f.prepare(ctx, a.keys[0].String())
		})
	}
	api.Gather(len(a.keys), func(i int, done func(any, error)) {
		if unready != nil {
			done(nil, wire.Errorf(wire.CoordinatorNotAvailable, "the topic %s is being made: %w", stateTopic, unready))
			return
		}
		f.d.States.Go(ctx, a.keys[i].String(), a.cmds[i], done)
	}, func(all []api.Said) {
		cancel()
		a.said = all
		done()
	})
}

// next takes what the next row is answered with.
func (a *asks) next() (partition int32, code int16, message *string, body any) {
	k, s := a.keys[0], a.said[0]
	a.keys, a.said = a.keys[1:], a.said[1:]
	return k.Partition, stateCode(s.Err), messageOf(s.Err), s.Body
}

func initializeAsks(req *kmsg.InitializeShareGroupStateRequest) *asks {
	all := &asks{}
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			p := &req.Topics[i].Partitions[j]
			k := store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: p.Partition}
			all.add(k, store.Initialize{Key: k, StateEpoch: p.StateEpoch, Start: p.StartOffset, LeaderEpoch: persist.LeaderEpoch(&p.UnknownTags)})
		}
	}
	return all
}

func initializeAnswer(req *kmsg.InitializeShareGroupStateRequest, all *asks) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.InitializeShareGroupStateResponse)
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
	return resp
}

func readAsks(req *kmsg.ReadShareGroupStateRequest) *asks {
	all := &asks{}
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			p := &req.Topics[i].Partitions[j]
			k := store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: p.Partition}
			all.add(k, store.Read{Key: k, LeaderEpoch: p.LeaderEpoch, OrNone: persist.OrNone(&p.UnknownTags)})
		}
	}
	return all
}

func readAnswer(req *kmsg.ReadShareGroupStateRequest, all *asks) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ReadShareGroupStateResponse)
	for i := range req.Topics {
		t := kmsg.NewReadShareGroupStateResponseTopic()
		t.TopicID = req.Topics[i].TopicID
		for range req.Topics[i].Partitions {
			row := kmsg.NewReadShareGroupStateResponseTopicPartition()
			var body any
			row.Partition, row.ErrorCode, row.ErrorMessage, body = all.next()
			if st, ok := body.(store.State); ok {
				row.StateEpoch, row.StartOffset = st.StateEpoch, st.Start
				for k := range st.Rows {
					r := &st.Rows[k]
					b := kmsg.NewReadShareGroupStateResponseTopicPartitionStateBatch()
					b.FirstOffset, b.LastOffset, b.DeliveryState, b.DeliveryCount = r.First, r.Last, int8(r.State), r.Count
					persist.SetRow(&b.UnknownTags, r)
					row.StateBatches = append(row.StateBatches, b)
				}
			}
			t.Partitions = append(t.Partitions, row)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}

func writeAsks(req *kmsg.WriteShareGroupStateRequest) *asks {
	all := &asks{}
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			p := &req.Topics[i].Partitions[j]
			k := store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: p.Partition}
			put := store.Put{Key: k, StateEpoch: p.StateEpoch, LeaderEpoch: p.LeaderEpoch, Start: p.StartOffset, Done: -1}
			if req.Version >= 1 {
				put.Done = p.DeliveryCompleteCount
			}
			for k := range p.StateBatches {
				b := &p.StateBatches[k]
				row := share.Stored{First: b.FirstOffset, Last: b.LastOffset, State: share.State(b.DeliveryState), Count: b.DeliveryCount}
				persist.ReadRow(&b.UnknownTags, &row)
				put.Rows = append(put.Rows, row)
			}
			all.add(k, put)
		}
	}
	return all
}

func writeAnswer(req *kmsg.WriteShareGroupStateRequest, all *asks) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.WriteShareGroupStateResponse)
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
	return resp
}

func deleteAsks(req *kmsg.DeleteShareGroupStateRequest) *asks {
	all := &asks{}
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			k := store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: req.Topics[i].Partitions[j].Partition}
			all.add(k, store.Delete{Key: k})
		}
	}
	return all
}

func deleteAnswer(req *kmsg.DeleteShareGroupStateRequest, all *asks) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.DeleteShareGroupStateResponse)
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
	return resp
}

func summaryAsks(req *kmsg.ReadShareGroupStateSummaryRequest) *asks {
	all := &asks{}
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			p := &req.Topics[i].Partitions[j]
			k := store.Key{Group: req.GroupID, TopicID: req.Topics[i].TopicID, Partition: p.Partition}
			all.add(k, store.Summarize{Key: k, LeaderEpoch: p.LeaderEpoch})
		}
	}
	return all
}

func summaryAnswer(req *kmsg.ReadShareGroupStateSummaryRequest, all *asks) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ReadShareGroupStateSummaryResponse)
	for i := range req.Topics {
		t := kmsg.NewReadShareGroupStateSummaryResponseTopic()
		t.TopicID = req.Topics[i].TopicID
		for j := range req.Topics[i].Partitions {
			row := kmsg.NewReadShareGroupStateSummaryResponseTopicPartition()
			var body any
			row.Partition, row.ErrorCode, row.ErrorMessage, body = all.next()
			if s, ok := body.(store.Summary); ok {
				row.StateEpoch, row.LeaderEpoch, row.StartOffset, row.DeliveryCompleteCount = s.StateEpoch, s.LeaderEpoch, s.Start, s.Done
				if !s.Known {
					row.LeaderEpoch = 0
				}
				if persist.AsksKnown(&req.Topics[i].Partitions[j].UnknownTags) {
					persist.SetKnown(&row.UnknownTags, s.Known)
				}
			}
			t.Partitions = append(t.Partitions, row)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}
