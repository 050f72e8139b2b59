package cli

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/devnodes"
	"ottla/internal/cli/fail"
)

// low listens where no client gets a port by itself, nor another test one of
// realfault.FreePorts, so that those beside it do not change hands while a test looks
// at them.
func low(t *testing.T) net.Listener {
	t.Helper()
	for port := 12_000 + os.Getpid()*97%7000; port < 20_000; port += 10 {
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return l
		}
	}
	t.Fatal("there is no free port from 12000 to 20000")
	return nil
}

func TestNodesGetTheirAddressesBack(t *testing.T) {
	l := low(t)
	taken := l.Addr().String()
	defer l.Close()
	first, err := addresses(taken, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(first, taken) || len(first) != 2 {
		t.Errorf("%v, although %s is taken", first, taken)
	}
	if again, err := addresses(taken, 2, first); err != nil || !slices.Equal(again, first) {
		t.Errorf("got %v (%v), and had %v", again, err, first)
	}
	if other, err := addresses(taken, 2, []string{taken, first[0]}); err != nil || slices.Contains(other, taken) {
		t.Errorf("%v (%v), although %s is taken", other, err, taken)
	}
	for _, bad := range []string{"nowhere", "h:x"} {
		if _, err := addresses(bad, 1, nil); fail.CodeOf(err) != fail.Usage {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestANodeOfDevIsStartedAsAnyNodeIs(t *testing.T) {
	c := &devCluster{o: &ask.Options{}, n: &nodeFlags{data: t.TempDir(), listen: "127.0.0.1:0", http: "off", set: []string{"num.partitions=5"}, logLevel: "warn", logFormat: "text"}, count: 3}
	forget, err := c.place(false, false)
	if err != nil {
		t.Fatal(err)
	}
	defer forget()
	if err := c.prepare(); err != nil {
		t.Fatal(err)
	}
	cmd, err := c.command(1)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Join(cmd.Args[1:], " ")
	for _, want := range []string{"serve --data " + filepath.Join(c.dir, "node-1"), "--listen " + c.specs[0].Addr, "--http off", "--node-id 1", "--while-stdin", "--of-dev 3", "--set num.partitions=5"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q is not in %q", want, line)
		}
	}
	if strings.Contains(line, "--join") {
		t.Errorf("the first node joins somebody: %q", line)
	}
	if _, err := c.command(2); err == nil {
		t.Error("a node joins a cluster that has no token")
	}
	root := newRoot(&ask.Options{})
	serve, _, err := root.Find([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.ParseFlags(cmd.Args[2:]); err != nil {
		t.Errorf("serve does not take what dev gives it: %v", err)
	}
	again := &devCluster{o: &ask.Options{}, n: c.n, count: 3}
	if _, err := again.place(false, false); err != nil {
		t.Fatal(err)
	}
	if err := again.prepare(); err != nil || !slices.EqualFunc(again.specs, c.specs, func(a, b devnodes.Spec) bool { return a.Addr == b.Addr }) {
		t.Errorf("the next run has other addresses: %v", err)
	}
}

func TestTheFolderOfEphemeralNodesIsForgotten(t *testing.T) {
	c := &devCluster{o: &ask.Options{}, n: &nodeFlags{}, count: 2}
	forget, err := c.place(true, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.dir); err != nil {
		t.Error(err)
	}
	forget()
	if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", c.dir, err)
	}
}

func TestNotesSayWhatNodesLead(t *testing.T) {
	var n notes
	m := kadm.Metadata{Controller: 2, Topics: kadm.TopicDetails{"t": {Partitions: kadm.PartitionDetails{
		0: {Leader: 1, ISR: []int32{1, 2}}, 1: {Leader: 2, ISR: []int32{2}},
	}}}}
	if !n.set(m, nil, 2) || n.set(m, nil, 2) {
		t.Error("news are not told from what is known")
	}
	if n.of(1) != "leads 1, in sync in 1 of 2" || n.of(2) != "leads 1, in sync in 2 of 2, controller" {
		t.Errorf("%q, %q", n.of(1), n.of(2))
	}
	if !n.set(kadm.Metadata{}, errors.New("gone"), 2) || n.of(1) != "" {
		t.Errorf("a cluster that does not answer: %q", n.of(1))
	}
}

func TestWrongNumbersOfNodesAreRefused(t *testing.T) {
	for _, args := range [][]string{{"--nodes", "0"}, {"--nodes", "10"}, {"--nodes", "3", "--ephemeral", "--fresh"}, {"--nodes", "3", "--advertise", "h:1"}} {
		call(t, nil, "", append([]string{"dev"}, args...)...).mustHold(t, fail.Usage)
	}
}
