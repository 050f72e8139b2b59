package quota

import (
	"math"
	"math/rand"
	"testing"
	"time"

	"ottla/internal/metric"
)

// clock stands still unless a test moves it.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newQuota(rate int64, m Metrics) (*Quota, *clock) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	q := New(Options{Samples: 11, Span: time.Second, Now: c.Now, Metrics: m})
	q.Limit(rate)
	return q, c
}

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

func TestNoLimitRemembersNothing(t *testing.T) {
	var none *Quota
	if n, wait := none.Room(); n != math.MaxInt || wait != 0 || none.Limited() {
		t.Errorf("no quota has room for %d and waits %v", n, wait)
	}
	q, _ := newQuota(Unlimited, Metrics{})
	q.Take(1 << 40)
	if n, wait := q.Room(); n != math.MaxInt || wait != 0 || q.Limited() || len(q.w.samples) != 0 {
		t.Errorf("a quota without a limit has room for %d, waits %v and holds %v", n, wait, q.w.samples)
	}
	if n := testing.AllocsPerRun(100, func() { q.Take(7); q.Room() }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

// TestARateIsCountedAsKafkaCounts: the time since the oldest sample began, of which
// one span counts at least.
func TestARateIsCountedAsKafkaCounts(t *testing.T) {
	q, c := newQuota(1000, Metrics{})
	for _, step := range []struct {
		pass time.Duration
		take int
		room int
		wait time.Duration
	}{
		{0, 0, 1000, 0},                             // one span's worth at once
		{0, 1000, 1000, 0},                          // exactly the rate is not too much
		{0, 500, 0, time.Second},                    // 1500 are paid after 1.5 s; looks again each span
		{time.Second, 0, 0, 500 * time.Millisecond}, // 1500 in a second
		{495 * time.Millisecond, 0, 0, shortest},    // no crumbs
		{5 * time.Millisecond, 0, 1000, 0},          // paid
		{500 * time.Millisecond, 0, 1000, 0},        // 2 s, 2000 may have gone
		{0, 500, 1000, 0},                           // a second sample
		{8999 * time.Millisecond, 0, 8999, 0},       // 10.999 s after the first, and all of that time counts
		{time.Millisecond, 0, 8500, 0},              // the first is forgotten: 500 in 9 s
		{time.Hour, 0, 1000, 0},                     // all are
		{0, 100_000, 0, time.Second},                // far too much
		{10*time.Second + 500*time.Millisecond, 0, 0, 500 * time.Millisecond}, // until it is forgotten
		{500 * time.Millisecond, 0, 1000, 0},
	} {
		c.pass(step.pass)
		q.Take(step.take)
		if room, wait := q.Room(); room != step.room || wait != step.wait {
			t.Errorf("after %v and %d bytes: room for %d, wait %v; want %d, %v", step.pass, step.take, room, wait, step.room, step.wait)
		}
	}
}

func TestARateOfNothingLetsNextToNothingPass(t *testing.T) {
	q, c := newQuota(0, Metrics{})
	if room, _ := q.Room(); room != 1 {
		t.Errorf("room for %d, want 1: nothing went yet", room)
	}
	q.Take(10)
	for range 10 {
		if room, wait := q.Room(); room != 0 || wait != time.Second {
			t.Fatalf("room for %d, wait %v", room, wait)
		}
		c.pass(time.Second)
	}
	c.pass(time.Second)
	if room, _ := q.Room(); room != 1 {
		t.Errorf("room for %d, want 1: it is forgotten", room)
	}
}

func TestALimitMayChangeAtAnyTime(t *testing.T) {
	q, _ := newQuota(1000, Metrics{})
	q.Take(5000)
	if room, _ := q.Room(); room != 0 {
		t.Errorf("room for %d of 1000 after 5000", room)
	}
	q.Limit(6000)
	if room, _ := q.Room(); room != 6000 {
		t.Errorf("room for %d of 6000 after 5000", room)
	}
	q.Limit(Unlimited)
	q.Take(1 << 30)
	q.Limit(1000)
	if room, _ := q.Room(); room != 1000 {
		t.Errorf("room for %d: what went without a limit counts", room)
	}
	q.Limit(math.MaxInt64 - 1)
	if room, wait := q.Room(); room != math.MaxInt || wait != 0 {
		t.Errorf("room for %d, wait %v, of next to no limit", room, wait)
	}
}

func TestAClockThatIsSetBackDoesNotStopAnybody(t *testing.T) {
	q, c := newQuota(1000, Metrics{})
	q.Take(5000)
	c.pass(-time.Hour)
	if room, _ := q.Room(); room != 1000 {
		t.Errorf("room for %d", room)
	}
}

func TestLongWindowsDoNotOverflow(t *testing.T) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	q := New(Options{Samples: math.MaxInt32, Span: math.MaxInt32 * time.Second, Now: c.Now})
	q.Limit(1)
	q.Take(math.MaxInt32 * 3)
	c.pass(time.Second)
	if room, wait := q.Room(); room != 0 || wait <= 0 {
		t.Errorf("room for %d, wait %v", room, wait)
	}
}

// TestNobodyGetsMoreThanTheRate: whatever the pattern, those who heed Room get no
// more than the rate and the bytes of one span, and no less when they want all.
func TestNobodyGetsMoreThanTheRate(t *testing.T) {
	for seed := range int64(50) {
		rnd := rand.New(rand.NewSource(seed))
		rate := 1 + rnd.Int63n(1_000_000)
		q, c := newQuota(rate, Metrics{})
		start, taken, largest := c.now, 0.0, 0.0
		for range 2000 {
			room, wait := q.Room()
			if room == 0 {
				if wait <= 0 || wait > time.Second {
					t.Fatalf("seed %d: wait %v", seed, wait)
				}
				c.pass(wait)
				continue
			}
			n := min(room, 1+rnd.Intn(1_000_000)) + rnd.Intn(1000) // a batch more than there is room for
			largest = max(largest, float64(n-room))
			taken += float64(n)
			q.Take(n)
			c.pass(time.Duration(rnd.Intn(50)) * time.Millisecond)
		}
		// Each time that all is forgotten the bytes of two spans may go at once
		// again; but then a whole window has passed.
		passed := c.now.Sub(start).Seconds()
		most := float64(rate)*(passed+2+passed/5) + largest*(1+passed/10)
		if taken > most {
			t.Errorf("seed %d: %.0f bytes in %.1f s at %d bytes/s, most %.0f", seed, taken, passed, rate, most)
		}
		if taken < float64(rate)*passed*0.8 {
			t.Errorf("seed %d: %.0f bytes in %.1f s at %d bytes/s: far less than the rate", seed, taken, passed, rate)
		}
	}
}

func TestWhatALimitHoldsIsCounted(t *testing.T) {
	r := metric.New()
	m := Metrics{
		Bytes: r.Counter("ottla_replica_throttled_bytes_total", "leader"),
		Waits: r.Counter("ottla_replica_throttle_waits_total", "leader"),
	}
	q, _ := newQuota(1000, m)
	q.Take(700)
	q.Take(0)
	q.Refused()
	q.Limit(Unlimited)
	q.Take(9)
	if m.Bytes.Value() != 700 || m.Waits.Value() != 1 {
		t.Errorf("%d bytes, %d waits", m.Bytes.Value(), m.Waits.Value())
	}
}

func TestReplicasAreReadAsTheSettingNamesThem(t *testing.T) {
	for value, want := range map[string][4]bool{ // 0:1, 1:2, 1:1, 10:2
		"":              {},
		"*":             {true, true, true, true},
		"0:1":           {true},
		"0:1,1:2":       {true, true},
		"0:1, 10:2":     {true, false, false, true},
		"nonsense":      {},
		"x:1,1:y,1:1":   {false, false, true},
		"99999999999:1": {},
	} {
		r := ParseReplicas(value)
		got := [4]bool{r.Has(0, 1), r.Has(1, 2), r.Has(1, 1), r.Has(10, 2)}
		if got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	if ParseReplicas("") != nil || ParseReplicas(" ") != nil {
		t.Error("nobody takes memory")
	}
}
