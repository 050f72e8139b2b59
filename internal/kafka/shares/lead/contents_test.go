package lead

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/wire"
)

// contents are what is not done from an offset on, as text, once it is loaded.
func (r *rig) contents(from int64, most int) string {
	r.t.Helper()
	var c Contents
	err := error(wire.CoordinatorLoadInProgress)
	for i := 0; i < loads && err != nil; i++ {
		c, err = r.m.Part(r.key).Contents(from, most)
		synctest.Wait()
	}
	if err != nil {
		return wire.CodeOf(err).Name()
	}
	var out []string
	for _, u := range c.Undone {
		until := int64(0)
		if u.AtMs != 0 {
			until = u.AtMs - c.NowMs
		}
		out = append(out, fmt.Sprintf("%d-%d:%d %s %s%d", u.First, u.Last, u.Count, u.State, u.Member, until))
	}
	return fmt.Sprintf("%s | %d of %d, bound %d", strings.Join(out, ", "), c.Locked, c.Most, c.Bound)
}

// hold leases records by their offsets, and gives what it got once that is stored.
func (r *rig) hold(lockMs int64, offsets ...int64) string {
	r.t.Helper()
	stored := make(chan error, 1)
	epoch, held, err := r.m.Part(r.key).Hold(&Want{LockMs: lockMs}, offsets, func(err error) { stored <- err })
	if err != nil {
		return wire.CodeOf(err).Name()
	}
	if len(held) == 0 {
		return ""
	}
	synctest.Wait()
	select {
	case err := <-stored:
		if err != nil {
			return "lost: " + wire.CodeOf(err).Name()
		}
	default:
		return "not stored"
	}
	var out []string
	for _, h := range held {
		out = append(out, fmt.Sprintf("%d-%d:%d@%d", h.First, h.Last, h.Count, epoch))
	}
	return strings.Join(out, " ")
}

func TestWhatIsNotDoneIsListedUpToWhatMembersSee(t *testing.T) {
	in(t, nil, func(r *rig) {
		if _, err := r.m.Part(r.key).Contents(0, 9); wire.CodeOf(err) != wire.CoordinatorLoadInProgress {
			t.Errorf("before it is loaded: %v", err)
		}
		r.append("abcdef")
		r.want("nothing was given out", r.contents(0, 9), "0-5:0 Available 0 | 0 of 2000, bound 6")
		r.want("a lease", r.lease(2, 60_000), "0-1:1@0")
		r.want("and one by its offset", r.hold(5_000, 4, 1, 6, -1), "4-4:1@0")
		r.want("all", r.contents(0, 9), "0-1:1 Acquired 60000, 2-3:0 Available 0, 4-4:1 Acquired 5000, 5-5:0 Available 0 | 3 of 2000, bound 6")
		r.want("some", r.contents(3, 2), "3-3:0 Available 0, 4-4:1 Acquired 5000 | 3 of 2000, bound 6")
		r.want("from beyond the end", r.contents(5, 9), "5-5:0 Available 0 | 3 of 2000, bound 6")
		pass(5 * time.Second)
		r.want("its time is over", r.contents(4, 1), "4-4:1 Available 0 | 2 of 2000, bound 6")
	})
}

func TestARecordThatIsPickedOutIsHeldThroughARestart(t *testing.T) {
	in(t, nil, func(r *rig) {
		if _, _, err := r.m.Part(r.key).Hold(&Want{LockMs: 1}, []int64{0}, nil); wire.CodeOf(err) != wire.CoordinatorLoadInProgress {
			t.Errorf("before it is loaded: %v", err)
		}
		r.append("abc")
		synctest.Wait()
		r.want("held", r.hold(60_000, 1), "1-1:1@0")
		r.want("by nobody else", r.hold(60_000, 1), "")
		r.restart()
		r.want("still", r.hold(60_000, 1), "")
		r.want("the others are given", r.give("m", 9), "0-0:1 2-2:1")
		pass(60 * time.Second)
		r.store.failNext(wire.NotCoordinator)
		r.want("not stored", r.hold(60_000, 1), "lost: NOT_COORDINATOR")
	})
}
