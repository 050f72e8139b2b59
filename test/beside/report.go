package beside

import (
	"fmt"
	"io"
)

// Head prints the table's head, with the names of both sides.
func Head(w io.Writer, other, ours string) error {
	_, err := fmt.Fprintf(w, "%-14s %-16s %12s %12s %8s   %-7s %s\n", "measure", "figure", other, ours, "ratio", "goal", "verdict")
	return err
}

// Report prints a measure's figures and tells how many fall short.
func Report(w io.Writer, name string, figures []Figure, g Gathered) (short int, err error) {
	for _, f := range figures {
		if len(g.Pairs) == 0 {
			if f.Way != Reported {
				short++
			}
			if _, err := fmt.Fprintf(w, "%-14s %-16s not measured: others took more than half a core in all of %d pairs\n", name, f.Name, g.Thrown); err != nil {
				return short, err
			}
			continue
		}
		v := judge(f, g.Pairs)
		if !v.holds {
			short++
		}
		ratio := fmt.Sprintf("%.3f", v.ratio)
		if v.other == 0 {
			ratio = "-"
		}
		_, err := fmt.Fprintf(w, "%-14s %-16s %12.3f %12.3f %8s   %-7s %s%s\n", name, f.Name, v.other, v.ours, ratio, f.bound(), v.word(f), g.thrown())
		if err != nil {
			return short, err
		}
	}
	return short, nil
}

func (g Gathered) thrown() string {
	if g.Thrown == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d pairs thrown away)", g.Thrown)
}
