package replicas

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// One flipped bit on one node loses nothing: the node that has it serves everything
// all the same, and its file is afterwards what it was.
func TestAFlippedBitOnTheLeaderIsMended(t *testing.T) {
	c := start(t, nil)
	c.create("orders", map[string]string{"segment.bytes": "1048576", "min.insync.replicas": "2"}, 1, 2, 3)
	c.produce("orders", 0, 30, 100_000)
	c.inSync("orders", 1, 2, 3)
	c.Stop(1)
	file := c.segments(1, "orders")[0]
	was, err := os.ReadFile(file)
	c.must(err)
	hurt := bytes.Clone(was)
	hurt[len(hurt)/2] ^= 0x10
	c.must(os.WriteFile(file, hurt, 0o644))
	c.Restart(1)
	c.inSync("orders", 1, 2, 3)
	c.await("the file is as it was", func() bool {
		// Whoever led before may not have heard yet that it does no more, and
		// serve a reader who has not either: then nothing was read here.
		c.prefer("orders")
		c.consume("orders", 0, 30, 100_000)
		is, err := os.ReadFile(file)
		c.must(err)
		return bytes.Equal(is, was)
	})
	if p := c.partition("orders"); p.Leader != 1 || len(p.ISR) != 3 {
		t.Errorf("node %d leads, %v are in sync", p.Leader, p.ISR)
	}
}

// A node that lost a file with durable records comes back with all of them, and may
// lead again.
func TestAReplicaThatLostAFileIsFetchedAnew(t *testing.T) {
	c := start(t, nil)
	c.create("orders", map[string]string{"segment.bytes": "1048576", "min.insync.replicas": "2"}, 1, 2, 3)
	c.produce("orders", 0, 30, 100_000)
	c.inSync("orders", 1, 2, 3)
	c.Stop(1)
	files := c.segments(1, "orders")
	c.must(os.Remove(files[len(files)-1]))
	c.Restart(1)
	c.inSync("orders", 1, 2, 3)
	c.prefer("orders")
	c.consume("orders", 0, 30, 100_000)
	c.produce("orders", 30, 5, 100)
	c.consume("orders", 30, 5, 100)
}

// A flipped bit in what was written last, where nothing tells that it had been synced,
// looks like a torn write. The node is eligible to lead with what is left; it hears that
// another has more, and comes back with everything.
func TestAnEndThatCannotBeReadIsComparedWithOthers(t *testing.T) {
	c := start(t, nil)
	c.create("orders", map[string]string{"min.insync.replicas": "2"}, 2, 1)
	c.produce("orders", 0, 20, 1000)
	c.produce("orders", 20, 10, 1000)
	c.inSync("orders", 1, 2)
	c.Stop(2)
	for _, name := range []string{"ottla.checkpoint", "recovery-point-offset-checkpoint", ".kafka_cleanshutdown"} {
		c.must(os.Remove(filepath.Join(c.Dir(2), name)))
	}
	files := c.segments(2, "orders")
	file := files[len(files)-1]
	b, err := os.ReadFile(file)
	c.must(err)
	b[len(b)-5] ^= 0x10
	c.must(os.WriteFile(file, b, 0o644))
	c.Restart(2)
	c.inSync("orders", 1, 2)
	if cut, err := filepath.Glob(filepath.Join(c.Dir(2), "orders-0", "*.cut")); err != nil || len(cut) != 1 {
		t.Errorf("bytes that could not be read are kept in %v, %v", cut, err)
	}
	c.prefer("orders")
	c.consume("orders", 0, 30, 1000)
	c.produce("orders", 30, 5, 1000)
	c.consume("orders", 30, 5, 1000)
}
