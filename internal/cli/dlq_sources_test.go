package cli

import "testing"

// Whoever names a queue for dead letters is told in the one view, once.
func TestDeadLettersOfEverybodyAreListed(t *testing.T) {
	_, do := httpNode(t)
	for _, q := range []string{"work", "dead", "other"} {
		do("", "queue", "create", q).mustHold(t, 0)
	}
	do("", "dlq", "list").mustHold(t, 0, "nobody has a place for dead letters")
	do("", "bus", "create", "shop", "--dead-letters", "dead").mustHold(t, 0)
	do("", "rule", "put", "big", "--bus", "shop", "--pattern", `{"source":["a"]}`, "--to", "queue:work", "--to", "https://example.org/in", "--dead-letters", "dead").mustHold(t, 0)
	do("", "rule", "put", "arn", "--bus", "shop", "--pattern", `{"source":["a"]}`, "--to", "queue:work", "--dead-letters", "arn:aws:sqs:us-east-1:123456789012:other").mustHold(t, 0)
	do("", "schedule", "put", "tick", "--every", "1h", "--queue", "work", "--input", "x", "--dead-letters", "dead").mustHold(t, 0)
	do("", "sns", "topic", "create", "news").mustHold(t, 0)
	do("", "sns", "subscribe", "news", "queue:work", "--dead-letters", "dead").mustHold(t, 0)
	do("", "dlq", "list", "-o", "ndjson").mustHold(t, 0,
		`"place":"dead","kind":"queue","topic":"dead","groups":["schedule default/tick","bus shop","rule shop/big","sns news"]`,
		`"place":"other","kind":"queue","topic":"other","groups":["rule shop/arn"]`)
}
