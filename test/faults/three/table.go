//go:build linux

package three

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// rounds is how often every possible fault was done at least.
func (s *stage) rounds() int {
	least := -1
	for _, c := range s.counts {
		if c.impossible == "" && (least < 0 || c.done < least) {
			least = c.done
		}
	}
	return max(least, 0)
}

// allDone fails when a fault that is possible was never done.
func (s *stage) allDone() error {
	var never []string
	for _, name := range s.order {
		if c := s.counts[name]; c.done == 0 && c.impossible == "" {
			never = append(never, name)
		}
	}
	if len(never) > 0 {
		return errors.New("never done: " + strings.Join(never, ", "))
	}
	return nil
}

// table prints what was done and what came of it.
func (s *stage) table() {
	s.o.Say("\n%-28s %5s  %9s  %9s", "fault", "done", "median", "longest")
	for _, name := range s.order {
		c := s.counts[name]
		if c.impossible != "" {
			s.o.Say("%-28s not possible here: %s", name, c.impossible)
			continue
		}
		s.o.Say("%-28s %5d  %9v  %9v", name, c.done, quantile(c.gaps, 0.5), quantile(c.gaps, 1))
	}
	if s.report != nil {
		s.o.Say("%v; %d transactions committed, %d topics made and %d deleted", s.report, s.committed, s.made, s.deleted)
	}
}

// quantile of the times without a write.
func quantile(gaps []time.Duration, q float64) string {
	if len(gaps) == 0 {
		return "-"
	}
	sorted := slices.Sorted(slices.Values(gaps))
	return fmt.Sprint(sorted[min(int(float64(len(sorted))*q), len(sorted)-1)].Round(time.Millisecond))
}
