package txn

import (
	"context"
	"slices"
	"strings"
	"testing"

	"ottla/internal/coordinator"
	"ottla/internal/txn/schema"
	"ottla/internal/wire"
)

// noMarkers writes nothing.
type noMarkers struct{}

func (noMarkers) Write(_ context.Context, _ Marker, done func(error)) { done(nil) }

// The answer to a repeated end or addition may be that to the transaction before, where
// another coordinates by now.
var _, _ coordinator.Firm = End{}, Add{}

func bareMachine() *Machine {
	return New(Options{Settings: Defaults(), Markers: noMarkers{}, Level: func() int16 { return 2 }})
}

// FuzzApply holds that no record breaks a machine, and that what it does not
// know goes on as it is.
func FuzzApply(f *testing.F) {
	m := meta{state: PrepareCommit, producerID: 5, epoch: 3, previousID: 5, nextID: -1, nextEpoch: -1, parts: partitions{{"t", 0}}}
	f.Add(schema.AppendKey(nil, "a"), schema.AppendValue(nil, m.value(), 1))
	f.Add(schema.AppendKey(nil, "a"), schema.AppendValue(nil, m.value(), 0))
	f.Add([]byte{0, 9, 1}, []byte("later"))
	f.Add(schema.AppendKey(nil, "a"), []byte{0, 7})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		m := bareMachine()
		m.Apply(coordinator.Record{Key: key, Value: value})
		if _, err := m.Step(start, coordinator.Command{Body: coordinator.Loaded{}}); err != nil {
			t.Fatal(err)
		}
		for id := range m.ids {
			for _, body := range []any{
				Init{ID: id, TimeoutMs: 1, ProducerID: -1, Epoch: -1, FreshID: 1}, Add{ID: id, Partitions: []TopicPartition{{"t", 1}}},
				End{ID: id, Version: V2, FreshID: 1}, End{ID: id}, Verify{ID: id}, Describe{ID: id}, List{DurationMs: 1}, Sweep{},
			} {
				if _, err := m.Step(start, coordinator.Command{Token: 1, Body: body}); wire.CodeOf(err) == wire.UnknownServerError && err != nil {
					t.Fatalf("%T: %v", body, err)
				}
			}
		}
		again := bareMachine()
		for r := range m.Records() {
			again.Apply(r)
		}
		if got, want := bare(slices.Collect(again.Records())), bare(slices.Collect(m.Records())); !slices.Equal(got, want) {
			t.Fatalf("a snapshot gives %q, want %q", got, want)
		}
	})
}

// Records of later releases stay, and are gone when they are deleted or when
// this release writes their key.
func TestWhatIsNotKnownIsKeptAside(t *testing.T) {
	m := bareMachine()
	foreign, key := []byte{0, 9, 1}, schema.AppendKey(nil, "a")
	known := schema.AppendValue(nil, (&meta{producerID: 1}).value(), 1)
	m.Apply(coordinator.Record{Key: foreign, Value: []byte("x")})
	m.Apply(coordinator.Record{Key: key, Value: []byte{0, 2, 1}})
	m.Apply(coordinator.Record{Key: []byte{0}, Value: []byte("nobody's")})
	m.Apply(coordinator.Record{Txn: &coordinator.Txn{ProducerID: 1, End: coordinator.TxnCommit}})
	if n := len(slices.Collect(m.Records())); n != 2 || len(m.ids) != 0 {
		t.Errorf("%d records are kept, %d ids known; want 2 and 0", n, len(m.ids))
	}
	m.Apply(coordinator.Record{Key: key, Value: known})
	m.Apply(coordinator.Record{Key: foreign})
	if len(m.aside) != 0 || len(m.ids) != 1 {
		t.Errorf("aside %q, ids %d; want none and 1", m.aside, len(m.ids))
	}
	m.Apply(coordinator.Record{Key: key})
	m.Reset()
	if len(slices.Collect(m.Records())) != 0 {
		t.Error("a machine that was reset remembers")
	}
}

// As many transactional ids expire at once as there are, a batch at a time.
func TestManyIDsAreForgottenInParts(t *testing.T) {
	m := bareMachine()
	value := schema.AppendValue(nil, (&meta{producerID: 1, startMs: -1}).value(), 1)
	for i := range 40 {
		id := strings.Repeat("x", 10_000) + string(rune('A'+i))
		m.Apply(coordinator.Record{Key: schema.AppendKey(nil, id), Value: value})
	}
	turns := 0
	for more := true; more; turns++ {
		out, err := m.Step(start, coordinator.Command{Token: 1, Body: Sweep{}})
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, r := range out.Records {
			size += len(r.Key)
			m.Apply(r)
		}
		if size > forgetBytes+20_000 {
			t.Errorf("%d bytes of keys in one turn", size)
		}
		more = out.Replies[0].Body.(bool)
	}
	if len(m.ids) != 0 || turns < 5 {
		t.Errorf("%d ids are left after %d turns", len(m.ids), turns)
	}
}

// A transactional id cannot be made to wait without bound.
func TestWhoWaitsIsBounded(t *testing.T) {
	w := newWorld(t)
	ask := func(body any) error {
		_, _, err := w.ask(body)
		return err
	}
	if err := ask(Init{ID: "a", TimeoutMs: 1000, ProducerID: -1, Epoch: -1, FreshID: 1}); err != nil {
		t.Fatal(err)
	}
	if err := ask(Add{ID: "a", ProducerID: 1, Version: V2, Partitions: []TopicPartition{{"t", 0}}}); err != nil {
		t.Fatal(err)
	}
	for i := range maxParked + 3 {
		err := ask(Init{ID: "a", TimeoutMs: 1000, ProducerID: -1, Epoch: -1, FreshID: -1})
		if want := i >= maxParked; (wire.CodeOf(err) == wire.ConcurrentTransactions) != want {
			t.Errorf("the %d. to wait hears %v", i+1, err)
		}
	}
	for id, want := range map[State]string{Dead: "Dead", State(99): "Unknown", Ongoing: "Ongoing"} {
		if id.String() != want {
			t.Errorf("state %d is %q, want %q", id, id, want)
		}
	}
}
