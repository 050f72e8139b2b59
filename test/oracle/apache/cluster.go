package apache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"ottla/test/realfault"
)

// clusterID is the id of every cluster that is started here.
const clusterID = "b3R0bGEtb3JhY2xlLTAwMQ"

// Cluster is several brokers that are controllers too, numbered from 1.
type Cluster struct {
	Nodes []*Node
}

// StartSeveral formats count nodes below dir, where they are new, as the first
// voters of one quorum, runs them on 127.0.0.1 and returns when all serve.
// settings are those of every node and win over what a cluster needs. After an
// error none is left running.
func StartSeveral(ctx context.Context, dir string, count int, settings map[string]string) (*Cluster, error) {
	d, err := Broker(ctx)
	if err != nil {
		return nil, err
	}
	ports, err := realfault.FreePorts(2 * count)
	if err != nil {
		return nil, err
	}
	var bootstrap, voters []string
	for i := range count {
		controller := local(ports[count+i])
		bootstrap = append(bootstrap, controller)
		voters = append(voters, fmt.Sprintf("%d@%s:%s", i+1, controller, directoryID(i+1)))
	}
	c := &Cluster{}
	for i := range count {
		own := maps.Clone(settings)
		if own == nil {
			own = map[string]string{}
		}
		own["node.id"] = strconv.Itoa(i + 1)
		own["controller.quorum.bootstrap.servers"] = strings.Join(bootstrap, ",")
		n := newNode(filepath.Join(dir, fmt.Sprintf("node-%d", i+1)), ports[i])
		if err := n.prepare(ctx, d, []int{ports[i], ports[count+i]}, own, "--initial-controllers", strings.Join(voters, ",")); err != nil {
			return nil, err
		}
		c.Nodes = append(c.Nodes, n)
	}
	if err := c.each(func(n *Node) error { return n.run(ctx, d) }); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// directoryID is the id of the directory of a node: 16 bytes, base64.
func directoryID(node int) string { return fmt.Sprintf("b3R0bGEtb3JhY2xlLW%03dg", node) }

// Addrs are the addresses for clients, in the order of the nodes' numbers.
func (c *Cluster) Addrs() []string {
	var out []string
	for _, n := range c.Nodes {
		out = append(out, n.Addr)
	}
	return out
}

// Stop ends all nodes at once: alone, the last ones would wait for the others.
func (c *Cluster) Stop() error { return c.each((*Node).Stop) }

// each does one thing to all nodes at the same time.
func (c *Cluster) each(do func(*Node) error) error {
	errs := make([]error, len(c.Nodes))
	var all sync.WaitGroup
	for i, n := range c.Nodes {
		all.Go(func() { errs[i] = do(n) })
	}
	all.Wait()
	return errors.Join(errs...)
}
