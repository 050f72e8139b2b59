package history

import "slices"

// plants are the faults, each with the rule that must find it.
var plants = []struct {
	name, rule string
	plant      func(g *garden) bool
}{
	{"an acknowledged record is gone", "lost-write", func(g *garden) bool {
		i, ok := g.pick(func(op *Op) bool {
			return acked(op) && op.Micro[0].Records[0].Offset() < g.end(op.Micro[0].Partition).Offset()
		})
		g.hide(g.ops[i].Micro[0].Records[0].Value(), nil)
		return ok
	}},
	{"the acknowledged tail is gone", "unseen", func(g *garden) bool {
		i, ok := g.pick(func(op *Op) bool {
			return acked(op) && op.Micro[0].Records[0] == g.end(op.Micro[0].Partition)
		})
		if ok {
			g.hide(g.ops[i].Micro[0].Records[0].Value(), nil)
		}
		return ok
	}},
	{"a whole partition is gone", "unseen", func(g *garden) bool {
		for i := range g.ops {
			for j := range g.ops[i].Micro {
				if m := &g.ops[i].Micro[j]; m.Kind == Poll && m.Partition == name(1) {
					m.Records = nil
				}
			}
		}
		return true
	}},
	{"an acknowledged record at no known offset is gone", "unseen", func(g *garden) bool {
		i, ok := g.pick(acked)
		rec := &g.ops[i].Micro[0].Records[0]
		g.hide(rec.Value(), nil)
		rec[0] = -1
		return ok
	}},
	{"a read_committed reader misses a record", "internal-poll-skip", func(g *garden) bool { return dropInside(g, true) }},
	{"a plain reader misses a record", "internal-poll-skip", func(g *garden) bool { return dropInside(g, false) }},
	{"a poll begins too late", "poll-skip", func(g *garden) bool {
		_, m, ok := g.polled(3, true)
		if ok {
			m.Records = m.Records[1:]
		}
		return ok
	}},
	{"an assignment begins too late", "poll-skip", func(g *garden) bool {
		p := name(2)
		end := g.end(p)
		g.add(Op{Process: 901, Kind: Assign, Positions: []Position{{p, 0}}})
		g.add(Op{Process: 901, Kind: Poll, Committed: true, Micro: []Micro{{Kind: Poll, Partition: p, Records: []Record{end}}}})
		return end.Offset() > 0
	}},
	{"two records of a poll are swapped", "internal-nonmonotonic-poll", func(g *garden) bool {
		_, m, ok := g.polled(2, true)
		if ok {
			m.Records[0], m.Records[1] = m.Records[1], m.Records[0]
		}
		return ok
	}},
	{"a record comes twice in a poll", "internal-nonmonotonic-poll", func(g *garden) bool {
		_, m, ok := g.polled(2, false)
		if ok {
			m.Records = slices.Insert(m.Records, 1, m.Records[0])
		}
		return ok
	}},
	{"a reader goes back", "nonmonotonic-poll", func(g *garden) bool {
		op, m, ok := g.polled(2, true)
		if ok {
			g.add(Op{Process: op.Process, Kind: Poll, Committed: true, Micro: []Micro{{Kind: Poll, Partition: m.Partition, Records: m.Records[:1]}}})
			last := &g.ops[len(g.ops)-1] // at once after the poll, whatever it did later
			last.Start, last.End = op.Start, op.End
		}
		return ok
	}},
	{"a reader is given what lies before its assignment", "nonmonotonic-poll", func(g *garden) bool {
		p := name(0)
		end := g.end(p)
		g.add(Op{Process: 902, Kind: Assign, Positions: []Position{{p, end.Offset() + 1}}})
		g.add(Op{Process: 902, Kind: Poll, Micro: []Micro{{Kind: Poll, Partition: p, Records: []Record{end}}}})
		return end.Offset() >= 0
	}},
	{"two acknowledgements at one offset", "inconsistent-offsets", func(g *garden) bool {
		i, ok := g.pick(acked)
		j, _ := g.pick(func(op *Op) bool {
			return acked(op) && op.Micro[0].Partition == g.ops[i].Micro[0].Partition && op.Start != g.ops[i].Start
		})
		g.ops[i].Micro[0].Records[0][0] = g.ops[j].Micro[0].Records[0][0]
		return ok
	}},
	{"two readers see two values at an offset", "inconsistent-offsets", func(g *garden) bool {
		_, m, ok := g.polled(2, true)
		if ok {
			m.Records[0][1] = m.Records[1][1]
		}
		return ok
	}},
	{"a record is there twice", "duplicate", func(g *garden) bool {
		i, ok := g.pick(acked)
		m := g.ops[i].Micro[0]
		g.sight(m.Partition, Record{g.end(m.Partition).Offset() + 1, m.Records[0].Value()}, true)
		return ok
	}},
	{"an unanswered record is there twice", "duplicate", func(g *garden) bool {
		i, ok := g.pick(func(op *Op) bool {
			return op.Kind == Send && op.Outcome == Info && g.seen(op.Micro[0].Records[0].Value())
		})
		m := g.ops[i].Micro[0]
		g.sight(m.Partition, Record{g.end(m.Partition).Offset() + 1, m.Records[0].Value()}, true)
		return ok
	}},
	{"an acknowledgement names another offset", "duplicate", func(g *garden) bool {
		i, ok := g.pick(acked)
		m := &g.ops[i].Micro[0]
		m.Records[0][0] = g.end(m.Partition).Offset() + 7
		return ok
	}},
	{"a value from nowhere", "phantom", func(g *garden) bool {
		g.sight(name(1), Record{g.end(name(1)).Offset() + 1, 1 << 40}, false)
		return true
	}},
	{"a value in another partition", "phantom", func(g *garden) bool {
		i, ok := g.pick(func(op *Op) bool { return acked(op) && op.Micro[0].Partition == name(1) })
		g.sight(name(2), Record{g.end(name(2)).Offset() + 1, g.ops[i].Micro[0].Records[0].Value()}, true)
		return ok
	}},
	{"an aborted record is read", "aborted-read", func(g *garden) bool {
		i, ok := g.pick(transaction(Fail))
		g.sight(g.ops[i].Micro[0].Partition, g.ops[i].Micro[0].Records[0], true)
		return ok
	}},
	{"a refused record is read", "aborted-read", func(g *garden) bool {
		i, ok := g.pick(func(op *Op) bool { return op.Kind == Send && op.Outcome == Fail })
		m := g.ops[i].Micro[0]
		g.sight(m.Partition, Record{g.end(m.Partition).Offset() + 1, m.Records[0].Value()}, false)
		return ok
	}},
	{"a transaction was committed and is called aborted", "aborted-read", func(g *garden) bool {
		i, ok := g.pick(transaction(OK))
		g.ops[i].Outcome = Fail
		return ok
	}},
	{"a transaction reads its own write", "precommitted-read", func(g *garden) bool {
		i, ok := g.pick(transaction(OK))
		m := g.ops[i].Micro[0]
		m.Kind = Poll
		g.ops[i].Micro = append(g.ops[i].Micro, m)
		return ok
	}},
	{"a transaction of unknown end is torn", "torn-txn", func(g *garden) bool {
		i, ok := g.pick(func(op *Op) bool {
			return transaction(Info)(op) && g.seen(op.Micro[0].Records[0].Value())
		})
		g.hide(g.ops[i].Micro[0].Records[0].Value(), nil)
		return ok
	}},
	{"a committed transaction is torn", "torn-txn", func(g *garden) bool {
		i, ok := g.pick(transaction(OK))
		g.hide(g.ops[i].Micro[1].Records[0].Value(), nil)
		return ok
	}},
	{"two acknowledgements are swapped", "nonmonotonic-send", func(g *garden) bool {
		i, ok := g.pick(acked)
		j, also := g.pick(func(op *Op) bool {
			return acked(op) && op.Process == g.ops[i].Process && op.Micro[0].Partition == g.ops[i].Micro[0].Partition && op.Start != g.ops[i].Start
		})
		a, b := &g.ops[i].Micro[0].Records[0], &g.ops[j].Micro[0].Records[0]
		a[0], b[0] = b[0], a[0]
		return ok && also
	}},
	{"two sends of a transaction are swapped", "internal-nonmonotonic-send", func(g *garden) bool {
		i, ok := g.pick(func(op *Op) bool {
			return op.Kind == Txn && op.Outcome == OK && op.Micro[0].Kind == Send && op.Micro[1].Kind == Send && op.Micro[0].Partition == op.Micro[1].Partition
		})
		a, b := &g.ops[i].Micro[0].Records[0], &g.ops[i].Micro[1].Records[0]
		a[0], b[0] = b[0], a[0]
		return ok
	}},
	{"two transactions read each other", "g1c", func(g *garden) bool { return circle(g, 2) }},
	{"five transactions read each other", "g1c", func(g *garden) bool { return circle(g, 5) }},
	{"a committed offset is read and gone", "committed-offset-fell", func(g *garden) bool {
		return stale(g, Committed, 7)
	}},
	{"a commit is lost", "committed-offset-fell", func(g *garden) bool { return stale(g, Committed, 0) }},
	{"a commit goes back", "committed-offset-fell", func(g *garden) bool { return stale(g, Commit, 0) }},
	{"all committed offsets are gone", "committed-offset-fell", func(g *garden) bool { return stale(g, Committed, 1<<40) }},
	{"a committed offset from nowhere", "committed-offset-from-nowhere", func(g *garden) bool {
		g.add(Op{Process: 41, Kind: Committed, Group: "g", Positions: []Position{{name(0), 1 << 30}}})
		return true
	}},
	{"one partition has two owners", "two-owners", func(g *garden) bool {
		i, ok := g.pick(func(op *Op) bool { return op.Kind == Subscribe && len(op.Positions) > 0 })
		op := g.ops[i]
		op.Process, op.Member, op.Positions = 33, "m33", op.Positions[:1]
		g.add(op)
		return ok
	}},
	{"a member begins below the commit", "resume-below-commit", func(g *garden) bool { return resume(g, 3, 2) }},
	{"a member begins beyond every commit", "resume-skip", func(g *garden) bool { return resume(g, 3, 9) }},
	{"the last stable offset is above the high watermark", "marks-order", func(g *garden) bool {
		return marked(g, func(m *Micro) { m.Marks.LastStable = m.Marks.High + 1 })
	}},
	{"the high watermark is above the end", "marks-order", func(g *garden) bool {
		return marked(g, func(m *Micro) { m.Marks.High = m.Marks.LogEnd + 1 })
	}},
	{"the log starts after its end", "marks-order", func(g *garden) bool {
		return marked(g, func(m *Micro) { m.Marks.LogStart = m.Marks.LogEnd + 1 })
	}},
	{"the high watermark falls", "high-watermark-fell", func(g *garden) bool {
		return marked(g, func(m *Micro) { m.Marks.High, m.Marks.LogEnd = 1<<40, 1<<40 })
	}},
	{"a record above the high watermark", "read-above-mark", func(g *garden) bool {
		return marked(g, func(m *Micro) { m.Marks.High, m.Marks.LastStable = m.Records[0].Offset(), m.Records[0].Offset() })
	}},
	{"a record above the last stable offset", "read-above-mark", func(g *garden) bool {
		return marked(g, func(m *Micro) { m.Marks.LastStable = m.Records[0].Offset() })
	}},
}

// dropInside takes a record out of the middle of one poll.
func dropInside(g *garden, committed bool) bool {
	_, m, ok := g.polled(3, committed)
	if ok {
		m.Records = slices.Delete(m.Records, 1, 2)
	}
	return ok
}

// circle lets n transactions read each other's first writes.
func circle(g *garden, n int) bool {
	var all []int
	for i := range g.ops {
		if transaction(OK)(&g.ops[i]) {
			all = append(all, i)
		}
	}
	if len(all) < n {
		return false
	}
	for k := range n {
		m := g.ops[all[(k+1)%n]].Micro[0]
		m.Kind = Poll
		g.ops[all[k]].Micro = append(g.ops[all[k]].Micro, m)
	}
	return true
}

// stale adds a group of its own whose offset falls by so much.
func stale(g *garden, k Kind, by int64) bool {
	at := func(o int64) []Position { return []Position{{name(0), max(-1, o)}} }
	g.add(Op{Process: 42, Kind: Commit, Group: "s", Positions: at(10)})
	g.add(Op{Process: 42, Kind: Reset, Group: "s", Positions: at(5)})
	g.add(Op{Process: 42, Kind: Commit, Group: "s", Positions: at(20)})
	if by > 0 {
		g.add(Op{Process: 43, Kind: Committed, Group: "s", Positions: at(20)})
	}
	g.add(Op{Process: 43, Kind: k, Group: "s", Positions: at(19 - by)})
	return true
}

// resume adds a group whose member begins at the n-th record where so many are
// committed.
func resume(g *garden, committed, n int) bool {
	var there []Record
	for i := range g.ops {
		if op := &g.ops[i]; acked(op) && op.Micro[0].Partition == name(0) {
			there = append(there, op.Micro[0].Records[0])
		}
	}
	if len(there) <= n {
		return false
	}
	g.add(Op{Process: 44, Kind: Commit, Group: "r", Positions: []Position{{name(0), there[committed].Offset()}}})
	g.add(Op{Process: 45, Kind: Subscribe, Group: "r", Member: "m45", Generation: 2, Positions: []Position{{name(0), -1}}})
	g.add(Op{Process: 45, Kind: Poll, Committed: true, Micro: []Micro{{Kind: Poll, Partition: name(0), Records: there[n : n+1]}}})
	return true
}

// marked changes the marks of one poll that is not the last of its reader.
func marked(g *garden, change func(m *Micro)) bool {
	final := g.reader()
	i, ok := g.pick(func(op *Op) bool {
		return op.Kind == Poll && op.Committed && !op.Final && op.Process == final && len(op.Micro[0].Records) > 0
	})
	if ok {
		change(&g.ops[i].Micro[0])
	}
	return ok
}
