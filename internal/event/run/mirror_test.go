package run

import (
	"log/slog"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/follow"
)

// mirrored is a mirror whose page of a partition has read a record.
func mirrored(t *testing.T, r *kgo.Record) (*mirror, *page) {
	t.Helper()
	m := newMirror(&Options{Logger: slog.New(slog.DiscardHandler)})
	c, err := kgo.NewClient(kgo.SeedBrokers("nobody.invalid:1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	p := &page{moved: make(chan struct{}), seats: map[string]map[string][]byte{}}
	if p.log, err = follow.Open(follow.Options{Shared: c, Topic: StateTopic, From: 7}); err != nil {
		t.Fatal(err)
	}
	m.pages[0] = p
	m.take(p, []*kgo.Record{r})
	return m, p
}

// What is remembered of a record keeps nothing else that was fetched with it.
func TestARecordKeepsNothingElse(t *testing.T) {
	fetched := []byte("state and much else")
	m, _ := mirrored(t, &kgo.Record{Key: []byte("b/0"), Value: fetched[:5]})
	fetched[0] = 'S'
	if got, _, err := m.record(0, "b/0", ""); err != nil || string(got) != "state" {
		t.Errorf("the record is %q, and %v", got, err)
	}
}

// A log that lost its end is what it is: what others do not read there is not known.
func TestAStateThatIsLostIsForgotten(t *testing.T) {
	m, p := mirrored(t, &kgo.Record{Key: []byte("b/0"), Value: []byte("state")})
	m.lost(p, 5, 6)
	if got, _, err := m.record(0, "b/0", ""); err != nil || string(got) != "state" {
		t.Errorf("after compaction the record is %q, and %v", got, err)
	}
	m.lost(p, 7, 0)
	if got, _, err := m.record(0, "b/0", ""); err != nil || got != nil || p.at != 0 {
		t.Errorf("after a loss the record is %q up to %d, and %v", got, p.at, err)
	}
}

// Whoever gives the state topic more partitions moves nobody's state.
func TestAStateStaysInItsPartition(t *testing.T) {
	for _, seat := range []string{"a/0", "a/1", "b/0", "c/7"} {
		if a, b := seatPartition(seat, Partitions), seatPartition(seat, Partitions+5); a != b {
			t.Errorf("%s is in partition %d, and in %d when there are more", seat, a, b)
		}
	}
}
