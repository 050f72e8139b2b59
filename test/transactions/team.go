package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"ottla/test/history"
)

// team is all children. Its methods may be used by several goroutines.
type team struct {
	history *history.Writer
	program string
	log     io.Writer // the children's standard error

	mu     sync.Mutex // guards what follows
	seats  []*seat
	counts map[string]int
	broken []string
}

// seat is a place in the team: its child may be killed, and another takes it.
type seat struct {
	task    task // without Process, which is a new one for each child
	tm      *team
	child   *process // nil between two
	retired bool     // no other child takes it
}

// process is a running child.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	done  chan struct{}
	will  []history.Op // of its reader alone
}

func newTeam(h *history.Writer, log io.Writer) (*team, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return &team{history: h, program: exe, log: log, counts: map[string]int{}}, nil
}

// add makes a seat and starts its first child.
func (tm *team) add(t task) error {
	s := &seat{task: t, tm: tm}
	tm.mu.Lock()
	tm.seats = append(tm.seats, s)
	tm.mu.Unlock()
	return s.start()
}

// start puts a new child on the seat.
func (s *seat) start() error {
	shared, err := sharedNow()
	if err != nil {
		return err
	}
	t := s.task
	t.Base, t.Process = shared-s.tm.history.Now(), s.tm.history.Process()
	t.Seed += uint64(t.Process)
	text, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("word a task: %w", err)
	}
	p := &process{cmd: exec.Command(s.tm.program, "child", string(text)), done: make(chan struct{})}
	p.cmd.Stderr = s.tm.log
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.stdin, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("start a child: %w", err)
	}
	s.tm.mu.Lock()
	s.child = p
	s.tm.mu.Unlock()
	go s.listen(p, t, out)
	return nil
}

// listen takes a child's lines to the end, and puts down what it was about to
// do then.
func (s *seat) listen(p *process, t task, out io.Reader) {
	defer close(p.done)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			break // cut off by the child's end
		}
		s.take(p, l)
	}
	_, _ = io.Copy(io.Discard, out) // a line too long must not block the child
	s.bury(p, t)
}

func (s *seat) take(p *process, l line) {
	if l.Will != nil {
		p.will = l.Will
	}
	if l.Did != nil {
		p.will = nil
	}
	for _, op := range slices.Concat(l.Did, l.Note) {
		s.tm.history.Add(op)
	}
	s.tm.mu.Lock()
	defer s.tm.mu.Unlock()
	if l.Count != "" {
		s.tm.counts[l.Count]++
	}
	if l.Broken != "" {
		s.tm.broken = append(s.tm.broken, l.Broken)
	}
}

// bury puts down the end of a child.
func (s *seat) bury(p *process, t task) {
	why := p.cmd.Wait()
	for _, op := range p.will {
		op.End = s.tm.history.Now()
		s.tm.history.Add(op)
	}
	s.tm.history.Add(history.Op{Process: t.Process, Kind: history.Crash, Outcome: history.OK, Start: s.tm.history.Now(), End: s.tm.history.Now()})
	s.tm.mu.Lock()
	defer s.tm.mu.Unlock()
	if len(p.will) > 0 {
		s.tm.counts["transactions that ended with their client's process"]++
	}
	if why != nil && !strings.Contains(why.Error(), "killed") {
		s.tm.broken = append(s.tm.broken, fmt.Sprintf("%s ended by itself: %v", t.ID, why))
	}
}

// kill ends the child with SIGKILL, and puts another on the seat.
func (s *seat) kill() error {
	s.tm.mu.Lock()
	p := s.child
	s.tm.counts["clients killed"]++
	s.tm.mu.Unlock()
	_ = p.cmd.Process.Kill() // it may have ended by itself, which bury tells
	<-p.done
	return s.start()
}

// retire ends the children of a kind cleanly, and nobody follows them.
func (tm *team) retire(ctx context.Context, kind string) error {
	var all []*process
	tm.mu.Lock()
	for _, s := range tm.seats {
		if s.task.Kind == kind && !s.retired {
			s.retired = true
			all = append(all, s.child)
		}
	}
	tm.mu.Unlock()
	for _, p := range all {
		_ = p.stdin.Close() // it obeys, or the wait below ends with ctx
	}
	for _, p := range all {
		select {
		case <-p.done:
		case <-ctx.Done():
			return fmt.Errorf("the %ss do not end: %w", kind, ctx.Err())
		}
	}
	return nil
}

// disband kills whoever is left.
func (tm *team) disband() {
	tm.mu.Lock()
	seats := slices.Clone(tm.seats)
	tm.mu.Unlock()
	for _, s := range seats {
		if s.child != nil {
			_ = s.child.cmd.Process.Kill() // most have ended
			<-s.child.done
		}
	}
}

// verdict is what the children themselves saw broken.
func (tm *team) verdict() error {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	if len(tm.broken) == 0 {
		return nil
	}
	return errors.New(strings.Join(tm.broken, "; "))
}

// figures are the counts, one a line, sorted.
func (tm *team) figures() []string {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	return figuresOf(tm.counts)
}

func figuresOf(counts map[string]int) []string {
	var out []string
	for what, n := range counts {
		out = append(out, fmt.Sprintf("%8d %s", n, what))
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(a[9:], b[9:]) })
	return out
}
