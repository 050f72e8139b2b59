package several

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"ottla/test/realfault"
)

// network is a bridge with a namespace for each node behind it. This program is
// on the bridge too.
type network struct {
	id     string // of this run, in the names of all that is made
	subnet string // of /24, without its last number
	nodes  int
	made   []string // namespaces
	bridge bool
}

// pref of the rules: those that drop come before the one that finds local
// addresses, which the kernel keeps at 0 and we move up.
const (
	prefDrop  = "10"
	prefLocal = "100"
)

// newNetwork makes it. Where the machine does not allow that, the error is a
// *realfault.Impossible.
func newNetwork(ctx context.Context, nodes int) (*network, error) {
	if os.Geteuid() != 0 {
		return nil, &realfault.Impossible{Reason: "network namespaces need root"}
	}
	for program, of := range map[string]string{"ip": "iproute2", "nsenter": "util-linux"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, &realfault.Impossible{Reason: "there is no " + program + " (" + of + ")"}
		}
	}
	pid := os.Getpid()
	n := &network{id: strconv.Itoa(pid % 100_000), subnet: fmt.Sprintf("10.%d.%d.", 64+pid/250%128, pid%250), nodes: nodes}
	if err := n.raise(ctx); err != nil {
		return nil, errors.Join(&realfault.Impossible{Reason: err.Error()}, n.close(context.WithoutCancel(ctx)))
	}
	return n, nil
}

func (n *network) raise(ctx context.Context) error {
	if err := ip(ctx, "link", "add", n.bridgeName(), "type", "bridge"); err != nil {
		return err
	}
	n.bridge = true
	if err := all(ctx, "addr add "+n.subnet+"1/24 dev "+n.bridgeName(), "link set "+n.bridgeName()+" up"); err != nil {
		return err
	}
	for number := 1; number <= n.nodes; number++ {
		space, link := n.space(number), n.link(number)
		if err := ip(ctx, "netns", "add", space); err != nil {
			return err
		}
		n.made = append(n.made, space)
		err := all(ctx,
			"link add "+link+" type veth peer name eth0 netns "+space,
			"link set "+link+" master "+n.bridgeName()+" up",
			"-n "+space+" link set lo up",
			"-n "+space+" addr add "+n.host(number)+"/24 dev eth0",
			"-n "+space+" link set eth0 up",
			"-n "+space+" rule add pref "+prefLocal+" lookup local",
			"-n "+space+" rule del pref 0",
		)
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *network) bridgeName() string { return "ob" + n.id }

func (n *network) space(number int) string { return "ottla-" + n.id + "-" + strconv.Itoa(number) }

// link is a node's end of its line at the bridge; in its namespace it is eth0.
func (n *network) link(number int) string { return "ov" + n.id + "-" + strconv.Itoa(number) }

// host is a node's address.
func (n *network) host(number int) string { return n.subnet + strconv.Itoa(10+number) }

// enter is what is put in front of a command that runs in a node's namespace.
// It is not "ip netns exec", which makes a namespace of mounts too: that would
// hold on to the disks of the other nodes.
func (n *network) enter(number int) []string {
	return []string{"nsenter", "--net=/var/run/netns/" + n.space(number), "--"}
}

func (n *network) rule(ctx context.Context, what string, from, to int) error {
	return ip(ctx, "-n", n.space(to), "rule", what, "pref", prefDrop, "from", n.host(from), "iif", "eth0", "blackhole")
}

func (n *network) close(ctx context.Context) error {
	var errs []error
	for _, space := range n.made { // its end of the link, and so the other, goes with it
		errs = append(errs, ip(ctx, "netns", "del", space))
	}
	if n.bridge {
		errs = append(errs, ip(ctx, "link", "del", n.bridgeName()))
	}
	return errors.Join(errs...)
}

func all(ctx context.Context, lines ...string) error {
	for _, line := range lines {
		if err := ip(ctx, strings.Fields(line)...); err != nil {
			return err
		}
	}
	return nil
}

func ip(ctx context.Context, args ...string) error {
	if out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Cut loses every packet that one node sends to another, until Heal.
func (c *Cluster) Cut(ctx context.Context, from, to int) error {
	if c.net == nil {
		return noNetwork()
	}
	return c.net.rule(ctx, "add", from, to)
}

// Mend lets packets from one node to another through again.
func (c *Cluster) Mend(ctx context.Context, from, to int) error {
	return c.net.rule(ctx, "del", from, to)
}

// Link is one direction between two nodes.
type Link struct{ From, To int }

// Apart cuts links and gives what mends them.
func (c *Cluster) Apart(ctx context.Context, links ...Link) (mend func() error, err error) {
	var cut []Link
	mend = func() error {
		var errs []error
		for _, l := range cut {
			errs = append(errs, c.Mend(context.WithoutCancel(ctx), l.From, l.To))
		}
		cut = nil
		return errors.Join(errs...)
	}
	for _, l := range links {
		if err := c.Cut(ctx, l.From, l.To); err != nil {
			return mend, errors.Join(err, mend())
		}
		cut = append(cut, l)
	}
	return mend, nil
}
