package main

import "testing"

// TestOnlyReadsThatKafkaGaveUpAreRunAgain: no step that changes something, and none
// whose end without a record is what is compared.
func TestOnlyReadsThatKafkaGaveUpAreRunAgain(t *testing.T) {
	gaveUp := []string{"out org.apache.kafka.common.errors.TimeoutException: null", "err Processed a total of 0 messages", "exit 1"}
	const consumer = "kafka-console-consumer"
	for _, c := range []struct {
		step  step
		lines []string
		want  bool
	}{
		{step{tool: consumer, args: "--topic a --partition 0 --max-messages 1"}, gaveUp, true},
		{step{tool: consumer, args: "--topic a --partition 0 --max-messages 1"}, []string{"out v", "exit 0"}, false},
		{step{tool: consumer, args: "--topic a --partition 0"}, gaveUp, false},
		{step{tool: consumer, args: "--topic a --group g --max-messages 1"}, gaveUp, false},
		{step{tool: "kafka-topics", args: "--max-messages"}, gaveUp, false},
	} {
		if got := c.step.unanswered(c.lines); got != c.want {
			t.Errorf("%s %s with %q: run again %t, want %t", c.step.tool, c.step.args, c.lines, got, c.want)
		}
	}
}
