package admin

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/nodes"
)

func TestPlansBeginWithWhatServesAndDoesNotMove(t *testing.T) {
	dirs := func(id int32, cordoned bool, size int64) []kadm.DescribedLogDir {
		return []kadm.DescribedLogDir{{Broker: id, Dir: "/d", IsCordoned: cordoned, Topics: kadm.DescribedLogDirTopics{"t": {0: {Size: size}}}}}
	}
	f := &nodes.Facts{
		Nodes: []nodes.Node{
			{ID: 1, Dirs: dirs(1, false, 5)}, {ID: 2, Fenced: true, Unasked: "it is fenced"}, {ID: 3, Dirs: dirs(3, true, 7)}, {ID: 4, Unasked: "refused"},
		},
		Partitions: []nodes.Partition{{Topic: "t", Replicas: []int32{1, 3}}, {Topic: "t", Index: 1, Replicas: []int32{1}, Adding: []int32{3}}},
	}
	c := contents(f)
	if len(c.Nodes) != 1 || c.Nodes[0].ID != 1 {
		t.Errorf("nodes that take replicas: %+v", c.Nodes)
	}
	if len(c.Partitions) != 1 || c.Partitions[0].Bytes != 7 {
		t.Errorf("partitions to plan: %+v", c.Partitions)
	}
}
