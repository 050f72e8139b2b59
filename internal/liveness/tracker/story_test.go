package tracker

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// Stories: each command has at=MILLISECONDS; `-rewrite` writes them anew.

type story struct {
	t   *testing.T
	pos string
	tr  *Tracker
}

func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &story{t: t, tr: New(0)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t, s.pos = t, d.Pos
			return s.run(d)
		})
	})
}

func at(ms int64) time.Time { return time.UnixMilli(1_000_000 + ms) }

func (s *story) num(line, key string, otherwise int64) int64 {
	for _, f := range strings.Fields(line) {
		if v, ok := strings.CutPrefix(f, key+"="); ok {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				s.t.Fatalf("%s: %v", s.pos, err)
			}
			return n
		}
	}
	return otherwise
}

// nodes reads lines of ID epoch=E [fenced] [stopping].
func (s *story) nodes(input string) (out []Node) {
	for l := range strings.Lines(input) {
		id, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
		n, err := strconv.ParseInt(id, 10, 32)
		if err != nil {
			s.t.Fatalf("%s: %v", s.pos, err)
		}
		out = append(out, Node{ID: int32(n), Epoch: s.num(rest, "epoch", 0), Fenced: strings.Contains(rest, "fenced"), ShuttingDown: strings.Contains(rest, "stopping")})
	}
	return out
}

func (s *story) run(d *datadriven.TestData) string {
	line := d.FullCmd()
	now, node := at(s.num(line, "at", 0)), int32(s.num(line, "node", 1))
	var b strings.Builder
	switch d.Cmd {
	case "lead":
		fmt.Fprintf(&b, "released %v\n", s.tr.Reset(now, s.num(line, "offset", 0), s.nodes(d.Input)))
	case "image":
		s.tr.Image(now, s.num(line, "offset", 0), s.nodes(d.Input))
	case "beat":
		a, err := s.tr.Seen(now, Beat{
			Node: node, Epoch: s.num(line, "epoch", 0), Applied: s.num(line, "applied", 0),
			WantFence: strings.Contains(line, "want-fence"), WantShutDown: strings.Contains(line, "want-stop"),
		})
		if err != nil {
			fmt.Fprintf(&b, "refused: %v\n", err)
			break
		}
		fmt.Fprintf(&b, "fenced=%v caught-up=%v stop=%v\n", a.Fenced, a.CaughtUp, a.ShouldShutDown)
	case "next":
		actions, again := s.tr.Next(now)
		for _, a := range actions {
			fmt.Fprintf(&b, "%v node %d epoch %d %s\n", a.Kind, a.Node, a.Epoch, a.Why)
		}
		if again.IsZero() {
			b.WriteString("again: never\n")
		} else {
			fmt.Fprintf(&b, "again in %v\n", again.Sub(now))
		}
	case "failed":
		kind := map[string]Kind{"fence": Fence, "unfence": Unfence, "stop": ShutDown}[strings.Fields(line)[1]]
		s.tr.Failed(Action{Kind: kind, Node: node, Epoch: s.num(line, "epoch", 0)})
	case "suspect":
		s.tr.Suspect(node)
	case "down":
		fmt.Fprintf(&b, "probe: %v\n", s.tr.Down(node))
	case "gone":
		s.tr.Gone(node, "closed its connection and cannot be reached")
	case "ended":
		fmt.Fprintf(&b, "ended: %v, with the same directory: %v\n", s.tr.Ended(node, false), s.tr.Ended(node, true))
	case "await":
		s.tr.Await(uint64(s.num(line, "id", 0)), s.num(line, "offset", 0))
	case "forget":
		s.tr.Forget(uint64(s.num(line, "id", 0)))
	case "ready":
		fmt.Fprintf(&b, "%v\n", s.tr.Ready())
	default:
		d.Fatalf(s.t, "no such command: %s", d.Cmd)
	}
	if b.Len() == 0 {
		return "ok\n"
	}
	return b.String()
}
