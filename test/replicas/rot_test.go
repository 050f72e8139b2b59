package replicas

import (
	"bytes"
	"os"
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
	c.prefer("orders")
	c.await("the file is as it was", func() bool {
		// Whoever led before may not have heard yet that it does no more, and
		// serve a reader who has not either: then nothing was read here.
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
