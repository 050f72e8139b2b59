package partition

import (
	"slices"
	"testing"
	"time"

	"ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// verified is a rig whose partition wants transactions to be vouched for.
func verified(t testing.TB, adjust ...func(*Config)) *rig {
	return memRig(t, append([]func(*Config){func(c *Config) { c.VerifyTransactions = true }}, adjust...)...)
}

// inTxn is how a transactional producer asks, with a guard.
func inTxn(g producer.Guard) AppendArgs {
	return AppendArgs{Acks: -1, AllowZstd: true, Transactional: true, Guard: g}
}

// part is a transactional batch of one record.
func part(id int64, epoch int16, seq int32, value string) []byte {
	return valued(value, from(id, epoch, seq), transactional)
}

// valued is a batch of one record with exactly that value.
func valued(value string, adjust ...func(*record.Builder)) []byte {
	b := record.NewBuilder()
	for _, f := range adjust {
		f(b)
	}
	b.Add(epochOfTests.UnixMilli(), nil, []byte(value))
	return b.Build(0)
}

// strict is how a coordinator of KIP-890 part 2 writes its markers.
var strict = AppendArgs{Acks: -1, Internal: true, TransactionVersion: 2}

func TestTheFirstBatchOfATransactionNeedsAGuard(t *testing.T) {
	r := verified(t)
	r.refuse(part(1, 0, 0, "a"), inTxn(0), wire.InvalidTxnState)
	g := r.p.Guard(1, 0, 0, false)
	if g == 0 {
		t.Fatal("nobody was to be asked about an unknown producer")
	}
	r.refuse(part(1, 0, 0, "a"), inTxn(g+1), wire.InvalidTxnState)
	r.put(part(1, 0, 0, "a"), inTxn(g))
	if again := r.p.Guard(1, 0, 1, false); again != 0 {
		t.Errorf("guard %d although the transaction is open", again)
	}
	r.put(part(1, 0, 1, "b"), inTxn(0))
	if got := r.put(part(1, 0, 0, "a"), inTxn(0)); !got.Duplicate {
		t.Errorf("the first batch again: %+v, want a duplicate", got)
	}
	// What carries no transaction is not asked about.
	r.put(valued("plain"), all)
	r.put(valued("idempotent", from(2, 0, 0)), all)
	r.refuse(valued("plain", from(1, 0, 2)), all, wire.InvalidTxnState)
	// A transactional batch of a request that names no transactional id.
	r.refuse(part(1, 0, 2, "c"), all, wire.TransactionalIDAuthorizationFailed)
}

func TestAMarkerVoidsTheGuardsBeforeIt(t *testing.T) {
	r := verified(t)
	g := r.p.Guard(1, 0, 0, false)
	// The coordinator vouched, and then the transaction ran out of its time.
	r.put(marker(1, 0, false), ours)
	r.refuse(part(1, 0, 0, "late"), inTxn(g), wire.InvalidTxnState)
	// A new transaction that does not know this partition: the stale answer is
	// not good for it either (KIP-890).
	second := r.p.Guard(1, 0, 0, false)
	r.refuse(part(1, 0, 0, "late"), inTxn(g), wire.InvalidTxnState)
	r.put(part(1, 0, 0, "in time"), inTxn(second))
	r.round()
	r.put(marker(1, 0, true), ours)
	r.round()
	if got := r.readAll(0, 1<<20).values(); !slices.Equal(got, []string{"in time"}) {
		t.Errorf("read %q", got)
	}
}

func TestWithAnEpochForEachTransactionOldBatchesAreFenced(t *testing.T) {
	r := verified(t)
	send := func(epoch int16, seq int32, value string) {
		t.Helper()
		r.put(part(1, epoch, seq, value), inTxn(r.p.Guard(1, epoch, seq, true)))
	}
	refuse := func(epoch int16, seq int32, want wire.Code) {
		t.Helper()
		r.refuse(part(1, epoch, seq, "x"), inTxn(r.p.Guard(1, epoch, seq, true)), want)
	}
	refuse(0, 3, wire.OutOfOrderSequenceNumber) // sequences begin at 0
	send(0, 0, "one")
	refuse(0, 2, wire.OutOfOrderSequenceNumber)
	r.refuse(marker(1, 0, true), strict, wire.InvalidProducerEpoch) // the end has a higher epoch
	r.put(marker(1, 1, true), strict)
	refuse(0, 1, wire.InvalidProducerEpoch) // late: its transaction has ended
	refuse(1, 1, wire.OutOfOrderSequenceNumber)
	r.put(marker(1, 1, true), strict) // the coordinator writes it again after a restart
	send(1, 0, "two")
	r.refuse(marker(1, 1, true), strict, wire.InvalidProducerEpoch) // not while the next is open
	r.put(marker(1, 2, false), strict)
	send(2, 0, "three")
	r.put(marker(1, 3, true), strict)
	r.round()
	if got := r.readAll(0, 1<<20).values(); !slices.Equal(got, []string{"one", "three"}) {
		t.Errorf("read %q, want what was committed", got)
	}
}

func TestNobodyIsAskedWhereItMakesNoDifference(t *testing.T) {
	off := memRig(t)
	if g := off.p.Guard(1, 0, 0, false); g != 0 {
		t.Errorf("guard %d with verification turned off", g)
	}
	if g := off.p.Guard(1, 0, 0, true); g == 0 {
		t.Error("nobody is told to put the partition into the transaction")
	}
	off.put(part(1, 0, 0, "a"), inTxn(0))
	off.conf.VerifyTransactions = true
	off.p.Configure(off.conf)
	if g := off.p.Guard(2, 0, 0, false); g == 0 {
		t.Error("no guard after it was turned on")
	}
	off.put(part(1, 0, 1, "b"), inTxn(0)) // its transaction is open

	r := verified(t)
	if g := r.p.Guard(-1, -1, -1, false); g != 0 {
		t.Errorf("guard %d without a producer", g)
	}
	r.become(Role{Leader: 2, LeaderEpoch: 1, PartitionEpoch: 1, Replicas: []int32{1, 2}, ISR: []int32{1, 2}})
	if g := r.p.Guard(1, 0, 0, false); g != 0 {
		t.Errorf("guard %d of a partition that is led elsewhere", g)
	}
	r.stop()
	if g := r.p.Guard(1, 0, 0, false); g != 0 {
		t.Errorf("guard %d of a closed partition", g)
	}
}

func TestGuardsEndWithTheLeadershipAndWithTime(t *testing.T) {
	r := verified(t, func(c *Config) { c.ProducerExpiry = time.Hour })
	g := r.p.Guard(1, 0, 0, false)
	r.become(Role{Leader: 2, LeaderEpoch: 1, PartitionEpoch: 1, Replicas: []int32{1, 2}, ISR: []int32{1, 2}})
	r.lead(2)
	r.refuse(part(1, 0, 0, "a"), inTxn(g), wire.InvalidTxnState)

	g = r.p.Guard(1, 0, 0, false)
	r.p.Expire(epochOfTests.Add(59 * time.Minute))
	r.put(part(1, 0, 0, "a"), inTxn(g))
	g = r.p.Guard(2, 0, 0, false)
	r.p.Expire(epochOfTests.Add(61 * time.Minute))
	r.refuse(part(2, 0, 0, "a"), inTxn(g), wire.InvalidTxnState)
	if infos, _ := r.p.Producers(); len(infos) != 1 || infos[0].ProducerID != 1 {
		t.Errorf("producers %+v, want the one with an open transaction", infos)
	}
}

func TestABatchThatTheDiskRefusesKeepsItsGuard(t *testing.T) {
	r := verified(t, func(c *Config) { c.Rules.MaxBatchBytes = 200 })
	g := r.p.Guard(1, 0, 0, false)
	r.refuse(valued(string(make([]byte, 300)), from(1, 0, 0), transactional), inTxn(g), wire.MessageTooLarge)
	r.put(part(1, 0, 0, "a"), inTxn(g))
}

func TestACoordinatorsTransactionalWriteNeedsAGuardToo(t *testing.T) {
	r := verified(t, func(c *Config) { c.Log.Internal = true })
	commit := func(g producer.Guard) AppendArgs { return AppendArgs{Acks: -1, Internal: true, Guard: g} }
	r.refuse(valued("offset", from(1, 0, -1), transactional), commit(0), wire.InvalidTxnState)
	g := r.p.Guard(1, 0, -1, true)
	r.put(valued("offset", from(1, 0, -1), transactional), commit(g))
	r.put(valued("another", from(1, 0, -1), transactional), commit(0))
	r.put(marker(1, 1, true), strict)
	r.refuse(valued("late", from(1, 0, -1), transactional), commit(g), wire.InvalidTxnState)
}
