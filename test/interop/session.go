package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"ottla/test/rig"
)

// clientWithin bounds one client's whole run, bigWithin that of one that is a
// system of its own, in several processes of Java.
const (
	clientWithin = 6 * time.Minute
	bigWithin    = 12 * time.Minute
)

// tailBytes of a client's standard error are shown when it fails.
const tailBytes = 600

// session is one client at work.
type session struct {
	client  client
	broker  *rig.Cluster
	nth     int             // of the clients: each begins with another node
	dir     string          // where its standard error goes
	asked   int             // restarts, up to now
	http    string          // where HTTP is served: by the node, or in front of all
	life    context.Context // of the broker, which outlives the client
	version string
	rows    []row
	failed  map[string]bool
	since   time.Time // the scenario that is under way began
}

// run runs the client's program to its end and gives its rows; a scenario that
// was promised and never reported is a failure.
func (s session) run(ctx context.Context, cmd command) []row {
	within := cmp.Or(s.client.within, clientWithin)
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	s.failed, s.since = map[string]bool{}, time.Now()
	errs := &lastBytes{}
	front, err := s.face()
	if err != nil {
		return []row{{client: s.client.name, scenario: "start", why: err.Error()}}
	}
	defer front()
	p, in, out, err := s.start(limited, cmd, errs)
	if err != nil {
		return []row{{client: s.client.name, scenario: "start", why: err.Error()}}
	}
	// A grandchild that outlives the client would hold the pipe open.
	defer context.AfterFunc(limited, func() { _ = out.Close() })()
	s.listen(out, in)
	if limited.Err() != nil {
		s.add("time", fmt.Sprintf("the client was ended after %v", within))
	}
	if err := p.Wait(); err != nil {
		s.add("exit", fmt.Sprintf("%v: %s", err, oneLine(errs.String())))
	}
	s.finish()
	return s.rows
}

// face finds the address of HTTP; with several nodes one that each request leaves
// for another node.
func (s *session) face() (done func(), err error) {
	s.http = s.broker.Nodes[0].HTTP
	if len(s.broker.Nodes) == 1 || s.http == "" {
		return func() {}, nil
	}
	b, err := startBalancer(s.broker.Nodes)
	if err != nil {
		return nil, err
	}
	s.http = b.addr
	return func() { _ = b.stop() }, nil // nobody asks any more
}

// start starts the program, with the ends of what it reads and writes. What it says
// on standard error goes to errs and, for who looks for a reason, to a file.
func (s *session) start(ctx context.Context, cmd command, errs io.Writer) (*exec.Cmd, io.Writer, io.ReadCloser, error) {
	told, err := os.Create(filepath.Join(s.dir, s.client.name+".err"))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("keep what it says: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = told.Close() }) // nobody asks whether it is whole
	prefix := "interop-" + strings.ReplaceAll(s.client.name, "_", "-") + "-" + cmd.id
	p := exec.CommandContext(ctx, cmd.path, append(cmd.args, s.broker.Bootstrap(), prefix)...)
	p.Dir, p.Stderr = cmd.dir, io.MultiWriter(errs, told)
	p.Env = append(os.Environ(), "INTEROP_REPLICAS="+strconv.Itoa(len(s.broker.Nodes)), "INTEROP_HTTP="+s.http)
	in, err := p.StdinPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	out, err := p.StdoutPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	endGroup(p)
	return p, in, out, p.Start()
}

// listen obeys the client's lines until it ends.
func (s *session) listen(out io.Reader, in io.Writer) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "VERSION":
			s.version = rest
		case "PASS":
			s.add(rest, "")
		case "FAIL":
			name, why, _ := strings.Cut(rest, " ")
			s.add(name, oneLine("because: "+why))
		case "RESTART":
			if err := s.restart(s.life); err != nil {
				s.add("restart", err.Error())
			}
			if _, err := io.WriteString(in, "GO\n"); err != nil {
				s.add("restart", "the client is gone: "+err.Error())
			}
		}
	}
	_, _ = io.Copy(io.Discard, out) // a line too long must not block the client
}

// restart restarts the broker; a broker that cannot be ended or started within
// its own limits is the scenario's failure.
// Of several nodes one is killed, another one each time, and every second time all
// are restarted, one after the other.
func (s *session) restart(ctx context.Context) error {
	s.asked++
	nodes := s.broker.Nodes
	several := len(nodes) > 1
	end := (*rig.Node).Stop
	if several && s.asked%2 == 1 {
		end, nodes = (*rig.Node).Kill, nodes[(s.nth+s.asked/2)%len(nodes):][:1]
	}
	for _, n := range nodes {
		if err := end(n); err != nil {
			return fmt.Errorf("stop the broker: %w", err)
		}
		if err := n.Start(ctx); err != nil {
			return fmt.Errorf("start the broker again: %w", err)
		}
		if several {
			if err := s.broker.InSync(ctx); err != nil {
				return fmt.Errorf("wait for what the node missed: %w", err)
			}
		}
	}
	return nil
}

func (s *session) add(scenario, why string) {
	if why != "" && s.failed[scenario] {
		return // the first reason is the telling one
	}
	s.failed[scenario] = why != ""
	now := time.Now()
	s.rows = append(s.rows, row{s.client.name, s.version, scenario, why, now.Sub(s.since)})
	s.since = now
}

// finish adds what the client left out.
func (s *session) finish() {
	for _, want := range s.client.scenarios {
		if _, told := s.failed[want]; !told {
			s.add(want, "the client never reported it")
		}
	}
	for i := range s.rows {
		s.rows[i].version = s.version
	}
}

// lastBytes keeps the end of what is written to it.
type lastBytes struct {
	mu  sync.Mutex // os/exec writes from a goroutine of its own
	end []byte
}

// Write keeps the last bytes.
func (l *lastBytes) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = append(l.end, p...)
	l.end = l.end[max(0, len(l.end)-tailBytes):]
	return len(p), nil
}

// String is what was kept.
func (l *lastBytes) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.end)
}

// oneLine puts a text of several lines into a cell of the table.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
