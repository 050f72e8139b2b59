package cli

import (
	"testing"

	"ottla/internal/cli/fail"
	"ottla/test/rig/trio"
)

// TestATopicOfASmallerTimeIsSpread: doctor names the command, and after it there is
// nothing to say.
func TestATopicOfASmallerTimeIsSpread(t *testing.T) {
	c := trio.Start(t, trio.Options{})
	onThree(t, c, "topic", "create", "orders", "--partitions", "2", "--replicas", "1").mustHold(t, 0)
	onThree(t, c, "produce", "orders", "x").mustHold(t, 0)
	onThree(t, c, "doctor", "durability").mustHold(t, 0, "ottla cluster spread orders")
	onThree(t, c, "cluster", "spread", "orders", "--dry-run").mustHold(t, 0, "orders-0", "orders-1", "more replicas")
	onThree(t, c, "cluster", "spread", "orders").mustHold(t, 0)
	onThree(t, c, "cluster", "spread", "orders").mustHold(t, 0, "nothing has to move")
	onThree(t, c, "cluster", "partitions").mustHold(t, 0)
	onThree(t, c, "consume", "orders", "-n", "1").mustHold(t, 0, "x")
	onThree(t, c, "cluster", "spread", "nothing").mustHold(t, fail.NotFound, "there is nothing to give replicas to in nothing")
	onThree(t, c, "cluster", "spread", "orders", "--replicas", "4").mustHold(t, fail.Partly, "let nodes join")
	onThree(t, c, "cluster", "spread", "orders", "--replicas", "0").mustHold(t, fail.Usage)
}
