package devnodes

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Phase is what a node is doing.
type Phase string

// The phases.
const (
	Starting Phase = "starting"
	Serving  Phase = "serving"
	Paused   Phase = "paused"
	Stopping Phase = "stopping"
	Stopped  Phase = "stopped"
	Killed   Phase = "killed"
	Failed   Phase = "failed" // it ended by itself
)

// Spec is one node as it is started, again and again.
type Spec struct {
	Number int // from 1
	Addr   string
	HTTP   string
	Data   string
	// Command makes the process that is the node; its standard input and output
	// are set by Nodes.
	Command func() (*exec.Cmd, error)
}

// State is how a node is.
type State struct {
	Spec
	Phase Phase
	PID   int           // 0 when it does not run
	Took  time.Duration // of the last start, once it serves
	Why   string        // of a failure
}

// Nodes are the processes. They may be used from any goroutine.
type Nodes struct {
	// Now dates starts.
	Now func() time.Time
	// Changed is called after every change of a state, from any goroutine.
	Changed func()

	mu    sync.Mutex // guards nodes and what they point to
	nodes []*node
}

type node struct {
	State
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{} // closed when the process has ended
	ready chan struct{} // closed when it serves
	want  Phase         // what it shall be when it has ended
}

// New makes nodes, none of which runs.
func New(specs []Spec, now func() time.Time, changed func()) *Nodes {
	n := &Nodes{Now: now, Changed: changed}
	for _, s := range specs {
		n.nodes = append(n.nodes, &node{State: State{Spec: s, Phase: Stopped}})
	}
	return n
}

// States are those of all nodes, by number.
func (n *Nodes) States() []State {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []State
	for _, x := range n.nodes {
		out = append(out, x.State)
	}
	return out
}

// Start starts a node that does not run. It does not wait until it serves;
// Ready does.
func (n *Nodes) Start(number int) error {
	x, err := n.find(number)
	if err != nil {
		return err
	}
	n.mu.Lock()
	if x.cmd != nil {
		n.mu.Unlock()
		return fmt.Errorf("node %d runs already", number)
	}
	err = n.launch(x)
	n.mu.Unlock()
	n.Changed()
	return err
}

// launch is called with mu held.
func (n *Nodes) launch(x *node) error {
	fail := func(err error) error {
		x.Phase, x.Why = Failed, err.Error()
		return fmt.Errorf("start node %d: %w", x.Number, err)
	}
	cmd, err := x.Command()
	if err != nil {
		return fail(err)
	}
	apart(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fail(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fail(err)
	}
	began := n.Now()
	if err := cmd.Start(); err != nil {
		return fail(err)
	}
	x.cmd, x.stdin, x.ended, x.ready = cmd, stdin, make(chan struct{}), make(chan struct{})
	x.Phase, x.PID, x.Why, x.Took, x.want = Starting, cmd.Process.Pid, "", 0, Failed
	go n.watch(x, cmd, stdout, x.ended, x.ready, began)
	return nil
}

// watch reads a node's output to its end and then waits for the process.
func (n *Nodes) watch(x *node, cmd *exec.Cmd, out io.Reader, ended, ready chan struct{}, began time.Time) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "ready ") {
			continue
		}
		n.mu.Lock()
		if x.Phase == Starting {
			x.Phase, x.Took = Serving, n.Now().Sub(began)
		}
		n.mu.Unlock()
		close(ready)
		n.Changed()
		break
	}
	_, _ = io.Copy(io.Discard, out) // until the process ends
	err := cmd.Wait()
	n.mu.Lock()
	x.cmd, x.PID, x.Phase = nil, 0, x.want
	if x.Phase == Failed {
		x.Why = "it ended by itself: " + ending(err)
	}
	_ = x.stdin.Close() // of a process that is gone
	n.mu.Unlock()
	close(ended)
	n.Changed()
}

func ending(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// Ready waits until a node serves, or says why it does not.
func (n *Nodes) Ready(number int, done <-chan struct{}) error {
	x, err := n.find(number)
	if err != nil {
		return err
	}
	n.mu.Lock()
	ready, ended, phase, why := x.ready, x.ended, x.Phase, x.Why
	n.mu.Unlock()
	if ready == nil {
		return fmt.Errorf("node %d is %s: %s", number, phase, why)
	}
	select {
	case <-ready:
		return nil
	case <-ended:
		return fmt.Errorf("node %d did not start: %s", number, n.States()[number-1].Why)
	case <-done:
		return errors.New("told to stop")
	}
}

// Kill ends a node at once, as a crash does (SIGKILL).
func (n *Nodes) Kill(number int) error {
	return n.act(number, Killed, "", func(x *node) error { return x.cmd.Process.Kill() })
}

// Stop lets a node stop cleanly. One that is paused goes on first.
func (n *Nodes) Stop(number int) error {
	return n.act(number, Stopped, Stopping, func(x *node) error {
		if x.Phase == Paused {
			if err := freeze(x.cmd.Process, false); err != nil {
				return err
			}
		}
		return x.stdin.Close()
	})
}

// Pause lets a node stand still (SIGSTOP), or go on again.
func (n *Nodes) Pause(number int) error {
	return n.act(number, "", "", func(x *node) error {
		if x.Phase != Serving && x.Phase != Paused {
			return fmt.Errorf("node %d is %s", number, x.Phase)
		}
		still := x.Phase == Serving
		if err := freeze(x.cmd.Process, still); err != nil {
			return err
		}
		if x.Phase = Serving; still {
			x.Phase = Paused
		}
		return nil
	})
}

// act does something to a node that runs. Afterwards it shall end as want, and
// is now meanwhile, where these are not empty.
func (n *Nodes) act(number int, want, now Phase, do func(x *node) error) error {
	x, err := n.find(number)
	if err != nil {
		return err
	}
	n.mu.Lock()
	if x.cmd == nil {
		n.mu.Unlock()
		return fmt.Errorf("node %d does not run", number)
	}
	before := x.want
	if want != "" {
		x.want = want
	}
	if err = do(x); err != nil {
		x.want = before
	} else if now != "" {
		x.Phase = now
	}
	n.mu.Unlock()
	n.Changed()
	return err
}

func (n *Nodes) find(number int) (*node, error) {
	if number < 1 || number > len(n.nodes) {
		return nil, fmt.Errorf("there is no node %d", number)
	}
	return n.nodes[number-1], nil
}

// Close stops all nodes cleanly and waits for them; those that have not ended
// when patience does are killed.
func (n *Nodes) Close(patience <-chan time.Time) {
	var waiting []chan struct{}
	for i := range n.nodes {
		_ = n.Stop(i + 1) // it may not run
		n.mu.Lock()
		if x := n.nodes[i]; x.cmd != nil {
			waiting = append(waiting, x.ended)
		}
		n.mu.Unlock()
	}
	for _, ended := range waiting {
		select {
		case <-ended:
		case <-patience:
			for i := range n.nodes {
				_ = n.Kill(i + 1) // it may have ended
			}
			<-ended
		}
	}
}
