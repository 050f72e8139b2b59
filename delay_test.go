package ottla_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
)

// later writes a record to a delay line.
func later(t *testing.T, c *kgo.Client, line, value, header, when string) {
	t.Helper()
	r := &kgo.Record{Topic: line, Key: []byte("k"), Value: []byte(value), Headers: []kgo.RecordHeader{{Key: header, Value: []byte(when)}, {Key: "kept", Value: []byte("yes")}}}
	if err := c.ProduceSync(within(t), r).FirstErr(); err != nil {
		t.Fatalf("produce %s to %s: %v", value, line, err)
	}
}

// line makes a delay line that delivers to a topic.
func line(t *testing.T, node *ottla.Server, name, to string) {
	t.Helper()
	create(t, node, to, 1, nil)
	create(t, node, name, 1, map[string]*string{"deliver.to": &to})
}

func TestADelayLineDeliversWhenTheTimeHasCome(t *testing.T) {
	places(t, func(t *testing.T, o ottla.Options) {
		o.Clock = new(ottla.Clock)
		node := start(t, o)
		line(t, node, "later", "orders")
		c := client(t, node)
		later(t, c, "later", "a day", "deliver-after", "24h")
		later(t, c, "later", "an hour", "deliver-after", "3600000")
		later(t, c, "later", "a date", "deliver-at", o.Clock.Now().Add(2*time.Hour).UTC().Format(time.RFC3339Nano))
		later(t, c, "later", "at once", "other", "24h")
		for _, step := range []struct {
			by   time.Duration
			want []string
		}{
			{0, []string{"at once"}}, {59 * time.Minute, []string{"at once"}}, {2 * time.Minute, []string{"at once", "an hour"}},
			{time.Hour, []string{"at once", "an hour", "a date"}}, {day, []string{"at once", "an hour", "a date", "a day"}},
		} {
			advance(t, o.Clock, step.by)
			_, end := starts(t, node, "orders")
			if end != int64(len(step.want)) {
				t.Fatalf("after another %v there are %d records, want %d", step.by, end, len(step.want))
			}
			for i, r := range read(t, node, "orders", len(step.want)) {
				if string(r.Value) != step.want[i] || string(r.Key) != "k" {
					t.Errorf("after another %v record %d is %q, want %q", step.by, i, r.Value, step.want[i])
				}
				for _, h := range r.Headers {
					if h.Key == "deliver-after" || h.Key == "deliver-at" {
						t.Errorf("the record %q still has the header %s", r.Value, h.Key)
					}
				}
			}
		}
		last := read(t, node, "orders", 4)[3]
		if ahead := time.Until(last.Timestamp); ahead < day-time.Hour || ahead > day+time.Hour {
			t.Errorf("the last record is dated %v from now, want the time at which it was due by the domain clock", ahead)
		}
	})
}

// What waits is there after a restart, and comes once.
func TestTimersOutliveTheNode(t *testing.T) {
	o := ottla.Options{Dir: t.TempDir(), Clock: new(ottla.Clock)}
	func() {
		node, err := ottla.Start(within(t), o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := node.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}()
		line(t, node, "later", "orders")
		c := client(t, node)
		for i := range 100 {
			later(t, c, "later", fmt.Sprint(i), "deliver-after", fmt.Sprintf("%dh", i%10))
		}
		advance(t, o.Clock, 5*time.Hour)
	}()
	node := start(t, o)
	if _, end := starts(t, node, "orders"); end != 60 {
		t.Errorf("after five hours there are %d records, want 60", end)
	}
	advance(t, o.Clock, 5*time.Hour)
	seen := map[string]int{}
	for _, r := range read(t, node, "orders", 100) {
		seen[string(r.Value)]++
	}
	if _, end := starts(t, node, "orders"); end != 100 || len(seen) != 100 {
		t.Errorf("after ten hours there are %d records of %d values, want 100", end, len(seen))
	}
}

// Records of a transaction go through a line when it commits, and not when it aborts.
func TestALineTakesWhatIsCommitted(t *testing.T) {
	o := ottla.Options{Clock: new(ottla.Clock)}
	node := start(t, o)
	line(t, node, "later", "orders")
	c := client(t, node, kgo.TransactionalID("writer"))
	for i, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
		if err := c.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		later(t, c, "later", fmt.Sprint(i), "deliver-after", "1h")
		if err := c.EndTransaction(within(t), end); err != nil {
			t.Fatal(err)
		}
	}
	advance(t, o.Clock, 2*time.Hour)
	if got := read(t, node, "orders", 1); string(got[0].Value) != "1" {
		t.Errorf("got %q", got[0].Value)
	}
	if _, end := starts(t, node, "orders"); end != 1 {
		t.Errorf("there are %d records, want 1", end)
	}
}

// A topic becomes a line, and is none any more, while records come.
func TestATopicBecomesALineAndIsNoneAnyMore(t *testing.T) {
	o := ottla.Options{Clock: new(ottla.Clock)}
	node := start(t, o)
	create(t, node, "orders", 1, nil)
	create(t, node, "later", 1, nil)
	c := client(t, node)
	set := func(op kadm.IncrementalOp, to string) {
		t.Helper()
		r, err := kadm.NewClient(c).AlterTopicConfigs(within(t), []kadm.AlterConfig{{Op: op, Name: "deliver.to", Value: &to}}, "later")
		if err == nil {
			_, err = r.On("later", nil)
		}
		if err := errors.Join(err); err != nil {
			t.Fatal(err)
		}
	}
	ends := func(want int64) {
		t.Helper()
		advance(t, o.Clock, time.Hour)
		if _, end := starts(t, node, "orders"); end != want {
			t.Errorf("there are %d records, want %d", end, want)
		}
	}
	later(t, c, "later", "before", "deliver-after", "1s")
	ends(0)
	set(kadm.SetConfig, "orders")
	ends(1)
	set(kadm.DeleteConfig, "")
	later(t, c, "later", "between", "deliver-after", "1s")
	ends(1)
	set(kadm.SetConfig, "orders")
	ends(2)
}

func TestALineThatWouldGoInCirclesDeliversNothing(t *testing.T) {
	o := ottla.Options{Clock: new(ottla.Clock)}
	node := start(t, o)
	round := "round"
	create(t, node, round, 1, map[string]*string{"deliver.to": &round})
	later(t, client(t, node), round, "x", "deliver-after", "1s")
	if err := o.Clock.Advance(within(t), time.Hour); err == nil {
		t.Error("the clock settled with a line that goes in circles")
	}
	if _, end := starts(t, node, round); end != 1 {
		t.Errorf("there are %d records, want 1", end)
	}
}
