package txns_test

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"ottla"
	"ottla/internal/wire"
)

// at is a client that speaks the given version of an API.
func (n *node) at(key, version int16) *kgo.Client {
	v := kversion.Stable()
	v.SetMaxKeyVersion(key, version)
	return n.client(kgo.MaxVersions(v))
}

// call sends a request in a version.
func call[R kmsg.Response](n *node, version int16, req kmsg.Request) R {
	n.t.Helper()
	resp, err := n.at(req.Key(), version).Request(n.ctx, req)
	if err != nil {
		n.t.Fatalf("%s v%d: %v", kmsg.NameForKey(req.Key()), version, err)
	}
	return resp.(R)
}

func (n *node) code(what string, version, got int16, want wire.Code) {
	n.t.Helper()
	if got != int16(want) {
		n.t.Errorf("%s v%d: %v, want %v", what, version, kerr.ErrorForCode(got), want)
	}
}

func (n *node) init(version int16, id string, producerID int64, epoch int16) *kmsg.InitProducerIDResponse {
	n.t.Helper()
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis, req.ProducerID, req.ProducerEpoch = &id, 60000, producerID, epoch
	return call[*kmsg.InitProducerIDResponse](n, version, req)
}

// add puts a partition into a transaction, in whatever form the version has.
func (n *node) add(version int16, id string, producerID int64, epoch int16, topic string, partitions ...int32) []int16 {
	n.t.Helper()
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = id, producerID, epoch
	req.Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: topic, Partitions: partitions}}
	req.Transactions = []kmsg.AddPartitionsToTxnRequestTransaction{{
		TransactionalID: id, ProducerID: producerID, ProducerEpoch: epoch,
		Topics: []kmsg.AddPartitionsToTxnRequestTransactionTopic{{Topic: topic, Partitions: partitions}},
	}}
	resp := call[*kmsg.AddPartitionsToTxnResponse](n, version, req)
	var codes []int16
	if version < 4 {
		for _, p := range resp.Topics[0].Partitions {
			codes = append(codes, p.ErrorCode)
		}
		return codes
	}
	if resp.Transactions[0].TransactionalID != id {
		n.t.Errorf("v%d answers for %q", version, resp.Transactions[0].TransactionalID)
	}
	for _, p := range resp.Transactions[0].Topics[0].Partitions {
		codes = append(codes, p.ErrorCode)
	}
	return codes
}

func (n *node) end(version int16, id string, producerID int64, epoch int16, commit bool) *kmsg.EndTxnResponse {
	n.t.Helper()
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = id, producerID, epoch, commit
	return call[*kmsg.EndTxnResponse](n, version, req)
}

// find makes the coordinator's topic.
func (n *node) find(id string) {
	n.t.Helper()
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKeys, req.CoordinatorType = []string{id}, 1
	resp := call[*kmsg.FindCoordinatorResponse](n, 6, req)
	n.code("FindCoordinator", 6, resp.Coordinators[0].ErrorCode, wire.None)
}

func TestInitProducerIDInEveryVersion(t *testing.T) {
	n := startNode(t, ottla.Options{})
	for v := range int16(6) {
		id := "init" + string('0'+rune(v))
		first := n.init(v, id, -1, -1)
		n.code("first", v, first.ErrorCode, wire.None)
		second := n.init(v, id, -1, -1)
		if second.ErrorCode != 0 || second.ProducerID != first.ProducerID || second.ProducerEpoch != first.ProducerEpoch+1 {
			t.Errorf("v%d: second %+v after %+v", v, second, first)
		}
		if v < 3 {
			continue
		}
		third := n.init(v, id, second.ProducerID, second.ProducerEpoch)
		if third.ErrorCode != 0 || third.ProducerEpoch != second.ProducerEpoch+1 {
			t.Errorf("v%d: third %+v after %+v", v, third, second)
		}
		fenced := wire.ProducerFenced
		if v < 4 {
			fenced = wire.InvalidProducerEpoch
		}
		n.code("an old epoch", v, n.init(v, id, first.ProducerID, first.ProducerEpoch).ErrorCode, fenced)
		n.code("an id without epoch", v, n.init(v, id, 5, -1).ErrorCode, wire.InvalidRequest)
	}
	n.code("no id", 5, n.init(5, "", -1, -1).ErrorCode, wire.InvalidRequest)
}

func TestAddPartitionsAndEndInEveryVersion(t *testing.T) {
	n := startNode(t, ottla.Options{})
	for v := range int16(6) {
		id := "add" + string('0'+rune(v))
		p := n.init(5, id, -1, -1)
		if got := n.add(v, id, p.ProducerID, 0, "out", 0, 1); !slices.Equal(got, []int16{0, 0}) {
			t.Errorf("v%d: added with %v", v, got)
		}
		if got, want := n.add(v, id, p.ProducerID, 0, "out", 1, 7), []int16{int16(wire.OperationNotAttempted), int16(wire.UnknownTopicOrPartition)}; !slices.Equal(got, want) {
			t.Errorf("v%d: with a partition that is not there %v, want %v", v, got, want)
		}
		fenced := wire.ProducerFenced
		if v < 2 {
			fenced = wire.InvalidProducerEpoch
		}
		n.code("add with another epoch", v, n.add(v, id, p.ProducerID, 5, "out", 0)[0], fenced)
		n.code("add with another id", v, n.add(v, id, p.ProducerID+1000, 0, "out", 0)[0], wire.InvalidProducerIDMapping)
		n.code("end with another epoch", v, n.end(v, id, p.ProducerID, 5, true).ErrorCode, fenced)

		done := n.end(v, id, p.ProducerID, 0, true)
		n.code("end", v, done.ErrorCode, wire.None)
		again := n.end(v, id, p.ProducerID, 0, true)
		n.code("the same end", v, again.ErrorCode, wire.None)
		if v >= 5 && (done.ProducerID != p.ProducerID || done.ProducerEpoch != 1 || again.ProducerEpoch != 1) {
			t.Errorf("v%d: ended as %+v and %+v", v, done, again)
		}
		n.code("the other end", v, n.end(v, id, p.ProducerID, 0, false).ErrorCode, wire.InvalidTxnState)
	}
}

func TestVerifyOnlyAddsNothing(t *testing.T) {
	n := startNode(t, ottla.Options{})
	p := n.init(5, "v", -1, -1)
	n.add(3, "v", p.ProducerID, 0, "out", 1)
	for _, v := range []int16{4, 5} {
		req := kmsg.NewPtrAddPartitionsToTxnRequest()
		for _, topic := range []string{"out", "in"} {
			req.Transactions = append(req.Transactions, kmsg.AddPartitionsToTxnRequestTransaction{
				TransactionalID: "v", ProducerID: p.ProducerID, VerifyOnly: true,
				Topics: []kmsg.AddPartitionsToTxnRequestTransactionTopic{{Topic: topic, Partitions: []int32{0, 1}}},
			})
		}
		resp := call[*kmsg.AddPartitionsToTxnResponse](n, v, req)
		var codes []int16
		for _, tx := range resp.Transactions {
			for _, x := range tx.Topics[0].Partitions {
				codes = append(codes, x.ErrorCode)
			}
		}
		abortable := int16(wire.TransactionAbortable)
		if want := []int16{abortable, 0, abortable, abortable}; !slices.Equal(codes, want) {
			t.Errorf("v%d: %v, want %v", v, codes, want)
		}
	}
}

func TestAddOffsetsInEveryVersion(t *testing.T) {
	n := startNode(t, ottla.Options{})
	p := n.init(5, "o", -1, -1)
	for v := range int16(5) {
		req := kmsg.NewPtrAddOffsetsToTxnRequest()
		req.TransactionalID, req.ProducerID, req.Group = "o", p.ProducerID, "g"
		n.code("add", v, call[*kmsg.AddOffsetsToTxnResponse](n, v, req).ErrorCode, wire.None)
		req.ProducerEpoch = 3
		fenced := wire.ProducerFenced
		if v < 2 {
			fenced = wire.InvalidProducerEpoch
		}
		n.code("another epoch", v, call[*kmsg.AddOffsetsToTxnResponse](n, v, req).ErrorCode, fenced)
	}
	d, err := n.admin().DescribeTransactions(n.ctx, "o")
	if err != nil || d["o"].State != "Ongoing" || len(d["o"].Topics["__consumer_offsets"]) != 1 {
		t.Errorf("described as %+v, %v", d["o"], err)
	}
}

func TestListAndDescribe(t *testing.T) {
	n := startNode(t, ottla.Options{})
	n.find("x")
	open := n.init(5, "open", -1, -1)
	n.add(3, "open", open.ProducerID, 0, "out", 1, 0)
	idle := n.init(5, "idle", -1, -1)

	list := func(version int16, edit func(*kmsg.ListTransactionsRequest)) (*kmsg.ListTransactionsResponse, []string) {
		req := kmsg.NewPtrListTransactionsRequest()
		edit(req)
		resp := call[*kmsg.ListTransactionsResponse](n, version, req)
		var ids []string
		for _, s := range resp.TransactionStates {
			ids = append(ids, s.TransactionalID+" "+s.TransactionState)
		}
		return resp, ids
	}
	pattern := func(p string) *string { return &p }
	for _, tc := range []struct {
		name    string
		version int16
		edit    func(*kmsg.ListTransactionsRequest)
		want    []string
		code    wire.Code
		unknown []string
	}{
		{"all", 0, func(*kmsg.ListTransactionsRequest) {}, []string{"idle Empty", "open Ongoing"}, 0, nil},
		{"by state", 0, func(r *kmsg.ListTransactionsRequest) { r.StateFilters = []string{"Ongoing", "Strange"} }, []string{"open Ongoing"}, 0, []string{"Strange"}},
		{"by no state that there is", 0, func(r *kmsg.ListTransactionsRequest) { r.StateFilters = []string{"Strange"} }, nil, 0, []string{"Strange"}},
		{"by producer", 1, func(r *kmsg.ListTransactionsRequest) { r.ProducerIDFilters = []int64{idle.ProducerID} }, []string{"idle Empty"}, 0, nil},
		{"open for an hour", 1, func(r *kmsg.ListTransactionsRequest) {
			r.DurationFilterMillis = time.Hour.Milliseconds()
			r.StateFilters = []string{"Ongoing"}
		}, nil, 0, nil},
		{"by pattern", 2, func(r *kmsg.ListTransactionsRequest) { r.TransactionalIDPattern = pattern("op|o.*n") }, []string{"open Ongoing"}, 0, nil},
		{"by part of the id", 2, func(r *kmsg.ListTransactionsRequest) { r.TransactionalIDPattern = pattern("pe") }, nil, 0, nil},
		{"by the empty pattern", 2, func(r *kmsg.ListTransactionsRequest) { r.TransactionalIDPattern = pattern("") }, []string{"idle Empty", "open Ongoing"}, 0, nil},
		{"by a bad pattern", 2, func(r *kmsg.ListTransactionsRequest) { r.TransactionalIDPattern = pattern("(") }, nil, wire.InvalidRegularExpression, nil},
	} {
		resp, ids := list(tc.version, tc.edit)
		if !slices.Equal(ids, tc.want) || resp.ErrorCode != int16(tc.code) || !slices.Equal(resp.UnknownStateFilters, tc.unknown) {
			t.Errorf("%s: %v, code %d, unknown %v; want %v", tc.name, ids, resp.ErrorCode, resp.UnknownStateFilters, tc)
		}
	}

	req := kmsg.NewPtrDescribeTransactionsRequest()
	req.TransactionalIDs = []string{"open", "none", ""}
	states := call[*kmsg.DescribeTransactionsResponse](n, 0, req).TransactionStates
	n.code("an id that is not there", 0, states[1].ErrorCode, wire.TransactionalIDNotFound)
	n.code("the empty id", 0, states[2].ErrorCode, wire.InvalidRequest)
	d := states[0]
	if d.ErrorCode != 0 || d.State != "Ongoing" || d.ProducerID != open.ProducerID || d.TimeoutMillis != 60000 || d.StartTimestamp <= 0 ||
		len(d.Topics) != 1 || !slices.Equal(d.Topics[0].Partitions, []int32{0, 1}) {
		t.Errorf("described as %+v", d)
	}
}
