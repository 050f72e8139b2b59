package relay_test

import (
	"context"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Two databases may be called the same. The second is refused, and the first goes on.
func TestWhoIsRefusedEndsNobodyElse(t *testing.T) {
	r := newNode(t)
	m := &memory{}
	m.insert(1, 2, 3)
	rows, err := m.Read(r.ctx, 3)
	if err != nil {
		t.Fatal(err)
	}
	first, err := r.outlet(m).Open(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := first.Write(r.ctx, rows[:1]); err != nil {
		t.Fatal(err)
	}
	other := r.outlet(m)
	other.Table = "another"
	for i := 1; i < 3; i++ {
		if _, err := other.Open(r.ctx); err == nil || !strings.Contains(err.Error(), "last wrote rows of memory, and this is another") {
			t.Errorf("the other is opened: %v", err)
		}
		if _, err := first.Write(r.ctx, rows[i:i+1]); err != nil {
			t.Errorf("the first cannot go on: %v", err)
		}
	}
	r.mustHave(1, 2, 3)
}

// So it is while the first has written nothing yet.
func TestWhoStartedFirstKeepsTheName(t *testing.T) {
	r := newNode(t)
	m := &memory{}
	m.insert(1)
	rows, err := m.Read(r.ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	first, err := r.outlet(m).Open(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	other := r.outlet(m)
	other.Table = "another"
	if _, err := other.Open(r.ctx); err == nil || !strings.Contains(err.Error(), "was last started for memory, and this is another") {
		t.Errorf("the other is opened: %v", err)
	}
	if _, err := first.Write(r.ctx, rows); err != nil {
		t.Errorf("the first cannot go on: %v", err)
	}
	other = r.outlet(m)
	other.Name = "moved"
	for _, table := range []string{"here", "there"} {
		other.Table, other.Moved = table, table == "there"
		log, err := other.Open(r.ctx)
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		log.Close()
	}
	other.Table, other.Moved = "here", false
	if _, err := other.Open(r.ctx); err == nil || !strings.Contains(err.Error(), "started for there") {
		t.Errorf("where it was before: %v", err)
	}
}

// A transaction that somebody else has open in the progress topic is not waited for for
// ever.
func TestTheSearchForWhatWasWrittenHasADeadline(t *testing.T) {
	r := newNode(t)
	o := r.outlet(&memory{})
	var bound []bool
	o.Connect = func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error) {
		_, ok := ctx.Deadline()
		bound = append(bound, ok)
		return r.connect(ctx, opts...)
	}
	for range 2 { // the topic is there the second time
		bound = nil
		log, err := o.Open(context.WithoutCancel(r.ctx))
		if err != nil {
			t.Fatal(err)
		}
		log.Close()
	}
	if len(bound) != 3 || bound[0] || !bound[1] || !bound[2] {
		t.Errorf("the writer's client and those that search have deadlines: %v", bound)
	}
}
