package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func txnEndWrong(s *scene) {
	t := s.create("t", 2)
	for v := range int16(6) {
		x := s.transactional(fmt.Sprintf("x%d", v))
		for _, commit := range []bool{true, false} {
			try := func(label string, change func(*kmsg.EndTxnRequest)) {
				x.call(fmt.Sprintf("%s, commit %v v%d", label, commit, v), x.end(v, commit, change))
			}
			try("unknown id", func(r *kmsg.EndTxnRequest) { r.TransactionalID += "-none" })
			try("empty id", func(r *kmsg.EndTxnRequest) { r.TransactionalID = "" })
			try("another producer", func(r *kmsg.EndTxnRequest) { r.ProducerID++ })
			try("an earlier epoch", func(r *kmsg.EndTxnRequest) { r.ProducerEpoch-- })
			try("a later epoch", func(r *kmsg.EndTxnRequest) { r.ProducerEpoch++ })
			try("nothing to end", nil)
			x.call(fmt.Sprintf("adds v%d", v), x.add(3, t, nil))
			try("open, an earlier epoch", func(r *kmsg.EndTxnRequest) { r.ProducerEpoch-- })
			try("open, a later epoch", func(r *kmsg.EndTxnRequest) { r.ProducerEpoch++ })
			try("good", nil)
		}
	}
}

// txnEndAgain repeats ends, as a client does that has not seen the answer.
func txnEndAgain(s *scene) {
	t := s.create("t", 2)
	for v := range int16(6) {
		x := s.transactional(fmt.Sprintf("x%d", v))
		for _, commit := range []bool{true, false} {
			x.call(fmt.Sprintf("adds v%d", v), x.add(3, t, nil))
			old := *x
			x.call(fmt.Sprintf("ends, commit %v v%d", commit, v), x.end(v, commit, nil))
			old.call(fmt.Sprintf("ends again, commit %v v%d", commit, v), old.end(v, commit, nil))
			old.call(fmt.Sprintf("ends the other way, commit %v v%d", commit, v), old.end(v, !commit, nil))
			x.call(fmt.Sprintf("ends with the new epoch, commit %v v%d", commit, v), x.end(v, commit, nil))
			x.call(fmt.Sprintf("adds again v%d", v), x.add(3, t, nil))
			old.call(fmt.Sprintf("ends late, commit %v v%d", commit, v), old.end(v, commit, nil))
			x.call(fmt.Sprintf("aborts v%d", v), x.end(v, false, nil))
		}
	}
}

func txnFenced(s *scene) {
	t := s.create("t", 2)
	g := s.group("g")
	s.ready(g)
	for _, d := range []dialect{dialects[0], dialects[1], dialects[3], dialects[4], dialects[6]} {
		x := s.transactional(fmt.Sprintf("x%d", d.produce))
		x.write(d, t, 0)
		twin := *x
		twin.call(fmt.Sprintf("a twin begins (%v)", d), twin.init(5, nil))
		if d.add >= 0 {
			x.call(fmt.Sprintf("fenced adds (%v)", d), x.add(d.add, t, nil))
			x.call(fmt.Sprintf("fenced adds offsets (%v)", d), x.addOffsets(min(d.end, 4), g, nil))
		}
		x.call(fmt.Sprintf("fenced produces (%v)", d), x.produce(d.produce, t, 0, nil))
		x.call(fmt.Sprintf("fenced produces elsewhere (%v)", d), x.produce(d.produce, t, 1, nil))
		x.call(fmt.Sprintf("fenced commits offsets (%v)", d), x.commitOffsets(d.end, g, t, nil))
		x.call(fmt.Sprintf("fenced commits (%v)", d), x.end(d.end, true, nil))
		x.call(fmt.Sprintf("fenced begins anew (%v)", d), x.init(5, func(r *kmsg.InitProducerIDRequest) { r.ProducerID, r.ProducerEpoch = x.producer, x.epoch }))
		twin.write(d, t, 0)
		twin.finish(d, true)
		s.whole(fmt.Sprintf("then (%v)", d), t)
	}
}

// txnTimeout leaves a transaction open until the broker ends it.
func txnTimeout(s *scene) {
	for _, d := range []dialect{dialects[1], dialects[4], dialects[6]} {
		t := s.create(fmt.Sprintf("t%d", d.produce), 2)
		x := s.transactional(fmt.Sprintf("x%d", d.produce))
		x.call(fmt.Sprintf("a time-out of a second (%v)", d), x.init(5, func(r *kmsg.InitProducerIDRequest) { r.TransactionTimeoutMillis = 1000 }))
		x.write(d, t, 0)
		s.decided(t)
		x.call(fmt.Sprintf("produces too late (%v)", d), x.produce(d.produce, t, 0, nil))
		if d.add >= 0 {
			x.call(fmt.Sprintf("adds too late (%v)", d), x.add(d.add, t, nil))
		}
		x.call(fmt.Sprintf("commits too late (%v)", d), x.end(d.end, true, nil))
		x.call(fmt.Sprintf("aborts too late (%v)", d), x.end(d.end, false, nil))
		x.call(fmt.Sprintf("begins anew (%v)", d), x.init(5, func(r *kmsg.InitProducerIDRequest) { r.ProducerID, r.ProducerEpoch = x.producer, x.epoch }))
		x.write(d, t, 0)
		x.finish(d, true)
		s.whole(fmt.Sprintf("then (%v)", d), t)
	}
}

// txnRestart restarts the broker under transactions in every state.
func txnRestart(s *scene) {
	t, other := s.create("t", 2), s.create("other", 2)
	old, latest := dialects[1], dialects[6]
	open, openToo, done := s.transactional("open"), s.transactional("opentoo"), s.transactional("done")
	open.write(latest, t, 0)
	openToo.write(old, t, 0)
	done.write(latest, t, 0)
	done.finish(latest, false)
	done.write(latest, other, 0)
	done.finish(latest, true)
	s.hangUp()
	if err := s.node.Stop(); err != nil {
		panic(broken{err})
	}
	if err := s.node.Start(s.ctx); err != nil {
		panic(broken{err})
	}
	s.awaitLeaders(t, 2)
	s.awaitLeaders(other, 2)
	s.both("still open", t, 12, 0)
	for _, x := range []*txn{open, openToo, done} {
		s.settledDescribe(x.short(), x.id)
	}
	open.write(latest, t, 0)
	open.finish(latest, true)
	s.until(func() bool { return s.stableAt(t) > 0 })
	openToo.write(old, t, 0)
	openToo.finish(old, false)
	done.write(latest, other, 0)
	done.finish(latest, true)
	s.whole("then", t)
	s.whole("other", other)
}

func txnTopicDeleted(s *scene) {
	t, other := s.create("t", 2), s.create("other", 2)
	x := s.transactional("x")
	d := dialects[6]
	x.write(d, t, 0)
	x.write(d, other, 0)
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.SetVersion(5)
	req.TopicNames, req.TimeoutMillis = []string{t.name}, 5000
	s.send("delete", req)
	x.finish(d, true)
	s.whole("other", other)
	x.write(d, other, 0)
	x.finish(d, true)
	s.whole("other after", other)
}

func transactionsDescribed(ids ...string) *kmsg.DescribeTransactionsRequest {
	req := kmsg.NewPtrDescribeTransactionsRequest()
	req.TransactionalIDs = ids
	return req
}

func txnDescribed(s *scene) {
	t := s.create("t", 2)
	x := s.transactional("x")
	s.send("new", transactionsDescribed(x.id))
	x.write(dialects[6], t, 1)
	s.send("open", transactionsDescribed(x.id))
	x.write(dialects[6], t, 0)
	x.finish(dialects[6], true)
	s.whole("committed", t)
	s.settledDescribe("after the commit", x.id)
	x.write(dialects[1], t, 0)
	x.finish(dialects[1], false)
	s.whole("aborted", t)
	s.settledDescribe("after the abort", x.id)
	s.send("unknown", transactionsDescribed(x.id+"-none"))
	s.send("empty", transactionsDescribed(""))
	s.send("nothing", transactionsDescribed())
	s.send("twice", transactionsDescribed(x.id, x.id))
}

// settledDescribe describes a transaction that is not on its way to an end.
func (s *scene) settledDescribe(label, id string) {
	s.ended(id)
	s.send(label, transactionsDescribed(id))
}

// ended waits until the end of a transaction is complete: Kafka answers EndTxn
// before all markers are written, those too that go where nothing was written.
func (s *scene) ended(id string) {
	s.until(func() bool {
		got := s.must("describe", transactionsDescribed(id)).(*kmsg.DescribeTransactionsResponse)
		if len(got.TransactionStates) != 1 {
			return false
		}
		state := got.TransactionStates[0]
		return (state.ErrorCode < 14 || state.ErrorCode > 16) && !strings.HasPrefix(state.State, "Prepare")
	})
}

// listTransactions shows this story's transactions only, sorted.
func (s *scene) listTransactions(label string, version int16, change func(*kmsg.ListTransactionsRequest)) {
	req := kmsg.NewPtrListTransactionsRequest()
	req.SetVersion(version)
	req.DurationFilterMillis = -1
	if change != nil {
		change(req)
	}
	label = s.step(fmt.Sprintf("%s v%d", label, version))
	resp, err := s.exchange(req, patience)
	if err != nil {
		s.lines.add(label, "side", err.Error())
		s.hangUp()
		return
	}
	r := resp.(*kmsg.ListTransactionsResponse)
	r.TransactionStates = slices.DeleteFunc(r.TransactionStates, func(x kmsg.ListTransactionsResponseTransactionState) bool {
		return !strings.HasPrefix(x.TransactionalID, s.run+"-")
	})
	slices.SortFunc(r.TransactionStates, func(a, b kmsg.ListTransactionsResponseTransactionState) int {
		return strings.Compare(a.TransactionalID, b.TransactionalID)
	})
	slices.Sort(r.UnknownStateFilters)
	s.lines.answer(label, r)
}

func txnListed(s *scene) {
	t := s.create("t", 2)
	open, done, idle := s.transactional("open"), s.transactional("done"), s.transactional("idle")
	open.write(dialects[6], t, 0)
	done.write(dialects[6], t, 1)
	done.finish(dialects[6], true)
	s.settledDescribe("done", done.id)
	list := func(label string, version int16, change func(*kmsg.ListTransactionsRequest)) {
		s.listTransactions(label, version, change)
	}
	for v := range int16(4) {
		list("all", v, nil)
		list("of a state", v, func(r *kmsg.ListTransactionsRequest) { r.StateFilters = []string{"Ongoing"} })
		list("of states", v, func(r *kmsg.ListTransactionsRequest) {
			r.StateFilters = []string{"CompleteCommit", "Empty", "ongoing", "Nonsense", "Dead"}
		})
		list("of a producer", v, func(r *kmsg.ListTransactionsRequest) { r.ProducerIDFilters = []int64{open.producer, 99_999_999} })
		list("of a producer and a state", v, func(r *kmsg.ListTransactionsRequest) {
			r.ProducerIDFilters, r.StateFilters = []int64{idle.producer}, []string{"Ongoing"}
		})
	}
	for _, v := range []int16{1, 2} {
		list("open for 0 ms", v, func(r *kmsg.ListTransactionsRequest) { r.DurationFilterMillis = 0 })
		list("open for an hour", v, func(r *kmsg.ListTransactionsRequest) { r.DurationFilterMillis = 3_600_000 })
		list("open for -5 ms", v, func(r *kmsg.ListTransactionsRequest) { r.DurationFilterMillis = -5 })
	}
	for i, pattern := range []string{".*", "", s.run + "-(open|idle)", s.run + "-o", "(", s.run + `-\w+e$`, "(?i)" + strings.ToUpper(s.run) + "-IDLE", `(a)\1`} {
		list(fmt.Sprintf("pattern %d", i), 2, func(r *kmsg.ListTransactionsRequest) { r.TransactionalIDPattern = &pattern })
	}
	open.finish(dialects[6], false)
}
