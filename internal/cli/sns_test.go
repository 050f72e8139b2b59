package cli

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
)

func TestSNSTopicsThroughTheirLife(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	n, err := ottla.Start(ctx, ottla.Options{HTTP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	do := func(in string, args ...string) result {
		t.Helper()
		return call(t, n, in, append(args, "--http", n.HTTPAddr())...)
	}
	do("", "sns", "topic", "list").mustHold(t, 0, "no SNS topics yet")
	do("", "sns", "topic", "create", "orders", "--attribute", "SignatureVersion=2", "--tag", "team=shop").mustHold(t, 0, "orders", "arn:aws:sns:us-east-1:123456789012:orders")
	do("", "sns", "topic", "create", "orders", "--attribute", "SignatureVersion=1").mustHold(t, fail.Usage, "SignatureVersion is another")
	do("", "sns", "topic", "create", "paid.fifo", "--content-deduplication").mustHold(t, 0, "ContentBasedDeduplication")
	do("", "sns", "topic", "create", "x", "--attribute", "Colour=red").mustHold(t, fail.Usage, `no attribute "Colour"`)
	do("", "queue", "create", "billing").mustHold(t, 0)
	do("", "sns", "list").mustHold(t, 0, "no subscriptions yet")
	r := do("", "sns", "subscribe", "orders", "queue:billing", "--filter", `{"shop":["north"]}`, "--raw", "--dead-letters", "failed", "-o", "json")
	r.mustHold(t, 0, `"protocol": "sqs"`, "deadLetterTargetArn")
	var subs []struct{ ID string }
	if err := json.Unmarshal([]byte(r.out), &subs); err != nil || len(subs) != 1 {
		t.Fatalf("%s: %v", r.out, err)
	}
	do("", "sns", "subscribe", "orders", "mail:me").mustHold(t, fail.Usage, "mail:me can subscribe nothing")
	do("", "sns", "subscribe", "orders", "queue:billing", "--filter", `{"shop":"north"}`).mustHold(t, fail.Usage, "FilterPolicy")
	do("", "sns", "list", "orders").mustHold(t, 0, subs[0].ID, "confirmed", `{"shop":["north"]}`)
	do("", "sns", "publish", "orders", "not this", "--attribute", "shop=south").mustHold(t, 0, "ID")
	do("this\n", "sns", "publish", "orders", "--attribute", "shop=north", "--subject", "A sale").mustHold(t, 0, "ID")
	do("", "sns", "publish", "paid.fifo", "x").mustHold(t, fail.Usage, "MessageGroupId")
	do("", "sns", "publish", "paid.fifo", "x", "--message-group", "g").mustHold(t, 0, "1000")
	do("", "queue", "take", "billing", "--wait", "20s", "--ack").mustHold(t, 0, "this")
	do("", "sns", "unsubscribe", "orders", subs[0].ID).mustHold(t, 0, "ended")
	do("", "sns", "topic", "describe", "orders").mustHold(t, 0, "SignatureVersion")
	do("", "sns", "topic", "delete", "orders", "--dry-run").mustHold(t, 0, "would be deleted")
	do("", "sns", "topic", "delete", "orders", "--yes").mustHold(t, 0, "deleted")
	do("", "sns", "topic", "describe", "orders").mustHold(t, fail.NotFound, "orders")
	do("", "sns", "topic", "list").mustHold(t, 0, "paid.fifo")
}
