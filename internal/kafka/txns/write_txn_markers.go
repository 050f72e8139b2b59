package txns

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// Ends writes markers into the partitions that this node leads.
type Ends interface {
	// Once tries every partition of a marker one time and calls done with a code
	// for each, in their order; what is not settled when ctx ends gets
	// REQUEST_TIMED_OUT.
	Once(ctx context.Context, m *txn.Marker, done func([]wire.Code))
}

// markersTimeout bounds the wait for replicas, as Kafka's request.timeout.ms
// does.
const markersTimeout = 30 * time.Second

// WriteTxnMarkers (27), versions 1-2: the end of transactions, from their
// coordinator to the leaders of partitions, and from an admin who ends one
// that hangs (kafka-transactions abort, KIP-664).
//
// An admin may only abort. A marker that commits is the coordinator's: from
// anybody but a node of the cluster it is refused, since it would show readers
// what its producer may yet abort.
//
// v2 says how strictly the epoch is judged (KIP-1228); before it, as for
// transactions of version 1. Markers of one request are written in their order,
// all before any is waited for; requests behind it are served meanwhile.
func (f *Family) writeTxnMarkersRow() api.API {
	return api.Late(1, 2, f.writeTxnMarkers, "A marker that commits is taken from nodes of the cluster alone; from anybody else it gets 31 CLUSTER_AUTHORIZATION_FAILED.")
}

func (f *Family) writeTxnMarkers(c *api.Conn, req *kmsg.WriteTxnMarkersRequest, finish api.Finish) {
	ctx, cancel := context.WithTimeout(context.Background(), markersTimeout)
	markers := make([]txn.Marker, len(req.Markers))
	start := func(i int, done func(any, error)) {
		markers[i] = markerOf(req.Version, &req.Markers[i])
		if markers[i].Commit && c.Node < 0 {
			done(slices.Repeat([]wire.Code{wire.ClusterAuthorizationFailed}, len(markers[i].Partitions)), nil)
			return
		}
		f.o.Ends.Once(ctx, &markers[i], func(codes []wire.Code) { done(codes, nil) })
	}
	api.Gather(len(markers), start, func(said []api.Said) {
		cancel()
		finish(func() kmsg.Response {
			resp := req.ResponseKind().(*kmsg.WriteTxnMarkersResponse)
			for i := range markers {
				if codes, ok := said[i].Body.([]wire.Code); ok && len(codes) > 0 {
					addMarkerRow(resp, &markers[i], codes)
				}
			}
			return resp
		})
	})
}

// markerOf is a marker of a request.
func markerOf(version int16, from *kmsg.WriteTxnMarkersRequestMarker) txn.Marker {
	m := txn.Marker{
		ProducerID: from.ProducerID, ProducerEpoch: from.ProducerEpoch, Commit: from.Committed,
		CoordinatorEpoch: from.CoordinatorEpoch,
	}
	if version >= 2 {
		m.Version = int16(from.TransactionVersion)
	}
	for i := range from.Topics {
		for _, p := range from.Topics[i].Partitions {
			m.Partitions = append(m.Partitions, txn.TopicPartition{Topic: from.Topics[i].Topic, Partition: p})
		}
	}
	return m
}

// addMarkerRow answers a marker, in the row of its producer id if there is one.
func addMarkerRow(resp *kmsg.WriteTxnMarkersResponse, m *txn.Marker, codes []wire.Code) {
	at := -1
	for i := range resp.Markers {
		if resp.Markers[i].ProducerID == m.ProducerID {
			at = i
		}
	}
	if at < 0 {
		at = len(resp.Markers)
		row := kmsg.NewWriteTxnMarkersResponseMarker()
		row.ProducerID = m.ProducerID
		resp.Markers = append(resp.Markers, row)
	}
	row := &resp.Markers[at]
	for i, tp := range m.Partitions {
		if n := len(row.Topics); n == 0 || row.Topics[n-1].Topic != tp.Topic {
			t := kmsg.NewWriteTxnMarkersResponseMarkerTopic()
			t.Topic = tp.Topic
			row.Topics = append(row.Topics, t)
		}
		p := kmsg.NewWriteTxnMarkersResponseMarkerTopicPartition()
		p.Partition, p.ErrorCode = tp.Partition, int16(codes[i])
		t := &row.Topics[len(row.Topics)-1]
		t.Partitions = append(t.Partitions, p)
	}
}
