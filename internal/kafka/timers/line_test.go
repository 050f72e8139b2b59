package timers

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"ottla/internal/timer"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// desk coordinates timers whose values are not larger than it takes.
type desk struct {
	most   int
	at     int64
	stored []string
}

func (d *desk) LineAt(context.Context, string) (int64, error) { return d.at, nil }

func (d *desk) TakeUp(_ context.Context, c timer.TakeUp) error {
	if c.From != d.at {
		return wire.Errorf(wire.OffsetOutOfRange, "it is at %d, not %d", d.at, c.From)
	}
	for i := range c.Timers {
		if len(c.Timers[i].Value) > d.most {
			return wire.Errorf(wire.MessageTooLarge, "%d bytes", len(c.Timers[i].Value))
		}
	}
	for i := range c.Timers {
		d.stored = append(d.stored, c.Timers[i].Key)
	}
	d.at = c.To
	return nil
}

// A record that nobody stores, or whose topic takes less than it did when it was
// looked at, does not hold up those behind it.
func TestARecordOfALineThatIsTooLargeHoldsUpNoOthers(t *testing.T) {
	to := &desk{most: 10, at: -1}
	r := newLine(&LinesDeps{Timers: to, Logger: slog.New(slog.DiscardHandler)}, "line", "orders", uuid.UUID{1}, 0)
	got := &taken{next: 100}
	var want []string
	for i := range int64(20) {
		size := 5
		if i == 0 || i == 7 || i == 8 || i == 19 {
			size = 11
		} else {
			want = append(want, fmt.Sprint(i))
		}
		got.timers = append(got.timers, timer.Timer{Key: fmt.Sprint(i), Value: make([]byte, size)})
		got.offsets, got.sizes = append(got.offsets, 2*i), append(got.sizes, size)
	}
	if err := r.store(t.Context(), -1, got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(to.stored, want) || to.at != 100 {
		t.Errorf("up to %d there are %v, want %v", to.at, to.stored, want)
	}
}
