//go:build linux

package three

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAFaultThatIsNeverDoneFailsTheRun(t *testing.T) {
	var said strings.Builder
	s := &stage{o: Options{Nodes: 3, Say: func(f string, args ...any) { fmt.Fprintf(&said, f+"\n", args...) }}, counts: map[string]*count{}}
	if _, err := s.choose(); err != nil || len(s.counts) != len(deeds) {
		t.Fatalf("%d faults of %d: %v", len(s.counts), len(deeds), err)
	}
	for _, c := range s.counts {
		c.done, c.gaps = 2, []time.Duration{time.Second, 3 * time.Second}
	}
	if s.rounds() != 2 || s.allDone() != nil {
		t.Errorf("%d rounds, %v", s.rounds(), s.allDone())
	}
	s.counts["power cut of all"].done = 0
	if err := s.allDone(); s.rounds() != 0 || err == nil || !strings.Contains(err.Error(), "power cut of all") {
		t.Errorf("%d rounds, %v", s.rounds(), err)
	}
	s.counts["power cut of all"].impossible = "no root"
	if s.rounds() != 2 || s.allDone() != nil {
		t.Errorf("what is not possible counts: %d rounds, %v", s.rounds(), s.allDone())
	}
	s.table()
	for _, want := range []string{"not possible here: no root", "3s"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q is not in\n%s", want, said.String())
		}
	}
}

func TestOneNodeHasTheFaultsOfOneNode(t *testing.T) {
	s := &stage{o: Options{Nodes: 1}, counts: map[string]*count{}}
	chosen, err := s.choose()
	if err != nil || len(chosen) == 0 || len(chosen) == len(deeds) {
		t.Errorf("%d of %d faults: %v", len(chosen), len(deeds), err)
	}
	s.o.Only = []string{"one cut off"}
	if _, err := s.choose(); err == nil {
		t.Error("one node is cut off from others")
	}
}

func TestLinksOfOneNode(t *testing.T) {
	s := &stage{o: Options{Nodes: 3}}
	if got := fmt.Sprint(s.links(2, true, false)); got != "[{2 1} {2 3}]" {
		t.Errorf("what it sends: %s", got)
	}
	if got := len(s.links(1, true, true)); got != 4 {
		t.Errorf("%d links of a node that is cut off, want 4", got)
	}
}
