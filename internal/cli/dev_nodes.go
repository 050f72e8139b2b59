package cli

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/devnodes"
	"ottla/internal/cli/fail"
)

// mostNodes is how many nodes keys can name.
const mostNodes = 9

// devCluster is several nodes in one terminal.
type devCluster struct {
	o      *ask.Options
	n      *nodeFlags
	count  int
	binary string
	dir    string
	shop   bool // a demo runs
	fresh  bool // nothing of an earlier run is there
	specs  []devnodes.Spec
	nodes  *devnodes.Nodes
	board  *devnodes.Board
	notes  notes
}

// devNodes runs N nodes until ctx ends, q is pressed, or the first cannot
// start.
func devNodes(ctx context.Context, o *ask.Options, n *nodeFlags, count int, ephemeral, fresh, withDemo bool) error {
	if count > mostNodes {
		return fail.Usagef("--nodes %d: at most %d", count, mostNodes)
	}
	c := &devCluster{o: o, n: n, count: count, shop: withDemo}
	forget, err := c.place(ephemeral, fresh)
	if err != nil {
		return err
	}
	defer forget()
	if err := c.prepare(); err != nil {
		return err
	}
	began := time.Now()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.board = &devnodes.Board{W: o.Out, Terminal: ask.Terminal(o.Out), Note: c.notes.of}
	c.nodes = devnodes.New(c.specs, time.Now, func() { c.board.Show(c.nodes.States()) })
	defer func() {
		t := time.NewTimer(stopPatience)
		defer t.Stop()
		c.nodes.Close(t.C)
	}()
	if err := c.raise(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fail.New(fail.Failed, "the nodes did not start", err.Error(), "their logs are in "+filepath.Join(c.dir, "node-*.log"))
	}
	c.banner(time.Since(began))
	if f, ok := o.In.(*os.File); ok && ask.Terminal(f) {
		defer devnodes.AtOnce(f)()
	}
	var watching sync.WaitGroup
	watching.Go(func() { c.watch(ctx) })
	if withDemo {
		watching.Go(func() { c.demo(ctx) })
	}
	go c.keys(cancel) // it ends with standard input, or with the process
	<-ctx.Done()
	watching.Wait()
	return nil
}

// stopPatience is how long the nodes may take to stop.
const stopPatience = 15 * time.Second

// place finds the folder for all nodes; forget removes it where it shall not
// stay.
func (c *devCluster) place(ephemeral, fresh bool) (forget func(), err error) {
	forget = func() {}
	switch {
	case ephemeral:
		if c.dir, err = os.MkdirTemp("", "ottla-dev-"); err != nil {
			return forget, fail.New(fail.Failed, "there is no folder for the data", err.Error(), "")
		}
		return func() { _ = os.RemoveAll(c.dir) }, nil // what is left there is nobody's
	case c.n.data != "":
		c.dir = c.n.data
	default:
		state, err := stateDir()
		if err != nil {
			return forget, err
		}
		c.dir = filepath.Join(state, fmt.Sprintf("%s-%d-nodes", folderOf(c.shop), c.count))
	}
	if c.dir, err = filepath.Abs(c.dir); err != nil {
		return forget, fmt.Errorf("find the folder of the data: %w", err)
	}
	for i := range c.count {
		if fresh {
			if err := clearData(c.data(i + 1)); err != nil {
				return forget, err
			}
		}
	}
	return forget, os.MkdirAll(c.dir, 0o755)
}

func (c *devCluster) data(number int) string {
	return filepath.Join(c.dir, fmt.Sprintf("node-%d", number))
}

// prepare finds addresses and how each node is started.
func (c *devCluster) prepare() (err error) {
	if c.binary, err = os.Executable(); err != nil {
		return fail.New(fail.Failed, "this program cannot find itself", err.Error(), "")
	}
	c.fresh = !used(c.data(1))
	first := c.n.listen
	if first == "" {
		first = ask.DefaultBootstrap
	}
	addrs, err := addresses(first, c.count, c.kept("addresses"))
	if err != nil {
		return err
	}
	https := make([]string, c.count)
	if c.n.http != "off" {
		http := c.n.http
		if http == "" {
			http = "127.0.0.1:8080"
		}
		if https, err = addresses(http, c.count, nil); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(c.dir, "addresses"), []byte(strings.Join(addrs, "\n")+"\n"), 0o644); err != nil {
		return fail.New(fail.Failed, "the nodes' addresses cannot be kept", err.Error(), "")
	}
	for i := range c.count {
		number := i + 1
		c.specs = append(c.specs, devnodes.Spec{
			Number: number, Addr: addrs[i], HTTP: https[i], Data: c.data(number),
			Command: func() (*exec.Cmd, error) { return c.command(number) },
		})
	}
	return nil
}

// kept are the lines of a file of an earlier run: nodes find each other by the
// addresses that they had.
func (c *devCluster) kept(name string) []string {
	text, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text))
}

// addresses are those of an earlier run where they are free, else the first and
// those that follow it.
func addresses(first string, count int, earlier []string) ([]string, error) {
	host, port, err := net.SplitHostPort(first)
	if err != nil {
		return nil, fail.Usagef("%s: want HOST:PORT (%v)", first, err)
	}
	from, err := strconv.Atoi(port)
	if err != nil {
		return nil, fail.Usagef("%s: want HOST:PORT", first)
	}
	if len(earlier) == count && allFree(earlier) {
		return earlier, nil
	}
	if from == 0 {
		from = anyPortsFrom
	}
	ports, err := devnodes.FreePorts(host, from, count)
	if err != nil {
		return nil, fail.New(fail.Failed, "no ports for the nodes", err.Error(), "choose others with --listen or --http")
	}
	var out []string
	for _, p := range ports {
		out = append(out, net.JoinHostPort(host, strconv.Itoa(p)))
	}
	return out, nil
}

// anyPortsFrom is where ports are looked for when any will do.
const anyPortsFrom = 21_000

func allFree(addrs []string) bool {
	for _, a := range addrs {
		l, err := net.Listen("tcp", a)
		if err != nil {
			return false
		}
		if l.Close() != nil {
			return false
		}
	}
	return true
}

// command is a node's process.
func (c *devCluster) command(number int) (*exec.Cmd, error) {
	s := c.specs[number-1]
	http := s.HTTP
	if http == "" {
		http = "off"
	}
	args := []string{"serve", "--data", s.Data, "--listen", s.Addr, "--http", http, "--node-id", strconv.Itoa(number), "--while-stdin",
		"--of-dev", strconv.Itoa(c.count), "--log-level", c.n.logLevel, "--log-format", c.n.logFormat}
	if c.n.configFile != "" {
		args = append(args, "--config", c.n.configFile)
	}
	for _, kv := range c.n.set {
		args = append(args, "--set", kv)
	}
	if len(c.n.allowTargets) > 0 {
		args = append(args, "--allow-targets", strings.Join(c.n.allowTargets, ","))
	}
	if c.n.functions != "" {
		args = append(args, "--functions", c.n.functions)
	}
	env := os.Environ()
	if number > 1 {
		token, _, err := tokenIn(c.data(1))
		if err != nil {
			return nil, err
		}
		args = append(args, "--join", strings.Join(c.others(number), ","))
		env = append(withoutToken(env), tokenVariable+"="+token)
	}
	cmd := exec.Command(c.binary, args...)
	cmd.Env = env
	log, err := os.OpenFile(c.data(number)+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of node %d: %w", number, err)
	}
	cmd.Stderr = log // closed when it is collected; the process has its own
	return cmd, nil
}

func (c *devCluster) others(number int) (out []string) {
	for _, s := range c.specs {
		if s.Number != number {
			out = append(out, s.Addr)
		}
	}
	return out
}

// raise starts all nodes. The first of a new cluster founds it; nodes that were
// together before need each other, so they start at once.
func (c *devCluster) raise(ctx context.Context) error {
	for i := range c.count {
		if err := c.nodes.Start(i + 1); err != nil {
			return err
		}
		if c.fresh {
			if err := c.nodes.Ready(i+1, ctx.Done()); err != nil {
				return err
			}
		}
	}
	for i := range c.count {
		if err := c.nodes.Ready(i+1, ctx.Done()); err != nil {
			return err
		}
	}
	if c.fresh {
		c.formed(ctx)
	}
	return nil
}

func (c *devCluster) banner(took time.Duration) {
	o := c.o
	var all []string
	for _, s := range c.specs {
		all = append(all, s.Addr)
	}
	bootstrap := strings.Join(all, ",")
	c.board.Say(nil, "\n  ottla %s  %d nodes, development mode    ready in %d ms", ask.Version, c.count, took.Milliseconds())
	c.board.Say(nil, "  Kafka      %s", bootstrap)
	c.board.Say(nil, "  Data       %s    a folder and a log of each node", c.dir)
	if c.count > 2 {
		c.board.Say(nil, "  Safety     every record on 3 nodes, 2 must have it; no login because only this machine can connect")
	}
	c.board.Say(nil, "\n  Try, in another terminal:\n    ottla produce orders -b %s\n    ottla cluster -b %s\n", bootstrap, bootstrap)
	if f, ok := o.In.(*os.File); ok && ask.Terminal(f) {
		c.board.Say(nil, "  %s\n", devnodes.KeyHelp)
	}
	http := "off"
	if c.specs[0].HTTP != "" {
		http = c.specs[0].HTTP
	}
	c.board.Say(c.nodes.States(), "ready kafka=%s http=%s", bootstrap, http)
}

// keys does what is typed, until standard input ends.
func (c *devCluster) keys(quit func()) {
	in := bufio.NewReader(c.o.In)
	var k devnodes.Keys
	for {
		r, _, err := in.ReadRune()
		if err != nil {
			return
		}
		deed, number, ok := k.Press(r)
		if !ok {
			continue
		}
		switch deed {
		case devnodes.DoQuit:
			quit()
			return
		case devnodes.DoHelp:
			c.board.Say(c.nodes.States(), "  %s", devnodes.KeyHelp)
		case devnodes.DoShow:
			c.board.Show(c.nodes.States())
		default:
			if err := c.nodes.Do(deed, number); err != nil {
				c.board.Say(c.nodes.States(), "  %v", err)
			}
		}
	}
}

// notes are what the cluster says of its nodes.
type notes struct {
	mu    sync.Mutex // guards texts
	texts map[int]string
}

func (n *notes) of(number int) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.texts[number]
}

// noteEvery is how often the cluster is asked how it stands.
const noteEvery = time.Second

// watch asks the cluster, while a person looks, what each node leads.
func (c *devCluster) watch(ctx context.Context) {
	if !c.board.Terminal {
		return
	}
	var seeds []string
	for _, s := range c.specs {
		seeds = append(seeds, s.Addr)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.ClientID("ottla-dev"), kgo.DialTimeout(noteEvery), kgo.RetryTimeout(noteEvery),
		kgo.MetadataMinAge(noteEvery/2)) // what it knows already must not be shown for longer
	if err != nil {
		c.board.Say(c.nodes.States(), "  what nodes lead cannot be shown: %v", err)
		return
	}
	defer cl.Close()
	admin := kadm.NewClient(cl)
	for ask.Pause(ctx, noteEvery) == nil {
		one, cancel := context.WithTimeout(ctx, noteEvery)
		m, err := admin.Metadata(one)
		cancel()
		if c.notes.set(m, err, c.count) {
			c.board.Show(c.nodes.States())
		}
	}
}

// set puts down what metadata say; true when that is news.
func (n *notes) set(m kadm.Metadata, err error, count int) bool {
	texts := map[int]string{}
	if err == nil {
		leads, inSync, total := map[int32]int{}, map[int32]int{}, 0
		for _, t := range m.Topics {
			for _, p := range t.Partitions {
				total++
				leads[p.Leader]++
				for _, id := range p.ISR {
					inSync[id]++
				}
			}
		}
		for i := range count {
			id := int32(i + 1)
			text := fmt.Sprintf("leads %d, in sync in %d of %d", leads[id], inSync[id], total)
			if m.Controller == id {
				text += ", controller"
			}
			texts[i+1] = text
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	news := false
	for i := range count {
		news = news || n.texts[i+1] != texts[i+1]
	}
	n.texts = texts
	return news
}
