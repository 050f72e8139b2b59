package admin

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/balance"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/moves"
	"ottla/internal/cli/nodes"
	"ottla/internal/cli/out"
)

// moveFlags are what the commands that move partitions share.
type moveFlags struct {
	dryRun bool
	atOnce int
	limits balance.Limits
	stop   bool
}

func (m *moveFlags) bind(c *cobra.Command) {
	c.Flags().BoolVar(&m.dryRun, "dry-run", false, "show the plan and change nothing")
	c.Flags().IntVar(&m.atOnce, "at-once", 10, "how many partitions are on their way at a time")
}

func clusterBalance(o *ask.Options) *cobra.Command {
	var m moveFlags
	var maxMiB int64
	c := &cobra.Command{
		Use:   "balance",
		Short: "Spread replicas by racks and bytes, and leaders evenly, over the nodes",
		Long: "Spread replicas evenly over the nodes that serve: first so that no two replicas of a\n" +
			"partition share a rack where there are enough, then by bytes, then so that every node\n" +
			"leads as much. Ctrl-C pauses: nothing more is begun, what is under way goes on, and the\n" +
			"same command goes on from there. --stop takes back what is under way.",
		Example: "  ottla cluster balance --dry-run\n  ottla cluster balance --leaders\n  ottla cluster balance --max-mib 10240 --at-once 4",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if m.stop {
				return stopMoves(cmd.Context(), o)
			}
			m.limits.MaxBytes = maxMiB << 20
			return carryOut(cmd.Context(), o, &m, -1, func(c balance.Cluster) (*balance.Plan, error) {
				return balance.Even(c, m.limits), nil
			})
		},
	}
	m.bind(c)
	c.Flags().BoolVar(&m.limits.LeadersOnly, "leaders", false, "spread leaders only, which copies nothing")
	c.Flags().IntVar(&m.limits.Percent, "percent", 10, "leave alone what is nearer to the average than this")
	c.Flags().Int64Var(&maxMiB, "max-mib", 0, "copy at most so many MiB (0: no bound)")
	c.Flags().BoolVar(&m.stop, "stop", false, "take back what is under way, and move nothing")
	return c
}

func clusterDrain(o *ask.Options) *cobra.Command {
	var m moveFlags
	var leaders, remove bool
	c := &cobra.Command{
		Use:   "drain NODE",
		Short: "Move everything off a node, so that it can be taken away",
		Long: "Move every replica of a node to the others, racks and disks heeded, so that it can be taken\n" +
			"away for good. With --leaders it keeps its replicas and only leads nothing any more, as\n" +
			"before work on the machine. Ctrl-C pauses, as with \"ottla cluster balance\".",
		Example: "  ottla cluster drain 3 --dry-run\n  ottla cluster drain 3\n  ottla cluster drain 3 --leaders",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			node, err := nodeNumber(args[0])
			if err != nil {
				return err
			}
			if leaders && remove {
				return fail.Usagef("a node that keeps its replicas (--leaders) is not removed")
			}
			err = carryOut(cmd.Context(), o, &m, node, func(c balance.Cluster) (*balance.Plan, error) {
				if leaders {
					return balance.StepDown(c, node), nil
				}
				return balance.Drain(c, node), nil
			})
			if err != nil || !remove || m.dryRun {
				return err
			}
			return removeNode(cmd.Context(), o, node, false)
		},
	}
	m.bind(c)
	c.Flags().BoolVar(&remove, "remove", false, "and take it out of the cluster, as \"ottla cluster remove\" does")
	c.Flags().BoolVar(&leaders, "leaders", false, "move leaders only, which copies nothing")
	return c
}

func clusterReplace(o *ask.Options) *cobra.Command {
	var m moveFlags
	var remove bool
	c := &cobra.Command{
		Use:   "replace NODE BY",
		Short: "Give what one node holds to another, as when a machine is exchanged",
		Example: "  ottla cluster replace 2 4 --dry-run\n" +
			"  ottla cluster replace 2 4 --remove",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			node, err := nodeNumber(args[0])
			if err != nil {
				return err
			}
			by, err := nodeNumber(args[1])
			if err != nil {
				return err
			}
			if node == by {
				return fail.Usagef("a node cannot replace itself")
			}
			err = carryOut(cmd.Context(), o, &m, node, func(c balance.Cluster) (*balance.Plan, error) {
				if !slices.ContainsFunc(c.Nodes, func(n balance.Node) bool { return n.ID == by }) {
					return nil, fail.New(fail.NotFound, fmt.Sprintf("node %d does not serve", by), "it is not in the cluster, or fenced",
						"\"ottla cluster\" shows the nodes")
				}
				return balance.Replace(c, node, by), nil
			})
			if err != nil || !remove || m.dryRun {
				return err
			}
			return removeNode(cmd.Context(), o, node, false)
		},
	}
	m.bind(c)
	c.Flags().BoolVar(&remove, "remove", false, "and take NODE out of the cluster, as \"ottla cluster remove\" does")
	return c
}

func nodeNumber(word string) (int32, error) {
	n, err := strconv.ParseInt(word, 10, 32)
	if err != nil || n < 0 {
		return 0, fail.Usagef("%s is not a node's number", word)
	}
	return int32(n), nil
}

// carryOut plans from what the cluster holds, shows the plan, and does it. named
// is a node that must be known, -1 for none.
func carryOut(ctx context.Context, o *ask.Options, m *moveFlags, named int32, plan func(balance.Cluster) (*balance.Plan, error)) error {
	f, client, done, err := gatherNodes(ctx, o)
	if err != nil {
		return err
	}
	defer done()
	if named >= 0 && f.Node(named) == nil && !holdsAny(f, named) {
		return fail.New(fail.NotFound, fmt.Sprintf("there is no node %d", named), "", "\"ottla cluster\" shows the nodes")
	}
	if why, missing := f.Missing["reassignments"]; missing {
		return fail.New(fail.Failed, "cannot tell what is being moved already", why, "")
	}
	p, err := plan(contents(f))
	if err != nil {
		return err
	}
	if m.dryRun || o.Format == "table" {
		if err := showPlan(o, p); err != nil {
			return err
		}
	}
	if m.dryRun || len(p.Moves) == 0 {
		return stuckIs(p)
	}
	return runPlan(ctx, o, client, m, p)
}

func holdsAny(f *nodes.Facts, node int32) bool {
	return slices.ContainsFunc(f.Partitions, func(p nodes.Partition) bool { return slices.Contains(p.Replicas, node) })
}

// contents is what a plan starts from: the nodes that serve, and every partition
// that is not being moved already.
func contents(f *nodes.Facts) balance.Cluster {
	var c balance.Cluster
	for i := range f.Nodes {
		if n := &f.Nodes[i]; stateOf(n) == "serving" && !cordoned(n) {
			c.Nodes = append(c.Nodes, balance.Node{ID: n.ID, Rack: n.Rack})
		}
	}
	bytes := map[string]int64{}
	for i := range f.Nodes {
		for _, d := range f.Nodes[i].Dirs {
			for topic, partitions := range d.Topics {
				for index, r := range partitions {
					name := fmt.Sprintf("%s-%d", topic, index)
					bytes[name] = max(bytes[name], r.Size)
				}
			}
		}
	}
	for i := range f.Partitions {
		p := &f.Partitions[i]
		if len(p.Adding)+len(p.Removing) == 0 {
			c.Partitions = append(c.Partitions, balance.Partition{Topic: p.Topic, Index: p.Index, Replicas: p.Replicas, Leader: p.Leader, Bytes: bytes[p.Name()]})
		}
	}
	return c
}

// cordoned tells whether all of a node's directories take no new replicas.
func cordoned(n *nodes.Node) bool {
	for _, d := range n.Dirs {
		if !d.IsCordoned && d.Err == nil {
			return false
		}
	}
	return true
}

func showPlan(o *ask.Options, p *balance.Plan) error {
	t := &out.Table{Empty: "nothing has to move", Columns: []out.Column{
		{Field: "topic"}, {Field: "partition"}, {Field: "name", Title: "PARTITION"}, {Field: "from", Title: "FROM"}, {Field: "to", Title: "TO"},
		{Field: "copy_bytes"}, {Field: "copy", Title: "COPY", Right: true}, {Field: "why", Title: "WHY"},
	}}
	if len(p.Stuck) > 0 {
		t.Empty = "nothing can move"
	}
	for _, m := range p.Moves {
		t.Add(m.Topic, m.Index, fmt.Sprintf("%s-%d", m.Topic, m.Index), m.From, m.To, m.Bytes, out.Bytes(m.Bytes), m.Why)
	}
	if err := o.Print(t); err != nil || o.Format != "table" {
		return err
	}
	if len(p.Moves) > 0 {
		fmt.Fprintf(o.Out, "\n%s, %s to copy\n\n", ask.CountWord(int64(len(p.Moves)), "partition"), out.Bytes(p.Bytes()))
		loads := &out.Table{Columns: []out.Column{
			{Field: "node", Title: "NODE", Right: true}, {Field: "replicas", Title: "REPLICAS"}, {Field: "preferred", Title: "LEADS"}, {Field: "data", Title: "DATA"},
		}}
		for i, b := range p.Before {
			a := p.After[i]
			loads.Add(b.Node, fmt.Sprintf("%d -> %d", b.Replicas, a.Replicas), fmt.Sprintf("%d -> %d", b.Preferred, a.Preferred), out.Bytes(b.Bytes)+" -> "+out.Bytes(a.Bytes))
		}
		if err := o.Print(loads); err != nil {
			return err
		}
		fmt.Fprintln(o.Out)
	}
	for _, s := range p.Stuck {
		fmt.Fprintf(o.Err, "%s-%d stays: %s\n", s.Topic, s.Index, s.Reason)
	}
	return nil
}

// stuckIs the failure of a plan that cannot do all it should.
func stuckIs(p *balance.Plan) error {
	if len(p.Stuck) == 0 {
		return nil
	}
	s := p.Stuck[0]
	return fail.New(fail.Partly, ask.CountWord(int64(len(p.Stuck)), "partition")+" cannot be moved", fmt.Sprintf("%s-%d: %s", s.Topic, s.Index, s.Reason), "")
}

// lookEvery is how often what is under way is asked for.
const lookEvery = 500 * time.Millisecond

// runPlan carries a plan out and tells of each move.
func runPlan(ctx context.Context, o *ask.Options, client *kgo.Client, m *moveFlags, p *balance.Plan) error {
	t := &out.Table{Columns: []out.Column{{Field: "topic"}, {Field: "partition"}, {Field: "from"}, {Field: "to"}, {Field: "copy_bytes"}, {Field: "error"}}}
	r, err := moves.Run(ctx, moves.Kafka{Client: client}, p.Moves, moves.Options{
		AtOnce: m.atOnce, Wait: func(ctx context.Context) error { return ask.Pause(ctx, lookEvery) },
		Tell: func(e moves.Event) {
			var why any
			text := "moved"
			if e.Err != nil {
				why, text = e.Err.Error(), "refused: "+e.Err.Error()
			}
			t.Add(e.Move.Topic, e.Move.Index, e.Move.From, e.Move.To, e.Move.Bytes, why)
			if o.Format == "table" {
				fmt.Fprintf(o.Out, "[%d/%d] %s-%d %v -> %v %s\n", e.Nth, e.Total, e.Move.Topic, e.Move.Index, e.Move.From, e.Move.To, text)
			}
		},
	})
	if o.Format != "table" {
		if err := o.Print(t); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return ask.KafkaFailure("the plan was not carried out to its end", err)
	case r.UnderWay+r.Left > 0:
		return fail.New(fail.Partly, "paused", fmt.Sprintf("%d of %d partitions are moved, %d are under way and go on, %d were not begun", r.Done, len(p.Moves), r.UnderWay, r.Left),
			"the same command goes on; \"ottla cluster balance --stop\" takes back what is under way")
	case r.Refused > 0:
		return fail.New(fail.Partly, fmt.Sprintf("%d of %d moves were refused", r.Refused, len(p.Moves)), "", "")
	}
	return stuckIs(p)
}

func stopMoves(ctx context.Context, o *ask.Options) error {
	client, err := o.Connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	n, err := moves.Kafka{Client: client}.Cancel(ctx)
	if err != nil {
		return ask.KafkaFailure("not all moves could be taken back", err)
	}
	t := &out.Table{One: true, Columns: []out.Column{{Field: "taken_back", Title: "TAKEN BACK", Right: true}}}
	t.Add(n)
	return o.Print(t)
}
