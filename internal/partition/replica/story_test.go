package replica

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/wire"
)

// TestStories runs the text stories of testdata: one replica's life, an event
// a paragraph. Each event prints what changed and what is asked of it.
//
//	new self=1 [synced] min=2        a replica without log and role
//	open start= end= durable= high=
//	become leader= epoch= pepoch= replicas=(1,2,3) isr=(1,2,3) [now=]
//	append end=          durable to=          started to=
//	fetched id= end= [synced=] [now=] [stuck]
//	propose isr=(…)      withdraw             may-join id=
//	progressed id= synced=                    broken id=           hinders id=
//	truncated to=        emptied at=          follow epoch=
//	laggards now= max=   epoch current=       diverges last= at= found= end=
//	begin id= at=        undo id=             marker id= at=
//	may-append acks=     settled end= acks=   leader-high to=
//	state
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var s State
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return tell(t, &s, d)
		})
	})
}

func tell(t *testing.T, s *State, d *datadriven.TestData) string {
	t.Helper()
	num := func(key string, def int64) int64 {
		v := def
		d.MaybeScanArgs(t, key, &v)
		return v
	}
	ids := func(key string) []int32 {
		var out []int32
		arg, ok := d.Arg(key)
		if !ok {
			return nil
		}
		for i := range arg.Vals {
			var v int32
			arg.Scan(t, i, &v)
			out = append(out, v)
		}
		return out
	}
	before := describe(s)
	after := func() string {
		if now := describe(s); now != before {
			return now
		}
		return "nothing changes\n"
	}
	code := func(c wire.Code) string { return c.Name() + "\n" }

	switch d.Cmd {
	case "new":
		*s = New(int32(num("self", 1)))
		s.Configure(Rules{Synced: d.HasArg("synced"), MinInsync: int(num("min", 1))})
		return describe(s)
	case "configure":
		s.Configure(Rules{Synced: d.HasArg("synced"), MinInsync: int(num("min", 1))})
		return after()
	case "open":
		s.Open(num("start", 0), num("end", 0), num("durable", 0), num("high", 0))
		return after()
	case "become":
		c := s.Become(Assignment{
			Leader: int32(num("leader", -1)), LeaderEpoch: int32(num("epoch", 0)),
			PartitionEpoch: int32(num("pepoch", 0)), Replicas: ids("replicas"), ISR: ids("isr"),
			NowMs: num("now", 0),
		})
		return changed(c) + after()
	case "append":
		s.Appended(num("end", 0))
		return after()
	case "durable":
		s.Durable(num("to", 0))
		return after()
	case "started":
		s.Started(num("to", 0))
		return after()
	case "leader-high":
		s.LeaderHigh(num("to", 0))
		return after()
	case "fetched":
		end := num("end", 0)
		c := s.Fetched(int32(num("id", 0)), Fetch{Appended: end, Synced: num("synced", end), NowMs: num("now", 0), Stuck: d.HasArg("stuck")})
		if c != wire.None {
			return code(c)
		}
		return after()
	case "progressed":
		if c := s.Progressed(int32(num("id", 0)), num("synced", 0)); c != wire.None {
			return code(c)
		}
		return after()
	case "broken":
		return fmt.Sprintln(s.Broken(int32(num("id", 0))))
	case "hinders":
		return fmt.Sprintln(s.Hinders(int32(num("id", 0))))
	case "truncated":
		s.Truncated(num("to", 0))
		return after()
	case "emptied":
		s.Emptied(num("at", 0))
		return after()
	case "follow":
		return code(s.CheckFollow(int32(num("epoch", 0))))
	case "propose":
		s.Propose(ids("isr"))
		return after()
	case "withdraw":
		s.Withdraw()
		return after()
	case "may-join":
		return fmt.Sprintln(s.MayJoin(int32(num("id", 0))))
	case "laggards":
		return fmt.Sprintln(s.Laggards(nil, num("now", 0), num("max", 0)))
	case "epoch":
		cur := int32(num("current", -1))
		return fmt.Sprintf("any replica: %s\nleader: %s\n", s.CheckEpoch(cur).Name(), s.CheckLead(cur).Name())
	case "diverges":
		return fmt.Sprintln(Diverges(int32(num("last", 0)), num("at", 0), int32(num("found", 0)), num("end", 0)))
	case "begin":
		return fmt.Sprintf("noted: %v\n", s.Txns().Begin(num("id", 0), num("at", 0))) + after()
	case "undo":
		s.Txns().Undo(num("id", 0))
		return after()
	case "marker":
		s.Txns().End(num("id", 0), num("at", 0))
		return after()
	case "may-append":
		return code(s.MayAppend(int16(num("acks", -1))))
	case "settled":
		ok, c := s.Settled(num("end", 0), int16(num("acks", -1)))
		if !ok {
			return "waits\n"
		}
		return code(c)
	case "state":
		return describe(s)
	}
	t.Fatalf("%s: no such event %q", d.Pos, d.Cmd)
	return ""
}

func describe(s *State) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %d, epoch %d: start %d, stable %d, high %d, end %d",
		s.Role(), s.Leader(), s.LeaderEpoch(), s.Start(), s.Stable(), s.High(), s.End())
	if len(s.replicas) > 1 {
		fmt.Fprintf(&b, "; isr %v", s.isr)
		if s.Proposing() {
			fmt.Fprintf(&b, " proposed %v", s.proposed)
		}
	}
	if s.Catching() {
		b.WriteString("; catching up with its epoch")
	}
	b.WriteString("\n")
	return b.String()
}

func changed(c Change) string {
	var out []string
	for _, x := range []struct {
		is   bool
		name string
	}{{c.Stale, "stale"}, {c.NewEpoch, "begins an epoch"}, {c.LostLead, "lost the lead"}, {c.Moved, "readers look again"}} {
		if x.is {
			out = append(out, x.name)
		}
	}
	if len(out) == 0 {
		return ""
	}
	slices.Sort(out)
	return "(" + strings.Join(out, ", ") + ")\n"
}
