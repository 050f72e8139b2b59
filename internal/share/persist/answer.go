package persist

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/outbox"
	"ottla/internal/share"
	"ottla/internal/share/store"
	"ottla/internal/wire"
)

// reply is one row of an answer.
type reply struct {
	body any
	code int16
	text *string
}

// took shares an answer out.
func took(questions []*question, resp kmsg.Response, err error) {
	if err != nil {
		code := outbox.CodeOf(err)
		if code == wire.NetworkException {
			code = wire.CoordinatorNotAvailable // which comes again when it is
		}
		err = wire.Errorf(code, "ask node %d, whose share coordinator it is: %w", questions[0].node, err)
		for _, q := range questions {
			q.done(nil, err)
		}
		return
	}
	rows := rowsOf(resp)
	for _, q := range questions {
		switch r, ok := rows[spot{q.key.TopicID, q.key.Partition}]; {
		case !ok:
			q.done(nil, wire.Errorf(wire.UnknownServerError, "node %d said nothing of %s to %T: %T", q.node, q.key, q.cmd, resp))
		case r.code != 0:
			q.done(nil, r.err())
		default:
			q.done(r.body, nil)
		}
	}
}

func (r *reply) err() error {
	code := wire.Code(r.code)
	if r.text == nil || *r.text == "" {
		return code
	}
	return wire.Errorf(code, "%s", *r.text)
}

// rowsOf reads an answer.
func rowsOf(resp kmsg.Response) map[spot]reply {
	rows := map[spot]reply{}
	switch r := resp.(type) {
	case *kmsg.InitializeShareGroupStateResponse:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				rows[spot{r.Topics[i].TopicID, p.Partition}] = reply{nil, p.ErrorCode, p.ErrorMessage}
			}
		}
	case *kmsg.ReadShareGroupStateResponse:
		for i := range r.Topics {
			for j := range r.Topics[i].Partitions {
				p := &r.Topics[i].Partitions[j]
				rows[spot{r.Topics[i].TopicID, p.Partition}] = reply{stateOf(p), p.ErrorCode, p.ErrorMessage}
			}
		}
	case *kmsg.WriteShareGroupStateResponse:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				rows[spot{r.Topics[i].TopicID, p.Partition}] = reply{nil, p.ErrorCode, p.ErrorMessage}
			}
		}
	case *kmsg.DeleteShareGroupStateResponse:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				rows[spot{r.Topics[i].TopicID, p.Partition}] = reply{nil, p.ErrorCode, p.ErrorMessage}
			}
		}
	case *kmsg.ReadShareGroupStateSummaryResponse:
		for i := range r.Topics {
			for j := range r.Topics[i].Partitions {
				p := &r.Topics[i].Partitions[j]
				rows[spot{r.Topics[i].TopicID, p.Partition}] = reply{summaryOf(p), p.ErrorCode, p.ErrorMessage}
			}
		}
	}
	return rows
}

func stateOf(p *kmsg.ReadShareGroupStateResponseTopicPartition) store.State {
	st := store.State{StateEpoch: p.StateEpoch, Start: p.StartOffset}
	for i := range p.StateBatches {
		b := &p.StateBatches[i]
		row := share.Stored{First: b.FirstOffset, Last: b.LastOffset, State: share.State(b.DeliveryState), Count: b.DeliveryCount}
		ReadRow(&b.UnknownTags, &row)
		st.Rows = append(st.Rows, row)
	}
	return st
}

func summaryOf(p *kmsg.ReadShareGroupStateSummaryResponseTopicPartition) store.Summary {
	s := store.Summary{
		Known: known(&p.UnknownTags), StateEpoch: p.StateEpoch, LeaderEpoch: p.LeaderEpoch, Start: p.StartOffset, Done: p.DeliveryCompleteCount,
	}
	if !s.Known {
		s.LeaderEpoch = -1 // on the wire it is 0 then
	}
	return s
}
