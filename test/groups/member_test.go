//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
	"ottla/test/history"
)

// notes is a journal in memory that tells of each operation as it comes.
type notes struct {
	mu  sync.Mutex // guards what follows
	now int64
	ops []history.Op

	news chan history.Op
}

func (n *notes) Now() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now++
	return n.now
}

func (n *notes) Add(op history.Op) {
	n.mu.Lock()
	n.ops = append(n.ops, op)
	n.mu.Unlock()
	n.news <- op
}

// until reads what comes until want holds.
func (n *notes) until(ctx context.Context, t *testing.T, what string, want func(op history.Op) bool) {
	t.Helper()
	for {
		select {
		case op := <-n.news:
			if want(op) {
				return
			}
		case <-ctx.Done():
			t.Fatalf("%s never came", what)
		}
	}
}

func newNotes() *notes { return &notes{news: make(chan history.Op, 10_000)} }

// A member on a healthy node, in each protocol: it says what it is given, reads,
// says what it read before it commits it, and says that it commits before it
// does.
func TestAMemberSaysWhatItDoesBeforeItMatters(t *testing.T) {
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			settings := map[string]string{"group.initial.rebalance.delay.ms": "0", "group.min.session.timeout.ms": "1000"}
			for _, kv := range p.settings {
				k, v, _ := strings.Cut(kv, "=")
				settings[k] = v
			}
			node, err := ottla.Start(ctx, ottla.Options{Settings: settings})
			if err != nil {
				t.Fatal(err)
			}
			defer node.Close()
			send(ctx, t, node.Addr())
			n := newNotes()
			o := orders{Address: node.Addr(), Topic: "t", Group: "g", Protocol: p.name, Reads: 1, Claims: 2}
			l, err := startLocal(ctx, o, n)
			if err != nil {
				t.Fatal(err)
			}
			n.until(ctx, t, "a commit that was taken", func(op history.Op) bool { return op.Kind == history.Commit && op.Outcome == history.OK })
			l.leave()
			n.until(ctx, t, "the member's end", func(op history.Op) bool { return op.Kind == history.Crash })
			inOrder(t, n.ops)
			if v := judge(n.ops, true); len(v.groups.count) > 0 {
				t.Errorf("%v", v)
			}
		})
	}
}

// send makes the topic and writes five records into each of its partitions.
func send(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if r, err := kadm.NewClient(c).CreateTopic(ctx, 2, 1, nil, "t"); err != nil || r.Err != nil {
		t.Fatal(err, r.Err)
	}
	for i := range 10 {
		r := &kgo.Record{Topic: "t", Partition: int32(i % 2), Value: fmt.Appendf(nil, "%d xxx", i)}
		if err := c.ProduceSync(ctx, r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// inOrder checks one member's operations: what is committed was read, and said,
// before; a commit was announced before it was taken.
func inOrder(t *testing.T, ops []history.Op) {
	t.Helper()
	next := map[string]int64{}
	announced := map[history.Position]bool{}
	taken := 0
	for _, op := range ops {
		if op.End <= op.Start {
			t.Errorf("%s ends at %d and starts at %d", op.Kind, op.End, op.Start)
		}
		for _, m := range op.Micro {
			for _, r := range m.Records {
				next[m.Partition] = r.Offset() + 1
			}
		}
		for _, p := range op.Positions {
			switch {
			case op.Kind == history.Commit && op.Outcome == history.Info:
				announced[p] = true
				if p.Offset > next[p.Partition] {
					t.Errorf("%v is to be committed, and %d was said to be next", p, next[p.Partition])
				}
			case op.Kind == history.Commit:
				taken++
				if !announced[p] {
					t.Errorf("%v was taken and not announced", p)
				}
			}
		}
	}
	if taken == 0 || !slices.ContainsFunc(ops, func(op history.Op) bool { return op.Kind == history.Subscribe && len(op.Positions) == 2 }) {
		t.Errorf("%d positions were committed, and nobody was given both partitions", taken)
	}
}

func TestTheLastLineOfAKilledMemberMayBeCutOff(t *testing.T) {
	n := newNotes()
	c := &child{orders: orders{Reads: 5}, journal: n, ended: make(chan struct{})}
	var text bytes.Buffer
	for start := range int64(3) {
		line, err := json.Marshal(history.Op{Process: 5, Kind: history.Poll, Outcome: history.OK, Start: start})
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
	}
	text.Truncate(text.Len() - 4)
	c.take(&text)
	if len(n.ops) != 2 || n.ops[1].Start != 1 {
		t.Errorf("%d operations were taken over, want the 2 that are whole", len(n.ops))
	}
}

func TestALineThatIsNoneIsKeptAsTheMembersFailure(t *testing.T) {
	n := newNotes()
	c := &child{orders: orders{Reads: 5}, journal: n, ended: make(chan struct{})}
	c.take(strings.NewReader("panic: no\n"))
	if len(n.ops) != 1 || n.ops[0].Outcome != history.Fail || n.ops[0].Error == "" {
		t.Errorf("%+v", n.ops)
	}
}

func TestTheJournalOfAProcessIsLinesAndItsTimesRise(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l := &lines{base: monotonic(), out: w}
	before := l.Now()
	for range 1000 {
		now := l.Now()
		if now <= before {
			t.Fatalf("%d comes after %d", now, before)
		}
		before = now
	}
	l.Add(history.Op{Process: 9, Kind: history.Commit, Start: before})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	ops, err := history.Read(bytes.NewReader(text))
	if err != nil || len(ops) != 1 || ops[0].Process != 9 || ops[0].Start != before {
		t.Errorf("%v, %v", ops, err)
	}
}

func TestValuesAreWhatTheProducersWrote(t *testing.T) {
	for text, want := range map[string]int64{"17 xxxx": 17, "0 ": 0, "8": 8, "": -1, "x 3": -1, "99999999999999999999 ": -1} {
		if got := valueOf([]byte(text)); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func TestAGroupIsBehindUntilAllIsCommitted(t *testing.T) {
	v := &watcher{topic: "t", partitions: 2, groups: []string{"a", "b"},
		latest: map[string]map[int32]int64{}, moved: map[string]time.Time{}, stood: map[string]time.Duration{}}
	ends := kadm.ListedOffsets{"t": {0: {Topic: "t", Partition: 0, Offset: 4}, 1: {Topic: "t", Partition: 1, Offset: 6}}}
	for _, c := range []struct {
		group string
		now   map[int32]int64
		want  string
		left  int64
	}{
		{"a", map[int32]int64{0: -1, 1: 6}, "a", 4},
		{"a", map[int32]int64{0: 4, 1: 6}, "b", 10},
		{"b", map[int32]int64{0: 4, 1: 5}, "b", 1},
		{"b", map[int32]int64{0: 4, 1: 6}, "", 0},
	} {
		v.note(c.group, c.now)
		if got, left := v.behind(ends); got != c.want || left != c.left {
			t.Errorf("after %s has %v: %q is %d behind, want %q, %d", c.group, c.now, got, left, c.want, c.left)
		}
	}
	if v.moved["a"].IsZero() || v.moved["b"].IsZero() {
		t.Error("nobody noted that the groups moved")
	}
}
