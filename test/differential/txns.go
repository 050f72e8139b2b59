package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func txnStories() []story {
	return []story{
		{"transactions/find coordinator", txnCoordinator},
		{"transactions/init in every version", txnInit},
		{"transactions/init with time-outs", txnTimeouts},
		{"transactions/init of a producer that is known", txnInitAgain},
		{"transactions/init fences an open transaction", txnInitFences},
		{"transactions/whole in every version", txnWhole},
		{"transactions/add partitions", txnAdd},
		{"transactions/add partitions in batches", txnAddBatched},
		{"transactions/produce without adding", txnProduceOnly},
		{"transactions/produce wrongly", txnProduceWrong},
		{"transactions/end refusals", txnEndWrong},
		{"transactions/end again", txnEndAgain},
		{"transactions/fenced by a twin", txnFenced},
		{"transactions/offsets", txnOffsets},
		{"transactions/offsets refused", txnOffsetsWrong},
		{"transactions/offsets without adding", txnOffsetsOnly},
		{"transactions/markers of an administrator", txnMarkers},
		{"transactions/listed", txnListed},
		{"transactions/described", txnDescribed},
		{"transactions/producers described", txnProducers},
		{"transactions/read committed", txnRead},
		{"transactions/offsets listed", txnListOffsets},
		{"transactions/time-out", txnTimeout},
		{"transactions/restart", txnRestart},
		{"transactions/topic deleted meanwhile", txnTopicDeleted},
		{"slow/transactions/epochs run out", txnEpochsRunOut},
	}
}

// txn is a transactional producer of hand-made requests.
type txn struct {
	s        *scene
	id       string
	producer int64
	epoch    int16
	sequence map[string]int32 // by partition
}

// transactional makes a producer with a transactional id of its own, ready.
func (s *scene) transactional(suffix string) *txn {
	s.lines.hide(s.run+"-", "RUN-")
	x := &txn{s: s, id: s.run + "-" + suffix, producer: -1, epoch: -1, sequence: map[string]int32{}}
	s.coordinated(x.id)
	got := s.settled("begin "+x.id, x.init(4, nil)).(*kmsg.InitProducerIDResponse)
	if got.ErrorCode != 0 {
		panic(broken{fmt.Errorf("begin %s: error %d", x.id, got.ErrorCode)})
	}
	x.producer, x.epoch = got.ProducerID, got.ProducerEpoch
	return x
}

// coordinated waits until transactions are coordinated: Kafka makes their topic
// late.
func (s *scene) coordinated(id string) {
	s.until(func() bool {
		return s.must("find the coordinator", coordinatorOf(3, 1, id)).(*kmsg.FindCoordinatorResponse).ErrorCode == 0
	})
}

// settled is must, tried again while the answer says that something is under
// way: Kafka completes transactions behind its answers.
func (s *scene) settled(what string, req kmsg.Request) kmsg.Response {
	var resp kmsg.Response
	s.until(func() bool {
		resp = s.must(what, req)
		return !underWay(resp)
	})
	return resp
}

// underWay tells 14 COORDINATOR_LOAD_IN_PROGRESS, 15, 16 and
// 51 CONCURRENT_TRANSACTIONS.
func underWay(resp kmsg.Response) bool {
	var codes []int16
	switch r := resp.(type) {
	case *kmsg.InitProducerIDResponse:
		codes = append(codes, r.ErrorCode)
	case *kmsg.EndTxnResponse:
		codes = append(codes, r.ErrorCode)
	case *kmsg.AddOffsetsToTxnResponse:
		codes = append(codes, r.ErrorCode)
	case *kmsg.AddPartitionsToTxnResponse:
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				codes = append(codes, p.ErrorCode)
			}
		}
		for _, x := range r.Transactions {
			for _, t := range x.Topics {
				for _, p := range t.Partitions {
					codes = append(codes, p.ErrorCode)
				}
			}
		}
	case *kmsg.ProduceResponse:
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				codes = append(codes, p.ErrorCode)
			}
		}
	case *kmsg.TxnOffsetCommitResponse:
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				codes = append(codes, p.ErrorCode)
			}
		}
	}
	for _, c := range codes {
		if c >= 14 && c <= 16 || c == 51 {
			return true
		}
	}
	return false
}

// call sends a request until nothing is under way any more, and puts the last
// answer into the transcript. The producer learns id and epoch from it.
func (x *txn) call(label string, req kmsg.Request) kmsg.Response {
	label = x.s.step(label)
	var resp kmsg.Response
	var err error
	x.s.until(func() bool {
		resp, err = x.s.exchange(req, patience)
		return err != nil || !underWay(resp)
	})
	if err != nil {
		x.s.lines.add(label, "side", err.Error())
		x.s.hangUp()
		return nil
	}
	x.s.lines.answer(label, resp)
	x.learn(resp)
	return resp
}

func (x *txn) learn(resp kmsg.Response) {
	switch r := resp.(type) {
	case *kmsg.InitProducerIDResponse:
		if r.ErrorCode == 0 {
			x.producer, x.epoch, x.sequence = r.ProducerID, r.ProducerEpoch, map[string]int32{}
		}
	case *kmsg.EndTxnResponse:
		if r.ErrorCode == 0 && r.Version >= 5 {
			x.s.lines.add("producer", "the same", fmt.Sprint(r.ProducerID == x.producer))
			x.producer, x.epoch, x.sequence = r.ProducerID, r.ProducerEpoch, map[string]int32{}
		}
	}
}

func (x *txn) init(version int16, change func(*kmsg.InitProducerIDRequest)) *kmsg.InitProducerIDRequest {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.SetVersion(version)
	req.TransactionalID, req.TransactionTimeoutMillis = &x.id, 600_000 // longer than a broker takes to restart
	req.ProducerID, req.ProducerEpoch = -1, -1
	if change != nil {
		change(req)
	}
	return req
}

func (x *txn) end(version int16, commit bool, change func(*kmsg.EndTxnRequest)) *kmsg.EndTxnRequest {
	req := kmsg.NewPtrEndTxnRequest()
	req.SetVersion(version)
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = x.id, x.producer, x.epoch, commit
	if change != nil {
		change(req)
	}
	return req
}

// add asks to add partitions 0 and 1 of a topic.
func (x *txn) add(version int16, t topic, change func(*kmsg.AddPartitionsToTxnRequest)) *kmsg.AddPartitionsToTxnRequest {
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.SetVersion(version)
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = x.id, x.producer, x.epoch
	row := kmsg.NewAddPartitionsToTxnRequestTopic()
	row.Topic, row.Partitions = t.name, []int32{0, 1}
	req.Topics = append(req.Topics, row)
	one := kmsg.NewAddPartitionsToTxnRequestTransaction()
	one.TransactionalID, one.ProducerID, one.ProducerEpoch = x.id, x.producer, x.epoch
	batched := kmsg.NewAddPartitionsToTxnRequestTransactionTopic()
	batched.Topic, batched.Partitions = t.name, []int32{0, 1}
	one.Topics = append(one.Topics, batched)
	req.Transactions = append(req.Transactions, one)
	if change != nil {
		change(req)
	}
	return req
}

// transactionalBit marks a batch as one of a transaction.
const transactionalBit = 1 << 4

// before is a moment before the story: what was written then is older than any
// marker, so which of both is the latest hangs on no millisecond.
func (s *scene) before() int64 { return s.lines.began.UnixMilli() - 1000 }

// produce makes a request with one batch of records; change bends the batch.
func (x *txn) produce(version int16, t topic, partition int32, change func(*batch)) *kmsg.ProduceRequest {
	key := fmt.Sprint(t.name, partition)
	b := batch{attributes: transactionalBit, idempotent: true, producerID: x.producer, epoch: x.epoch, sequence: x.sequence[key], records: recsOf(2), baseTime: x.s.before()}
	x.sequence[key] += 2
	if change != nil {
		change(&b)
	}
	req := producePart(t, version, -1, partition, b.bytes())
	req.TransactionID = &x.id
	return req
}

// produceVersion and endVersion of a kind of client.
type dialect struct{ add, produce, end int16 }

// dialects are the versions that belong together: of clients that add
// partitions themselves, and of those whose Produce does it.
var dialects = []dialect{{0, 3, 0}, {1, 8, 1}, {2, 9, 2}, {3, 10, 3}, {3, 11, 4}, {-1, 12, 5}, {-1, 13, 5}}

// String names the dialect in the story.
func (d dialect) String() string {
	return fmt.Sprintf("add v%d produce v%d end v%d", d.add, d.produce, d.end)
}

// write adds the partition where the dialect has to, and produces.
func (x *txn) write(d dialect, t topic, partition int32) {
	if d.add >= 0 {
		x.call(fmt.Sprintf("%s adds (%v)", x.short(), d), x.add(d.add, t, nil))
	}
	x.call(fmt.Sprintf("%s produces (%v)", x.short(), d), x.produce(d.produce, t, partition, nil))
}

// finish ends the transaction and waits for that.
func (x *txn) finish(d dialect, commit bool) {
	what := "aborts"
	if commit {
		what = "commits"
	}
	x.call(fmt.Sprintf("%s %s (%v)", x.short(), what, d), x.end(d.end, commit, nil))
	x.s.ended(x.id)
}

func (x *txn) short() string { return strings.TrimPrefix(x.id, x.s.run+"-") }

// whole looks at a partition at both isolation levels, when nothing is open in
// it any more.
func (s *scene) whole(label string, t topic) {
	s.decided(t)
	s.both(label, t, 12, 0)
}

// decided waits until no transaction is open in partition 0.
func (s *scene) decided(t topic) {
	s.until(func() bool { return s.stableAt(t) == s.endOf(t) })
}

// both fetches at both isolation levels.
func (s *scene) both(label string, t topic, version int16, offset int64) {
	for level, name := range []string{"uncommitted", "committed"} {
		s.send(fmt.Sprintf("%s, read %s v%d", label, name, version), fetchOf(t, version, offset, func(r *kmsg.FetchRequest) { r.IsolationLevel, r.MaxWaitMillis = int8(level), 0 }))
	}
}

func txnCoordinator(s *scene) {
	x := s.transactional("x")
	s.ready(s.group("g")) // version 0 asks for groups
	for v := range int16(7) {
		s.send(fmt.Sprintf("id v%d", v), coordinatorOf(v, 1, x.id))
		s.send(fmt.Sprintf("empty id v%d", v), coordinatorOf(v, 1, ""))
	}
	two := coordinatorOf(6, 1, x.id)
	two.CoordinatorKeys = append(two.CoordinatorKeys, x.id+"-other", "")
	s.send("three ids v6", two)
}

func txnInit(s *scene) {
	x := s.transactional("x")
	for v := range int16(8) {
		x.call(fmt.Sprintf("v%d", v), x.init(v, nil))
	}
	for v := range int16(6) {
		y := &txn{s: s, id: fmt.Sprintf("%s-new%d", s.run, v), sequence: map[string]int32{}}
		y.call(fmt.Sprintf("new id v%d", v), y.init(v, nil))
		x.call(fmt.Sprintf("empty id v%d", v), x.init(v, func(r *kmsg.InitProducerIDRequest) { r.TransactionalID = kmsg.StringPtr("") }))
		s.send(fmt.Sprintf("no id v%d", v), x.init(v, func(r *kmsg.InitProducerIDRequest) { r.TransactionalID = nil }))
	}
	long := strings.Repeat("x", 20_000)
	s.lines.hide(long, "LONG")
	x.call("long id", x.init(5, func(r *kmsg.InitProducerIDRequest) { r.TransactionalID = &long }))
	x.call("id of two words and é", x.init(5, func(r *kmsg.InitProducerIDRequest) { r.TransactionalID = kmsg.StringPtr(s.run + "- two é") }))
}

func txnTimeouts(s *scene) {
	x := s.transactional("x")
	for _, v := range []int16{0, 2, 5} {
		for _, millis := range []int32{1, 0, -1, 900_000, 900_001, math.MaxInt32, math.MinInt32} {
			x.call(fmt.Sprintf("time-out %d v%d", millis, v), x.init(v, func(r *kmsg.InitProducerIDRequest) { r.TransactionTimeoutMillis = millis }))
		}
	}
}

// txnInitAgain is KIP-360: a producer that names its id and epoch.
func txnInitAgain(s *scene) {
	for _, v := range []int16{3, 4, 5} {
		x := s.transactional(fmt.Sprintf("x%d", v))
		as := func(label string, producer int64, epoch int16) {
			x.call(fmt.Sprintf("%s v%d", label, v), x.init(v, func(r *kmsg.InitProducerIDRequest) { r.ProducerID, r.ProducerEpoch = producer, epoch }))
		}
		as("id and epoch as they are", x.producer, x.epoch)
		as("the epoch before", x.producer, x.epoch-1)
		as("two epochs before", x.producer, x.epoch-2)
		as("a later epoch", x.producer, x.epoch+1)
		as("another id", x.producer+1000, x.epoch)
		as("id without epoch", x.producer, -1)
		as("epoch without id", -1, x.epoch)
		y := &txn{s: s, id: fmt.Sprintf("%s-unknown%d", s.run, v), sequence: map[string]int32{}}
		y.call(fmt.Sprintf("an unknown transactional id v%d", v), y.init(v, func(r *kmsg.InitProducerIDRequest) { r.ProducerID, r.ProducerEpoch = 5, 5 }))
	}
}

func txnInitFences(s *scene) {
	t := s.create("t", 2)
	for i, d := range []dialect{dialects[1], dialects[6]} {
		x := s.transactional(fmt.Sprintf("x%d", i))
		x.write(d, t, 0)
		old := *x
		x.call(fmt.Sprintf("init (%v)", d), x.init(4, nil))
		old.call(fmt.Sprintf("the old one commits (%v)", d), old.end(d.end, true, nil))
		x.write(d, t, 0)
		x.call(fmt.Sprintf("init of its own (%v)", d), x.init(4, func(r *kmsg.InitProducerIDRequest) { r.ProducerID, r.ProducerEpoch = x.producer, x.epoch }))
		x.write(d, t, 1)
		x.finish(d, true)
		s.whole(fmt.Sprintf("then (%v)", d), t)
	}
}

func txnWhole(s *scene) {
	for i, d := range dialects {
		t := s.create(fmt.Sprintf("t%d", i), 2)
		x := s.transactional(fmt.Sprintf("x%d", i))
		x.finish(d, true)
		x.finish(d, false)
		x.write(d, t, 0)
		s.both(fmt.Sprintf("open (%v)", d), t, 12, 0)
		x.write(d, t, 0)
		x.finish(d, true)
		s.whole(fmt.Sprintf("committed (%v)", d), t)
		x.write(d, t, 0)
		x.finish(d, false)
		s.whole(fmt.Sprintf("aborted (%v)", d), t)
		x.write(d, t, 1)
		x.write(d, t, 0)
		x.finish(d, true)
		s.whole(fmt.Sprintf("committed once more (%v)", d), t)
	}
}

func txnAdd(s *scene) {
	t := s.create("t", 2)
	for v := range int16(4) {
		x := s.transactional(fmt.Sprintf("x%d", v))
		try := func(label string, change func(*kmsg.AddPartitionsToTxnRequest)) {
			x.call(fmt.Sprintf("%s v%d", label, v), x.add(v, t, change))
		}
		try("unknown topic", func(r *kmsg.AddPartitionsToTxnRequest) { r.Topics[0].Topic = "__none" })
		try("unknown partition", func(r *kmsg.AddPartitionsToTxnRequest) { r.Topics[0].Partitions = []int32{0, 7} })
		try("no topics", func(r *kmsg.AddPartitionsToTxnRequest) { r.Topics = nil })
		try("unknown id", func(r *kmsg.AddPartitionsToTxnRequest) { r.TransactionalID += "-none" })
		try("empty id", func(r *kmsg.AddPartitionsToTxnRequest) { r.TransactionalID = "" })
		try("another producer", func(r *kmsg.AddPartitionsToTxnRequest) { r.ProducerID++ })
		try("an earlier epoch", func(r *kmsg.AddPartitionsToTxnRequest) { r.ProducerEpoch-- })
		try("a later epoch", func(r *kmsg.AddPartitionsToTxnRequest) { r.ProducerEpoch++ })
		try("good", nil)
		try("once more", nil)
		x.call(fmt.Sprintf("aborts v%d", v), x.end(v, false, nil))
		try("after the abort", nil)
		x.call(fmt.Sprintf("commits v%d", v), x.end(v, true, nil))
	}
}

func txnAddBatched(s *scene) {
	t := s.create("t", 2)
	for _, v := range []int16{4, 5} {
		x, y := s.transactional(fmt.Sprintf("x%d", v)), s.transactional(fmt.Sprintf("y%d", v))
		try := func(label string, verify bool, change func(*kmsg.AddPartitionsToTxnRequest)) {
			x.call(fmt.Sprintf("%s, verify %v v%d", label, verify, v), x.add(v, t, func(r *kmsg.AddPartitionsToTxnRequest) {
				r.Transactions[0].VerifyOnly = verify
				if change != nil {
					change(r)
				}
			}))
		}
		for _, verify := range []bool{true, false} {
			try("nothing", verify, func(r *kmsg.AddPartitionsToTxnRequest) { r.Transactions = nil })
			try("no topics", verify, func(r *kmsg.AddPartitionsToTxnRequest) { r.Transactions[0].Topics = nil })
			try("unknown topic", verify, func(r *kmsg.AddPartitionsToTxnRequest) { r.Transactions[0].Topics[0].Topic = "__none" })
			try("unknown id", verify, func(r *kmsg.AddPartitionsToTxnRequest) { r.Transactions[0].TransactionalID += "-none" })
			try("another producer", verify, func(r *kmsg.AddPartitionsToTxnRequest) { r.Transactions[0].ProducerID++ })
			try("an earlier epoch", verify, func(r *kmsg.AddPartitionsToTxnRequest) { r.Transactions[0].ProducerEpoch-- })
			try("a later epoch", verify, func(r *kmsg.AddPartitionsToTxnRequest) { r.Transactions[0].ProducerEpoch++ })
			try("good", verify, nil)
			try("one of them", verify, func(r *kmsg.AddPartitionsToTxnRequest) { r.Transactions[0].Topics[0].Partitions = []int32{1} })
		}
		try("verified when added", true, nil)
		try("two at once", false, func(r *kmsg.AddPartitionsToTxnRequest) {
			r.Transactions = append(r.Transactions, y.add(v, t, nil).Transactions...)
		})
		x.call(fmt.Sprintf("commits v%d", v), x.end(v, true, nil))
		y.call(fmt.Sprintf("aborts v%d", v), y.end(v, false, nil))
		try("verified after the end", true, nil)
	}
}

func txnProduceOnly(s *scene) {
	for _, v := range []int16{3, 8, 9, 10, 11, 12, 13} {
		t := s.create(fmt.Sprintf("t%d", v), 2)
		x := s.transactional(fmt.Sprintf("x%d", v))
		x.call(fmt.Sprintf("without adding v%d", v), x.produce(v, t, 0, nil))
		x.call(fmt.Sprintf("once more v%d", v), x.produce(v, t, 0, nil))
		x.call(fmt.Sprintf("commit v%d", v), x.end(4, true, nil))
		s.decided(t)
		s.look(t)
	}
}

func txnProduceWrong(s *scene) {
	for _, d := range []dialect{dialects[1], dialects[3], dialects[4], dialects[5], dialects[6]} {
		t := s.create(fmt.Sprintf("t%d", d.produce), 2)
		x := s.transactional(fmt.Sprintf("x%d", d.produce))
		x.write(d, t, 0)
		try := func(label string, partition int32, bend func(*batch), change func(*kmsg.ProduceRequest)) {
			kept := x.sequence[fmt.Sprint(t.name, partition)]
			req := x.produce(d.produce, t, partition, bend)
			if change != nil {
				change(req)
			}
			x.call(fmt.Sprintf("%s (%v)", label, d), req)
			x.sequence[fmt.Sprint(t.name, partition)] = kept
		}
		plain := func(b *batch) { b.attributes = 0 }
		try("not transactional", 0, plain, nil)
		try("not transactional, without an id", 0, plain, func(r *kmsg.ProduceRequest) { r.TransactionID = nil })
		try("transactional, without an id", 0, nil, func(r *kmsg.ProduceRequest) { r.TransactionID = nil })
		try("another transactional id", 0, nil, func(r *kmsg.ProduceRequest) { r.TransactionID = kmsg.StringPtr(x.id + "-none") })
		try("another transactional id elsewhere", 1, nil, func(r *kmsg.ProduceRequest) { r.TransactionID = kmsg.StringPtr(x.id + "-none") })
		try("another producer", 0, func(b *batch) { b.producerID++ }, nil)
		try("an earlier epoch", 0, func(b *batch) { b.epoch-- }, nil)
		try("a later epoch", 0, func(b *batch) { b.epoch++; b.sequence = 0 }, nil)
		try("a gap", 0, func(b *batch) { b.sequence += 5 }, nil)
		try("a duplicate", 0, func(b *batch) { b.sequence = 0 }, nil)
		try("an earlier epoch elsewhere", 1, func(b *batch) { b.epoch-- }, nil)
		try("unknown partition", 9, nil, nil)
		x.call(fmt.Sprintf("no acks (%v)", d), func() *kmsg.ProduceRequest {
			r := x.produce(d.produce, t, 0, nil)
			r.Acks = 1
			return r
		}())
		x.finish(d, true)
		s.whole(fmt.Sprintf("then (%v)", d), t)
	}
}
