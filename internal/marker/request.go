package marker

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/outbox"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

const (
	// answerWithin bounds the wait for another node; one that has not said by
	// then whether it has the markers is asked again.
	answerWithin = 30 * time.Second
	// version of WriteTxnMarkers that is spoken: it says how strictly epochs are
	// judged (KIP-1228).
	version = 2
)

// request has the shares of one node in several markers, each of another
// producer: the answer tells them apart by that.
func request(shares []*share) kmsg.Request {
	req := kmsg.NewPtrWriteTxnMarkersRequest()
	req.SetVersion(version)
	for _, s := range shares {
		row := kmsg.NewWriteTxnMarkersRequestMarker()
		row.ProducerID, row.ProducerEpoch, row.Committed = s.m.ProducerID, s.m.ProducerEpoch, s.m.Commit
		row.CoordinatorEpoch, row.TransactionVersion = s.m.CoordinatorEpoch, int8(s.m.Version)
		for _, i := range s.at {
			tp := s.m.Partitions[i]
			if n := len(row.Topics); n == 0 || row.Topics[n-1].Topic != tp.Topic {
				t := kmsg.NewWriteTxnMarkersRequestMarkerTopic()
				t.Topic = tp.Topic
				row.Topics = append(row.Topics, t)
			}
			t := &row.Topics[len(row.Topics)-1]
			t.Partitions = append(t.Partitions, tp.Partition)
		}
		req.Markers = append(req.Markers, row)
	}
	return req
}

// took shares an answer out. What it does not tell of is asked again.
func took(shares []*share, resp kmsg.Response, err error) {
	r, ok := resp.(*kmsg.WriteTxnMarkersResponse)
	all := wire.UnknownServerError
	if err != nil {
		all = outbox.CodeOf(err)
	}
	codes := map[int64]map[txn.TopicPartition]wire.Code{}
	if err == nil && ok {
		for i := range r.Markers {
			codes[r.Markers[i].ProducerID] = codesOf(&r.Markers[i])
		}
	}
	for _, s := range shares {
		s.settle(codes[s.m.ProducerID], all)
	}
}

func codesOf(row *kmsg.WriteTxnMarkersResponseMarker) map[txn.TopicPartition]wire.Code {
	out := map[txn.TopicPartition]wire.Code{}
	for i := range row.Topics {
		for _, p := range row.Topics[i].Partitions {
			out[txn.TopicPartition{Topic: row.Topics[i].Topic, Partition: p.Partition}] = wire.Code(p.ErrorCode)
		}
	}
	return out
}
