package txns

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// ends is who writes markers; it answers the code that stands for a partition.
type ends struct {
	asked []txn.Marker
	codes map[txn.TopicPartition]wire.Code
	late  bool // only the end of the context ends a try
}

func (e *ends) Once(ctx context.Context, m *txn.Marker, done func([]wire.Code)) {
	e.asked = append(e.asked, *m)
	codes := make([]wire.Code, len(m.Partitions))
	for i, tp := range m.Partitions {
		codes[i] = e.codes[tp]
		if e.late {
			codes[i] = wire.RequestTimedOut
		}
	}
	if e.late {
		context.AfterFunc(ctx, func() { done(codes) })
		return
	}
	done(codes)
}

// markerRequest ends transactions of producers, each in its partitions.
func markerRequest(version int16, markers ...txn.Marker) *kmsg.WriteTxnMarkersRequest {
	req := kmsg.NewPtrWriteTxnMarkersRequest()
	req.SetVersion(version)
	for _, m := range markers {
		row := kmsg.NewWriteTxnMarkersRequestMarker()
		row.ProducerID, row.ProducerEpoch, row.Committed = m.ProducerID, m.ProducerEpoch, m.Commit
		row.CoordinatorEpoch, row.TransactionVersion = m.CoordinatorEpoch, int8(m.Version)
		for _, tp := range m.Partitions {
			t := kmsg.NewWriteTxnMarkersRequestMarkerTopic()
			t.Topic, t.Partitions = tp.Topic, []int32{tp.Partition}
			row.Topics = append(row.Topics, t)
		}
		req.Markers = append(req.Markers, row)
	}
	return req
}

// writes serves a request and gives its answer.
func writes(t *testing.T, f *Family, req *kmsg.WriteTxnMarkersRequest) *kmsg.WriteTxnMarkersResponse {
	t.Helper()
	return writesAs(t, f, 2, req)
}

// writesAs is writes by a node, or by a client (-1).
func writesAs(t *testing.T, f *Family, node int32, req *kmsg.WriteTxnMarkersRequest) *kmsg.WriteTxnMarkersResponse {
	t.Helper()
	answers := make(chan kmsg.Response, 1)
	f.writeTxnMarkers(&api.Conn{Node: node}, req, func(make func() kmsg.Response) { answers <- make() })
	return (<-answers).(*kmsg.WriteTxnMarkersResponse)
}

func TestMarkersAreWrittenAndAnsweredByProducer(t *testing.T) {
	a0, a1, b0 := txn.TopicPartition{Topic: "a"}, txn.TopicPartition{Topic: "a", Partition: 1}, txn.TopicPartition{Topic: "b"}
	first := txn.Marker{ProducerID: 7, ProducerEpoch: 3, Commit: true, CoordinatorEpoch: 5, Version: 2, Partitions: []txn.TopicPartition{a0, a1, b0}}
	second := txn.Marker{ProducerID: 8, ProducerEpoch: 1, CoordinatorEpoch: -1, Partitions: []txn.TopicPartition{b0}}
	third := txn.Marker{ProducerID: 7, ProducerEpoch: 4, CoordinatorEpoch: 5, Version: 2, Partitions: []txn.TopicPartition{a0}}
	for _, version := range []int16{1, 2} {
		e := &ends{codes: map[txn.TopicPartition]wire.Code{a1: wire.UnknownTopicOrPartition, b0: wire.InvalidProducerEpoch}}
		f := New(Deps{Ends: e})
		got := writes(t, f, markerRequest(version, first, second, third))
		for i, want := range []txn.Marker{first, second, third} {
			if version < 2 {
				want.Version = 0
			}
			if x := e.asked[i]; x.ProducerID != want.ProducerID || x.ProducerEpoch != want.ProducerEpoch || x.Commit != want.Commit ||
				x.CoordinatorEpoch != want.CoordinatorEpoch || x.Version != want.Version || !slices.Equal(x.Partitions, want.Partitions) {
				t.Errorf("v%d, marker %d: %+v, want %+v", version, i, x, want)
			}
		}
		rows := got.Markers
		if len(rows) != 2 || rows[0].ProducerID != 7 || rows[1].ProducerID != 8 {
			t.Fatalf("v%d: %+v, want a row for each producer", version, rows)
		}
		var codes []int16
		for _, row := range rows {
			for _, topic := range row.Topics {
				for _, p := range topic.Partitions {
					codes = append(codes, p.ErrorCode)
				}
			}
		}
		if want := []int16{0, int16(wire.UnknownTopicOrPartition), int16(wire.InvalidProducerEpoch), 0, int16(wire.InvalidProducerEpoch)}; !slices.Equal(codes, want) {
			t.Errorf("v%d: codes %v, want %v", version, codes, want)
		}
		if rows[0].Topics[0].Topic != "a" || len(rows[0].Topics[0].Partitions) != 2 || rows[0].Topics[1].Topic != "b" {
			t.Errorf("v%d: topics %+v", version, rows[0].Topics)
		}
	}
}

func TestMarkersThatReplicasDoNotTakeRunOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		f := New(Deps{Ends: &ends{late: true}})
		got := writes(t, f, markerRequest(2, txn.Marker{ProducerID: 7, Partitions: []txn.TopicPartition{{Topic: "a"}}}))
		if code := got.Markers[0].Topics[0].Partitions[0].ErrorCode; code != int16(wire.RequestTimedOut) {
			t.Errorf("code %d", code)
		}
		if took := time.Since(began); took != markersTimeout {
			t.Errorf("after %v, want %v", took, markersTimeout)
		}
	})
	f := New(Deps{Ends: &ends{}})
	if got := writes(t, f, markerRequest(2, txn.Marker{ProducerID: 7})); len(got.Markers) != 0 {
		t.Errorf("no partitions: %+v", got)
	}
	if got := writes(t, f, markerRequest(2)); len(got.Markers) != 0 {
		t.Errorf("no markers: %+v", got)
	}
}

func TestOnlyNodesMayCommitByMarkers(t *testing.T) {
	a, b := txn.TopicPartition{Topic: "a"}, txn.TopicPartition{Topic: "b", Partition: 1}
	req := markerRequest(2, txn.Marker{ProducerID: 7, Commit: true, Partitions: []txn.TopicPartition{a, b}}, txn.Marker{ProducerID: 8, Partitions: []txn.TopicPartition{a}})
	for node, want := range map[int32]struct {
		asked int
		codes []wire.Code
	}{
		-1: {1, []wire.Code{wire.ClusterAuthorizationFailed, wire.ClusterAuthorizationFailed, wire.None}},
		3:  {2, []wire.Code{wire.None, wire.None, wire.None}},
	} {
		e := &ends{}
		var codes []wire.Code
		for _, row := range writesAs(t, New(Deps{Ends: e}), node, req).Markers {
			for _, topic := range row.Topics {
				codes = append(codes, wire.Code(topic.Partitions[0].ErrorCode))
			}
		}
		if len(e.asked) != want.asked || !slices.Equal(codes, want.codes) {
			t.Errorf("asked by node %d: %d markers written, codes %v, want %d and %v", node, len(e.asked), codes, want.asked, want.codes)
		}
	}
}
