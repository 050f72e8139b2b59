package several

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"ottla/test/realfault"
)

// Lossy loses so many percent of the packets that a node sends and gets, of
// clients too, until the function that it gives is called. Where the machine does
// not allow that, the error is a *realfault.Impossible.
func (c *Cluster) Lossy(ctx context.Context, number, percent int) (mend func() error, err error) {
	if c.net == nil {
		return nil, noNetwork()
	}
	if _, err := exec.LookPath("tc"); err != nil {
		return nil, &realfault.Impossible{Reason: "there is no tc (iproute2)"}
	}
	ends := []end{{c.net.space(number), "eth0"}, {"", c.net.link(number)}}
	done := 0
	mend = func() error {
		var errs []error
		for _, at := range ends[:done] {
			errs = append(errs, tc(context.WithoutCancel(ctx), at, "qdisc del", "ingress"))
		}
		done = 0
		return errors.Join(errs...)
	}
	for _, at := range ends {
		err := tc(ctx, at, "qdisc add", "ingress")
		if err == nil {
			done++
			err = tc(ctx, at, "filter add", "parent", "ffff:", "protocol", "ip", "bpf", "da", "bytecode", dice(percent))
		}
		if err != nil {
			return nil, errors.Join(&realfault.Impossible{Reason: err.Error()}, mend())
		}
	}
	return mend, nil
}

// dice is a filter in the kernel's classic byte code that drops a packet in so
// many percent: it loads a random word (SKF_AD_RANDOM) and compares. 0 lets a
// packet through, 2 (TC_ACT_SHOT) drops it.
func dice(percent int) string {
	const loadRandom = 1<<32 - 0x1000 + 56
	return fmt.Sprintf("4,32 0 0 %d,53 0 1 %d,6 0 0 0,6 0 0 2", loadRandom, (1<<32-1)/100*percent)
}

// end is an end of a line: a device in a namespace, or here where that is empty.
type end struct{ space, device string }

// tc runs tc at an end: "qdisc add" and the like, and what follows the device.
func tc(ctx context.Context, at end, what string, more ...string) error {
	var args []string
	if at.space != "" {
		args = []string{"-n", at.space}
	}
	args = append(append(args, strings.Fields(what)...), append([]string{"dev", at.device}, more...)...)
	if out, err := exec.CommandContext(ctx, "tc", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("tc %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Reset ends all connections that a node has at this moment, with clients and
// with other nodes: both ends see a reset.
func (c *Cluster) Reset(ctx context.Context, number int) error {
	if c.net == nil {
		return noNetwork()
	}
	if _, err := exec.LookPath("ss"); err != nil {
		return &realfault.Impossible{Reason: "there is no ss (iproute2)"}
	}
	line := append(c.net.enter(number), "ss", "--kill", "--tcp", "--no-header", "state", "established")
	if out, err := exec.CommandContext(ctx, line[0], line[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("reset the connections of node %d: %w: %s", number, err, strings.TrimSpace(string(out)))
	}
	return nil
}

func noNetwork() error {
	return &realfault.Impossible{Reason: "the nodes have no network of their own"}
}
