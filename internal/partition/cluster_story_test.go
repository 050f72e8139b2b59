package partition

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/sim"
)

// TestReplicaStories runs the scripts in testdata/replicas on three replicas.
//
//	nodes [replicated]                          three nodes, node 1 leads in epoch 0
//	append node= what= [more]                   a batch of one record at a leader
//	fetch node= [times=]                        a follower's turns with its leader
//	sync node=                                  a sync round
//	role leader= isr=(…) [nodes=(…)]            a new epoch; who learns of it, all unless told
//	cut node=          kill node=               the end of power, with all that was not synced; of the process
//	up node=                                    it starts again, and knows the newest role
//	show                                        what everyone holds: value@epoch by offset, "|" is the high watermark
func TestReplicaStories(t *testing.T) {
	datadriven.Walk(t, "testdata/replicas", func(t *testing.T, path string) {
		var c *cluster
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "nodes" {
				c = newCluster(t, 1, func(conf *Config) {
					conf.Log.SegmentBytes = 1 << 20
					if d.HasArg("replicated") {
						conf.Log.Durability = log.Replicated
					}
				})
				c.told = true
				return c.show()
			}
			return c.tell(t, d)
		})
	})
}

func (c *cluster) tell(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	num := func(key string, def int) int {
		d.MaybeScanArgs(t, key, &def)
		return def
	}
	var m *machine
	if id := num("node", 0); id > 0 {
		m = c.node(int32(id))
	}
	switch d.Cmd {
	case "append":
		var what string
		d.ScanArgs(t, "what", &what)
		b := record.NewBuilder()
		b.Add(epochOfTests.UnixMilli(), nil, []byte(what))
		var a Appended
		if err := m.p.Append(b.Build(0), &AppendArgs{Acks: 1, AllowZstd: true}, &a); err != nil {
			return err.Error() + "\n"
		}
	case "fetch":
		for range num("times", 1) {
			m.fetch(1 << 20)
		}
	case "sync":
		if err := m.dir.SyncRound(); err != nil {
			return err.Error() + "\n"
		}
	case "role":
		return c.elected(t, d)
	case "cut", "kill":
		if d.Cmd == "cut" {
			m.disk.CrashWith(sim.Nothing)
		} else {
			m.disk.Kill()
		}
		m.p, m.dir = nil, nil
	case "up":
		m.disk.Restart()
		m.start()
	case "show":
	default:
		t.Fatalf("%s: no such event %q", d.Pos, d.Cmd)
	}
	return c.show()
}

// elected gives the partition a leader in a new epoch.
func (c *cluster) elected(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	ids := func(key string, def []int32) []int32 {
		arg, ok := d.Arg(key)
		if !ok {
			return def
		}
		var out []int32
		for i := range arg.Vals {
			var v int32
			arg.Scan(t, i, &v)
			out = append(out, v)
		}
		return out
	}
	r := c.role()
	var leader int
	d.ScanArgs(t, "leader", &leader)
	r.Leader, r.LeaderEpoch, r.ISR = int32(leader), r.LeaderEpoch+1, ids("isr", r.ISR)
	c.decide(r)
	all := ids("nodes", []int32{1, 2, 3})
	for _, m := range c.nodes {
		if m.p != nil && slices.Contains(all, m.id) {
			m.learn(len(c.roles) - 1)
		}
	}
	return c.show()
}

// show is what the replicas hold.
func (c *cluster) show() string {
	var s strings.Builder
	for _, m := range c.nodes {
		fmt.Fprintf(&s, "%d:", m.id)
		if m.p == nil {
			s.WriteString(" is down\n")
			continue
		}
		o := m.p.Offsets()
		all := m.batchesOf(0)
		for at := o.LogStart; at <= o.LogEnd; at++ {
			if at == o.HighWatermark {
				s.WriteString(" |")
			}
			raw, ok := all[at]
			if !ok {
				continue
			}
			h, err := record.ParseHeader([]byte(raw))
			if err != nil {
				c.failf("%v", err)
			}
			_ = record.Walk([]byte(raw), 1<<20, func(x *record.Record) bool { // it was read before
				fmt.Fprintf(&s, " %s@%d", x.Value, h.LeaderEpoch)
				return true
			})
		}
		if e := c.epochs(m, 0); len(e) > 0 {
			s.WriteString("   epochs")
			for _, x := range e {
				fmt.Fprintf(&s, " %d from %d", x.Epoch, x.Start)
			}
		}
		s.WriteString("\n")
	}
	return s.String()
}
