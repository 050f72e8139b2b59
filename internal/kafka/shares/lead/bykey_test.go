package lead

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/share"
)

func fair(s *Settings) { s.Queue, s.Fair, s.MaxLocked = true, true, 100_000 }

func TestTakersGetGroupsByTurnsWhereverTheirRecordsLie(t *testing.T) {
	in(t, fair, func(r *rig) {
		for range 50 {
			r.append(strings.Repeat("a", 40))
		}
		r.append("bcb")
		r.want("one of each in turn, in the order of the log", r.lease(6, 60_000), "0-2:1@0 2000-2002:1@0")
		r.want("then what is left", r.lease(3, 60_000), "3-5:1@0")
		r.append("d")
		r.want("what comes new is the next but one", r.lease(2, 60_000), "6-6:1@0 2003-2003:1@0")
		r.want("said", r.say(word(2001, 1, share.Release, 5000), word(2002, 1, share.Release, 0)), "NONE NONE")
		r.want("what came back", r.lease(2, 60_000), "7-7:1@0 2002-2002:2@0")
		r.restart()
		pass(5 * time.Second)
		r.want("and after a restart, once its time has come", r.lease(2, 60_000), "8-8:1@0 2001-2001:2@0")
	})
}

// Members of the group read on in the order of the log, beside takers: nothing is
// given to both.
func TestMembersAndTakersShareWhatThereIs(t *testing.T) {
	in(t, fair, func(r *rig) {
		r.append("aaaa")
		r.append("bb")
		r.want("a taker", r.lease(2, 60_000), "0-0:1@0 4-4:1@0")
		r.want("a member", r.give("m", 2), "1-3:1")
		r.want("the taker again", r.lease(9, 60_000), "5-5:1@0")
		r.want("back", r.ack("m", 1, 2, share.Release), "NONE")
		r.want("to the taker", r.lease(1, 60_000), "1-1:2@0")
		r.want("and the member", r.give("n", 9), "2-2:2")
		r.want("done", r.ack("m", 3, 3, share.Accept), "NONE")
		r.want("nothing is left", r.lease(9, 60_000), "")
		if r.m.Part(r.key).Free() {
			t.Error("a taker is told that there is something")
		}
		r.append("c")
		if !r.m.Part(r.key).Free() {
			t.Error("a taker is not told of what came")
		}
	})
}

// What is given is no more bytes than were asked for, but one batch.
func TestATakeIsBoundedByItsBytes(t *testing.T) {
	for name, set := range map[string]func(*Settings){"fair": fair, "ordered": func(s *Settings) { s.Queue, s.KeyOrdered = true, true }} {
		t.Run(name, func(t *testing.T) {
			in(t, set, func(r *rig) {
				for range 6 {
					r.append("ab")
				}
				p := r.m.Part(r.key)
				p.Waiting(1)
				pass(time.Millisecond)
				var g Given
				take := func(most int) int {
					t.Helper()
					if err := p.Lease(&Want{MaxRecords: 100, MaxBytes: most, MinOne: true, LockMs: 1000}, &g, func(error) {}); err != nil {
						t.Fatal(err)
					}
					r.whole(&g)
					return g.Records
				}
				if n := take(1); n != 2 && n != 1 {
					t.Errorf("%d records for a byte, want those of one batch", n)
				}
				if n := take(3 * len(g.Bytes)); n < 3 || n > 7 || len(g.Bytes) > 3*100 {
					t.Errorf("%d records in %d bytes, want those of three batches", n, len(g.Bytes))
				}
			})
		})
	}
}

// Records of transactions that were aborted, and the marks of transactions, are
// nobody's, and hold nothing up.
func TestTakersDoNotSeeWhatWasAborted(t *testing.T) {
	in(t, func(s *Settings) { fair(s); s.Isolation = partition.ReadCommitted }, func(r *rig) {
		r.append("a")
		r.txn("bb", false)
		r.txn("cc", true)
		r.append("d")
		r.want("leased", r.lease(9, 1000), "0-0:1@0 4-5:1@0 7-7:1@0")
		r.want("done", r.say(word(0, 1, share.Accept, 0), word(4, 1, share.Accept, 0), word(5, 1, share.Accept, 0), word(7, 1, share.Accept, 0)), "NONE NONE NONE NONE")
		if st := r.store.state(); st.Start != 8 {
			t.Errorf("stored is the start %d, want 8: all is done", st.Start)
		}
	})
}

// txn writes a transaction of a producer, committed or aborted.
func (r *rig) txn(keys string, commit bool) {
	r.t.Helper()
	b := record.NewBuilder()
	for _, k := range keys {
		b.Add(time.Now().UnixMilli(), []byte(string(k)), []byte("v"))
	}
	r.seq++
	b.ProducerID, b.ProducerEpoch, b.BaseSequence, b.Transactional = int64(100+r.seq), 0, 0, true
	marker := record.EndTxnMarker(b.ProducerID, 0, commit, 0, time.Now().UnixMilli())
	for _, x := range [][]byte{b.Build(0), marker} {
		var got partition.Appended
		if err := r.part.Append(x, &partition.AppendArgs{Acks: 1, Internal: true}, &got); err != nil {
			r.t.Fatal(err)
		}
	}
}

// keyedID appends a record with a deduplication id.
func (r *rig) keyedID(key, id string) Written { return r.named(key, id, "") }

// named is keyedID of a record with a name of its own.
func (r *rig) named(key, id, name string) Written {
	r.t.Helper()
	now := time.Now().UnixMilli()
	b := record.NewBuilder()
	headers := []record.RecordHeader{{Key: DedupID, Value: []byte(id)}}
	if name != "" {
		headers = append(headers, record.RecordHeader{Key: MessageID, Value: []byte(name)})
	}
	b.Add(now, []byte(key), []byte("v"), headers...)
	var got partition.Appended
	if err := r.part.Append(b.Build(0), &partition.AppendArgs{Acks: 1}, &got); err != nil {
		r.t.Fatal(err)
	}
	return Written{Offset: got.BaseOffset, AtMs: now, ID: share.DedupOf(nil, []byte(id))}
}

// firsts asks a part, once it is loaded.
func (r *rig) firsts(of ...Written) []First {
	r.t.Helper()
	for range loads {
		if got, err := r.m.Part(r.key).Firsts(of); err == nil {
			return got
		}
		pass(time.Millisecond)
	}
	r.t.Error("it is not loaded")
	return nil
}

// However many records repeat others of long names, what is told of them is bounded.
func TestNamesOfRepeatsHaveABudget(t *testing.T) {
	in(t, func(s *Settings) { s.Queue, s.KeyOrdered, s.DedupMs = true, true, 1000 }, func(r *rig) {
		long, short := strings.Repeat("n", namingTells/2+1), "short"
		r.named("a", "x", long)
		r.named("a", "y", short)
		r.named("a", "z", strings.Repeat("n", namingTells+1))
		x, y, z := r.keyedID("a", "x"), r.keyedID("a", "y"), r.keyedID("a", "z")
		var got []string
		for _, f := range r.firsts(x, x, y, y, z) {
			got = append(got, fmt.Sprintf("%d:%d", f.Offset, len(f.Name)))
		}
		r.want("offsets and names", strings.Join(got, " "), fmt.Sprintf("0:%d 0:0 1:5 1:5 2:0", len(long)))
	})
}

func TestRepeatsAreKnownBeforeAnybodyTakes(t *testing.T) {
	in(t, func(s *Settings) { s.Queue, s.KeyOrdered, s.DedupMs = true, true, 1000 }, func(r *rig) {
		firsts := func(of ...Written) string {
			t.Helper()
			var out []string
			for _, f := range r.firsts(of...) {
				out = append(out, fmt.Sprint(f.Offset))
			}
			return strings.Join(out, " ")
		}
		x, y, again := r.keyedID("a", "x"), r.keyedID("a", "y"), r.keyedID("b", "x")
		r.want("repeats", firsts(x, y, again), "0 1 0")
		r.want("takers do not get them", r.lease(9, 500), "0-1:1@0")
		r.want("asked again", firsts(again), "0")
		r.restart()
		r.want("by a new state", firsts(x, again, r.keyedID("c", "y")), "0 0 1")
		pass(time.Second)
		r.want("a new window", firsts(r.keyedID("a", "x"), r.keyedID("a", "x")), "4 4")
	})
}
