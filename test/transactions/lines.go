package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"ottla/test/history"
)

// task is what a child is to do; it gets it as JSON on its command line.
type task struct {
	Kind       string // "worker" or "teller"
	Address    string
	Process    int32 // its number in the history, and what makes its values its own
	Seed       uint64
	Base       int64 // the history's beginning on the clock that all processes share
	Partitions int32
	ID         string // transactional
	Group      string // of a worker
	Static     bool   // a member that comes back under its own name (KIP-345)
	Server     bool   // the group is shared out by the broker (KIP-848)
	In         string
	Out        []output
	TimeoutMs  int64
	Old        bool // transactions of before KIP-890 part 2
}

// output is a topic that a worker writes one effect a record to.
type output struct {
	Topic string
	Stage int
}

// line is what a child says, one JSON object a line. The parent reads all of a
// dead child's lines, so what was said before a step is known whatever became
// of the step.
type line struct {
	// Will replaces what is to be put down should the child die now.
	Will []history.Op `json:",omitempty"`
	// Did is put down, and Will is over.
	Did []history.Op `json:",omitempty"`
	// Note is put down beside what is under way.
	Note []history.Op `json:",omitempty"`
	// Count adds one to a figure.
	Count string `json:",omitempty"`
	// Broken is a promise that was broken before the child's eyes.
	Broken string `json:",omitempty"`
}

// speaker writes lines. It may be used by several goroutines.
type speaker struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

func (s *speaker) say(l line) error {
	b, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("word a line: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.w.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("tell the parent: %w", err)
	}
	return nil
}
