package demo

import (
	"fmt"
	"io"
	"sync"
)

// Screen is where a demo writes: lines, and a status that on a terminal is written over
// itself. It is safe for concurrent use.
type Screen struct {
	W        io.Writer
	Terminal bool

	mu    sync.Mutex // guards shown, and writes
	shown bool       // the line that the cursor stands in is a status
}

// wipe begins the line anew. mu held.
func (s *Screen) wipe() {
	if s.shown {
		fmt.Fprint(s.W, "\r\x1b[K")
		s.shown = false
	}
}

// Say writes a line.
func (s *Screen) Say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	fmt.Fprintln(s.W, line)
}

// Status shows how it goes.
func (s *Screen) Status(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.Terminal {
		fmt.Fprintln(s.W, line)
		return
	}
	s.wipe()
	fmt.Fprint(s.W, line)
	s.shown = true
}

// End leaves the line of the status.
func (s *Screen) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown {
		fmt.Fprintln(s.W)
		s.shown = false
	}
}
