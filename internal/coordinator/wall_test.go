package coordinator

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"ottla/internal/record"
)

// walled notes the Wall of its commands.
type walled struct {
	*toy
	walls map[string]time.Time
}

func (m walled) Step(now time.Time, cmd Command) (Output, error) {
	if line, ok := cmd.Body.(string); ok {
		m.walls[line] = cmd.Wall
	}
	return m.toy.Step(now, cmd)
}

// Commands and timers carry the wall clock, and records are dated by it;
// timers come by now.
func TestRecordsAreDatedByTheWall(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	for name, wall := range map[string]time.Time{"of its own": time.UnixMilli(9_000_000_000), "that of now": now} {
		t.Run("wall "+name, func(t *testing.T) {
			l, m := &memLog{most: 1 << 20, auto: true}, walled{newToy(), map[string]time.Time{}}
			o := coreOptions{
				metrics: &Metrics{}, logger: slog.New(slog.DiscardHandler), show: func(phase) {}, synced: func(*flight) {},
				work: func(uint64, Work) {}, keep: func(uint64, Keeper, *snapshot) {},
			}
			if wall != now {
				o.wall = func() time.Time { return wall }
			}
			c := newCore(o, 0, m)
			c.lead(t.Context(), now, l.tail(1))
			c.turn(now, nil, nil)
			ask := func(line string) *call {
				return &call{ctx: context.Background(), body: line, done: func(any, error) {}}
			}
			c.turn(now, nil, []*call{ask("put k v"), ask("at 1s due v")})
			if at, ok := c.next(); !ok || !at.Equal(now.Add(time.Second)) {
				t.Errorf("the timer comes at %v, want a second after now", at)
			}
			if got := m.walls["put k v"]; !got.Equal(wall) {
				t.Errorf("the command's wall is %v, want %v", got, wall)
			}
			h, err := record.ParseHeader(l.batches[0])
			if err != nil {
				t.Fatal(err)
			}
			if h.MaxTimestamp != wall.UnixMilli() {
				t.Errorf("the batch is dated %d, want %d", h.MaxTimestamp, wall.UnixMilli())
			}
		})
	}
}
