package crowd

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Addresses are those of the broker's nodes, comma-separated in what a client is
// told.
func Addresses(told string) []string { return strings.Split(told, ",") }

// Replicas is how many replicas a client's topics have, as the runner says.
func Replicas() int {
	if n, err := strconv.Atoi(os.Getenv("INTEROP_REPLICAS")); err == nil {
		return n
	}
	return 1
}

// Tell reports a scenario in the protocol of lines.
func Tell(scenario string, err error) {
	if err != nil {
		fmt.Println("FAIL", scenario, strings.Join(strings.Fields(err.Error()), " "))
		return
	}
	fmt.Println("PASS", scenario)
}

var stdin = bufio.NewReader(os.Stdin)

// AskRestart asks for a restart; the channel is closed when the broker serves
// again.
func AskRestart() <-chan struct{} {
	done := make(chan struct{})
	fmt.Println("RESTART")
	go func() {
		defer close(done)
		_, _ = stdin.ReadString('\n') // GO, or the runner is gone
	}()
	return done
}
