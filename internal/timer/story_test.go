package timer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/timer/schema"
	"ottla/internal/wire"
)

// Stories (testdata/stories): each command is given to a shard, and what it wrote, who
// was answered and what flies is the expected text. Nothing is committed before "sync",
// nothing lands before "land".
// `go test ./internal/timer -run Stories -rewrite` writes them anew; read the difference
// before you keep it.
//
//	set KEY [in=1s] [to=other] [value=V]    cancel KEY…    find KEY
//	take LINE from=N upto=N [KEY…]            line LINE      settle, count
//	clear TOPIC (cancels all for it)          pending TOPIC (counts them)
//	sync, id (a producer id comes, or keys), land [unheard] [error=CODE]
//	pass D (both clocks), clock D (the domain clock alone), crash
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &story{world: newWorld(t)}
		s.began = s.wall
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t, s.d = t, d
			s.said.Reset()
			s.run()
			return s.told()
		})
	})
}

type story struct {
	*world
	d      *datadriven.TestData
	began  time.Time
	calls  int
	said   strings.Builder
	logged int64 // the log is told up to here
	flown  map[string]bool
}

func (s *story) run() {
	switch s.d.Cmd {
	case "sync":
		s.tail.sync()
		s.step()
	case "id":
		do := s.later[0]
		s.later = s.later[1:]
		do()
		s.step()
	case "land":
		s.landing()
	case "pass":
		s.pass(s.span())
	case "clock":
		s.wall = s.wall.Add(s.span())
	case "crash":
		s.logged = min(s.logged, s.disk.committed)
		s.crash(func() bool { return false })
	default:
		s.ask()
	}
}

// landing carries out the first flight.
func (s *story) landing() {
	s.fails = nil
	for code := wire.Code(0); code < 150; code++ {
		if s.arg("error", "") == code.Name() {
			s.fails = func(Flight) error { return code }
		}
	}
	unheard := s.d.HasArg("unheard")
	s.land(0, !unheard)
}

func (s *story) span() time.Duration {
	d, err := time.ParseDuration(s.d.CmdArgs[0].Key)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *story) arg(name, otherwise string) string {
	for _, a := range s.d.CmdArgs {
		if a.Key == name && len(a.Vals) == 1 {
			return a.Vals[0]
		}
	}
	return otherwise
}

// bare are the arguments without a value.
func (s *story) bare() (out []string) {
	for _, a := range s.d.CmdArgs {
		if len(a.Vals) == 0 {
			out = append(out, a.Key)
		}
	}
	return out
}

func (s *story) number(name string) (n int64) {
	_, err := fmt.Sscan(s.arg(name, "0"), &n)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// ask gives a command; its reply is told whenever it comes.
func (s *story) ask() {
	s.calls++
	n := s.calls
	s.do(s.command(), func(body any, err error) {
		switch b := body.(type) {
		case []error:
			for _, e := range b {
				if e != nil {
					fmt.Fprintf(&s.said, "#%d: %s\n", n, wire.CodeOf(e).Name())
				} else {
					fmt.Fprintf(&s.said, "#%d: ok\n", n)
				}
			}
		default:
			if err != nil {
				fmt.Fprintf(&s.said, "#%d refused: %s\n", n, wire.CodeOf(err).Name())
				return
			}
			fmt.Fprintf(&s.said, "#%d: %+v\n", n, body)
		}
	})
}

func (s *story) command() any {
	names := s.bare()
	switch s.d.Cmd {
	case "set":
		return Set{[]Timer{s.timer(names[0])}}
	case "cancel":
		return Cancel{names}
	case "find":
		return Find{names[0]}
	case "line":
		return Line{names[0]}
	case "settle":
		return Settle{}
	case "clear":
		return CancelTopic{names[0]}
	case "pending":
		return CountTopic{names[0]}
	case "count":
		return Count{}
	case "take":
		c := TakeUp{Line: names[0], From: s.number("from"), To: s.number("upto")}
		for _, key := range names[1:] {
			c.Timers = append(c.Timers, s.timer(key))
		}
		return c
	}
	s.t.Fatalf("a story knows no %q", s.d.Cmd)
	return nil
}

func (s *story) timer(key string) Timer {
	in, err := time.ParseDuration(s.arg("in", "1s"))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.at(key, s.arg("to", "other"), in, s.arg("value", key))
}

// told is what came of a command.
func (s *story) told() string {
	var b strings.Builder
	s.disk.each(func(offset int64, key, value []byte) {
		if offset >= s.logged {
			b.WriteString(s.record(offset, key, value))
			s.logged = offset + 1
		}
	})
	b.WriteString(s.said.String())
	flown := map[string]bool{}
	for _, x := range s.works {
		line := fmt.Sprintf("flies to %s-%d, sequence %d of %d, again %t:", x.f.Topic, x.f.Partition, x.f.Sequence, x.f.ProducerID, x.f.Again)
		for _, offset := range x.f.Offsets {
			line += fmt.Sprint(" ", offset)
		}
		if flown[line] = true; !s.flown[line] {
			b.WriteString(line + "\n")
		}
	}
	s.flown = flown
	if len(s.later) > 0 {
		b.WriteString(s.wants + " asked for\n")
	}
	if s.d.Cmd == "land" || s.d.Cmd == "crash" {
		fmt.Fprintf(&b, "other has %q\n", s.values("other"))
	}
	return b.String()
}

func (s *story) since(ms int64) time.Duration { return time.UnixMilli(ms).Sub(s.began) }

func (s *story) record(offset int64, key, value []byte) string {
	kind, rest, err := schema.ParseKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	switch {
	case kind == schema.KindTimer && value == nil:
		return fmt.Sprintf("%d timer %s is over\n", offset, rest)
	case kind == schema.KindTimer:
		v, err := schema.ParseTimer(value)
		if err != nil {
			s.t.Fatal(err)
		}
		return fmt.Sprintf("%d timer %s for %s at %v\n", offset, rest, v.Topic, s.since(v.DueMs))
	case kind == schema.KindLine:
		at, err := schema.ParseLine(value)
		if err != nil {
			s.t.Fatal(err)
		}
		return fmt.Sprintf("%d line %s is taken up to %d\n", offset, rest, at)
	}
	topic, index, err := schema.ParseTargetKey(rest)
	if err != nil {
		s.t.Fatal(err)
	}
	if value == nil {
		return fmt.Sprintf("%d target %s-%d is gone\n", offset, topic, index)
	}
	v, err := schema.ParseTarget(value)
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("%d target %s-%d, sequence %d of %d, %d on their way\n", offset, topic, index, v.Sequence, v.ProducerID, len(v.Flight))
}
