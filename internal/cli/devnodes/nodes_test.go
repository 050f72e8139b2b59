package devnodes

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// role makes this test binary a node of a test.
const role = "OTTLA_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "node":
		fmt.Println("something\nready kafka=x http=off")
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is told to stop
		os.Exit(0)
	case "broken":
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// rig are nodes of given roles; every change of a state makes changed ready.
type rig struct {
	*Nodes
	changed chan struct{}
}

func newRig(t *testing.T, roles ...string) *rig {
	t.Helper()
	r := &rig{changed: make(chan struct{}, 1)}
	var specs []Spec
	for i, as := range roles {
		specs = append(specs, Spec{Number: i + 1, Addr: "h:1", Command: func() (*exec.Cmd, error) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), role+"="+as)
			return cmd, nil
		}})
	}
	r.Nodes = New(specs, func() time.Time { return time.Time{} }, func() {
		select {
		case r.changed <- struct{}{}:
		default:
		}
	})
	t.Cleanup(func() { r.Close(nil) })
	return r
}

// wait waits until a node is in a phase.
func (r *rig) wait(number int, want Phase) State {
	for {
		if s := r.States()[number-1]; s.Phase == want {
			return s
		}
		<-r.changed
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestNodesAreStartedKilledAndStopped(t *testing.T) {
	r := newRig(t, "node", "node")
	for i := range 2 {
		must(t, r.Start(i+1))
	}
	for i := range 2 {
		must(t, r.Ready(i+1, nil))
	}
	if s := r.wait(1, Serving); s.PID == 0 {
		t.Errorf("a node that serves: %+v", s)
	}
	if r.Start(1) == nil || r.Start(3) == nil {
		t.Error("a node that runs, or that is not there, was started")
	}
	must(t, r.Kill(1))
	if s := r.wait(1, Killed); s.PID != 0 || s.Why != "" {
		t.Errorf("a node that was killed: %+v", s)
	}
	if r.Kill(1) == nil || r.Stop(1) == nil || r.Pause(1) == nil {
		t.Error("something was done to a node that does not run")
	}
	must(t, r.Stop(2))
	r.wait(2, Stopped)
	must(t, r.Start(1))
	must(t, r.Ready(1, nil))
}

func TestANodeThatEndsByItselfFailed(t *testing.T) {
	r := newRig(t, "broken")
	must(t, r.Start(1))
	if err := r.Ready(1, nil); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("it is ready: %v", err)
	}
	if s := r.wait(1, Failed); !strings.Contains(s.Why, "ended by itself") {
		t.Errorf("%+v", s)
	}
	r = newRig(t, "node")
	r.nodes[0].Command = func() (*exec.Cmd, error) { return nil, fmt.Errorf("no token") }
	if err := r.Start(1); err == nil || r.States()[0].Phase != Failed || r.Ready(1, nil) == nil {
		t.Errorf("started without a command: %v, %+v", err, r.States()[0])
	}
}

func TestWaitingForANodeEnds(t *testing.T) {
	r := newRig(t, "")
	r.nodes[0].Command = func() (*exec.Cmd, error) {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), role+"=node")
		return cmd, nil
	}
	done := make(chan struct{})
	close(done)
	must(t, r.Start(1))
	must(t, r.Ready(1, nil))
	must(t, r.Kill(1))
	r.wait(1, Killed)
	r.nodes[0].ready, r.nodes[0].ended = make(chan struct{}), make(chan struct{})
	if err := r.Ready(1, done); err == nil {
		t.Error("a node that never gets ready is")
	}
}

func TestAPausedNodeGoesOnAndStops(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there is no pause, which pause_other.go says
	}
	r := newRig(t, "node")
	must(t, r.Start(1))
	must(t, r.Ready(1, nil))
	must(t, r.Pause(1))
	r.wait(1, Paused)
	must(t, r.Pause(1))
	r.wait(1, Serving)
	must(t, r.Pause(1))
	must(t, r.Stop(1))
	r.wait(1, Stopped)
}

func TestClosingKillsWhatDoesNotStop(t *testing.T) {
	if runtime.GOOS == "windows" {
		return
	}
	r := newRig(t, "node", "node")
	for i := range 2 {
		must(t, r.Start(i+1))
		must(t, r.Ready(i+1, nil))
	}
	// A process that stands still behind our back does not stop.
	must(t, freeze(r.nodes[0].cmd.Process, true))
	over := make(chan time.Time)
	close(over)
	r.Close(over)
	for _, s := range r.States() {
		if s.PID != 0 {
			t.Errorf("%+v still runs", s)
		}
	}
}

func TestKeys(t *testing.T) {
	for typed, want := range map[string][]string{
		"k2":          {"k2"},
		"K 2\n":       {"k2", "\n0"},
		"s1p2r3":      {"s1", "p2", "r3"},
		"kk1":         {"k1"},
		"ks1":         {"s1"},
		"1":           nil,
		"kx1":         nil,
		"k\n2":        nil,
		"?q":          {"?0", "q0"},
		"\n":          {"\n0"},
		"k9kill 3 \n": {"k9", "\n0"},
	} {
		var k Keys
		var got []string
		for _, c := range typed {
			if deed, number, ok := k.Press(c); ok {
				got = append(got, fmt.Sprintf("%c%d", deed, number))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
}

func TestDeedsAreDone(t *testing.T) {
	r := newRig(t, "node")
	must(t, r.Do(DoStart, 1))
	must(t, r.Ready(1, nil))
	must(t, r.Do(DoKill, 1))
	r.wait(1, Killed)
	for _, d := range []Deed{DoStop, DoPause, DoQuit} {
		if r.Do(d, 1) == nil {
			t.Errorf("%c was done to a node that does not run", d)
		}
	}
}

func TestTheBoard(t *testing.T) {
	states := []State{
		{Spec: Spec{Number: 1, Addr: "h:1"}, Phase: Serving, PID: 7, Took: 1234 * time.Millisecond},
		{Spec: Spec{Number: 2, Addr: "h:2"}, Phase: Failed, Why: "it ended by itself: exit status 1"},
	}
	var plain strings.Builder
	b := &Board{W: &plain}
	b.Show(states)
	b.Show(states)
	b.Say(states, "said")
	states[0].Phase, states[0].Took = Paused, 0
	b.Show(states)
	want := "  node 1  h:1                   serving   pid 7, in 1.234s\n" +
		"  node 2  h:2                   failed    it ended by itself: exit status 1\n" +
		"said\n" +
		"  node 1  h:1                   paused    pid 7\n"
	if plain.String() != want {
		t.Errorf("got\n%s\nwant\n%s", plain.String(), want)
	}
	var screen strings.Builder
	b = &Board{W: &screen, Terminal: true, Note: func(n int) string { return fmt.Sprintf("leads %d", n) }}
	b.Show(states)
	b.Say(states, "said")
	if got := strings.Count(screen.String(), "\x1b[2A\x1b[J"); got != 1 {
		t.Errorf("the lines were written over %d times, want once: %q", got, screen.String())
	}
	if !strings.HasSuffix(screen.String(), "said\n"+Line(states[0], "leads 1")+"\n"+Line(states[1], "leads 2")+"\n") {
		t.Errorf("the screen ends with %q", screen.String())
	}
	for i, foot := range []string{"first", "second"} {
		b.Foot(states, foot)
		over := 2 + i // it stands below the nodes, and is written over with them
		if !strings.HasSuffix(screen.String(), fmt.Sprintf("\x1b[%dA\x1b[J%s\n%s\n%s\n", over, Line(states[0], "leads 1"), Line(states[1], "leads 2"), foot)) {
			t.Errorf("with %q at its foot the screen ends with %q", foot, screen.String())
		}
	}
}

func TestFreePortsAreFreeAndInOrder(t *testing.T) {
	ports, err := FreePorts("127.0.0.1", 22_000, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(ports) != 3 || !slices.IsSorted(ports) || ports[0] < 22_000 {
		t.Errorf("%v", ports)
	}
	if _, err := FreePorts("127.0.0.1", 1<<16, 1); err == nil {
		t.Error("there are ports above the last")
	}
}
