package devnodes

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Board shows the nodes. On a terminal the lines are written over each other;
// elsewhere a node's line is written whenever it changes.
type Board struct {
	W        io.Writer
	Terminal bool
	// Note is what the cluster says of a node, "" for nothing.
	Note func(number int) string

	mu     sync.Mutex // guards all below, and writes
	foot   string     // a line below the nodes'
	shown  int        // lines that stand on the terminal
	before map[int]string
}

// Show shows the states.
func (b *Board) Show(states []State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.before == nil {
		b.before = map[int]string{}
	}
	if !b.Terminal {
		for _, s := range states {
			if line := Line(s, ""); line != b.before[s.Number] {
				b.before[s.Number] = line
				fmt.Fprintln(b.W, line)
			}
		}
		return
	}
	var text strings.Builder
	if b.shown > 0 {
		fmt.Fprintf(&text, "\x1b[%dA\x1b[J", b.shown)
	}
	for _, s := range states {
		text.WriteString(Line(s, b.Note(s.Number)) + "\n")
	}
	b.shown = len(states)
	if b.foot != "" {
		text.WriteString(b.foot + "\n")
		b.shown++
	}
	fmt.Fprint(b.W, text.String())
}

// Foot has a line stand below the nodes'; where there is no terminal it is written.
func (b *Board) Foot(states []State, line string) {
	if !b.Terminal {
		b.Say(nil, "%s", line)
		return
	}
	b.mu.Lock()
	b.foot = line
	b.mu.Unlock()
	b.Show(states)
}

// Say writes a line above the nodes'.
func (b *Board) Say(states []State, format string, args ...any) {
	b.mu.Lock()
	if b.Terminal && b.shown > 0 {
		fmt.Fprintf(b.W, "\x1b[%dA\x1b[J", b.shown)
		b.shown = 0
	}
	fmt.Fprintf(b.W, format+"\n", args...)
	b.mu.Unlock()
	if b.Terminal {
		b.Show(states)
	}
}

// Line is one node for people.
func Line(s State, note string) string {
	text := fmt.Sprintf("  node %d  %-21s %-8s", s.Number, s.Addr, s.Phase)
	switch {
	case s.Phase == Serving && s.Took > 0:
		text += fmt.Sprintf("  pid %d, in %v", s.PID, s.Took.Round(time.Millisecond))
	case s.PID > 0:
		text += fmt.Sprintf("  pid %d", s.PID)
	case s.Why != "":
		text += "  " + s.Why
	}
	if note != "" {
		text += "  " + note
	}
	return text
}
