package cli

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
	"ottla/internal/cli/fail"
)

// transacting begins a transaction with n records in topic t and leaves it
// open.
func transacting(t *testing.T, n *ottla.Server, id string, records int) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()), kgo.TransactionalID(id), kgo.DefaultProduceTopic("t"),
		kgo.TransactionTimeout(10*time.Minute), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for range records {
		if err := c.ProduceSync(ctx, &kgo.Record{Value: []byte("v")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestTransactionsAreListedDescribedAndAborted(t *testing.T) {
	n := node(t)
	call(t, n, "", "topic", "create", "t", "--partitions", "1").mustHold(t, 0)
	call(t, n, "", "txns").mustHold(t, 0, "no transactional ids")
	call(t, n, "", "txn", "describe", "shop").mustHold(t, fail.NotFound, "there is no such transactional id", "ottla txn list")
	c := transacting(t, n, "shop", 3)
	call(t, n, "", "txn", "list", "--open").mustHold(t, 0, "TRANSACTION", "shop", "Ongoing")
	call(t, n, "", "txns", "-o", "name").mustHold(t, 0, "shop\n")
	for flags, shown := range map[string]bool{
		"--state ongoing": true, "--state Empty": false, "--match sh.*": true, "--match h": false, "--longer 1h": false, "--longer 1ns": true,
	} {
		r := call(t, n, "", append([]string{"txn", "list"}, strings.Fields(flags)...)...)
		if got := strings.Contains(r.out, "shop"); got != shown || r.code != 0 {
			t.Errorf("txn list %s: shown %v, want %v\n%s%s", flags, got, shown, r.out, r.err)
		}
	}
	call(t, n, "", "txn", "list", "--match", "(").mustHold(t, fail.Usage, "--match")
	call(t, n, "", "txn", "describe", "shop").mustHold(t, 0, "shop  Ongoing  producer", "time-out 10m0s", "HELD BACK")
	if r := call(t, n, "", "txn", "describe", "shop", "-o", "template={{.topic}} {{.first_offset}} {{.stable_offset}} {{.end_offset}} {{.held_back}}"); r.out != "t 0 0 3 3\n" {
		t.Errorf("describe: %q", r.out)
	}
	call(t, n, "", "explain", "transaction", "shop").mustHold(t, 0, "has had it open for", "t-0 from offset 0 on (3)", "try: \"ottla txn abort shop\"")
	call(t, n, "", "txn", "abort", "shop", "--dry-run").mustHold(t, 0, "would be aborted")
	call(t, n, "", "txn", "abort", "shop").mustHold(t, 0, "aborted")
	call(t, n, "", "txn", "abort", "shop").mustHold(t, fail.Failed, "no transaction is open")
	call(t, n, "", "txn", "abort").mustHold(t, fail.Usage, "name transactional ids")
	if err := c.EndTransaction(context.Background(), kgo.TryCommit); err == nil {
		t.Error("the producer whose transaction was aborted could commit it")
	}
	call(t, n, "", "explain", "transaction", "shop").mustHold(t, 0, "no transaction open")
	call(t, n, "", "explain", "transaction", "nobody").mustHold(t, fail.NotFound, "there is no such transactional id")
	if r := call(t, n, "", "consume", "t", "--exit", "-f", "%v"); r.out != "vvv" {
		t.Errorf("consume gives %q, want the records, which read_uncommitted still shows", r.out)
	}
	// The topic ends in a marker, which is not shown and yet is the end.
	if r := call(t, n, "", "consume", "t", "--exit", "--read-committed", "-f", "%v"); r.out != "" {
		t.Errorf("consume --read-committed gives %q of an aborted transaction", r.out)
	}
	transacting(t, n, "other", 2)
	if r := call(t, n, "", "consume", "t", "--exit", "--read-committed", "-f", "%v"); r.out != "" {
		t.Errorf("consume --read-committed gives %q of an open transaction", r.out)
	}
	call(t, n, "", "txn", "abort", "other").mustHold(t, 0, "aborted")
}

func TestJSONOfTransactionsKeepsItsNames(t *testing.T) {
	n := node(t)
	call(t, n, "", "topic", "create", "t", "--partitions", "1").mustHold(t, 0)
	transacting(t, n, "shop", 1)
	for args, want := range map[string]string{
		"txn list":                 "transaction state producer epoch coordinator open_since open_seconds open timeout_seconds partitions",
		"txn describe shop":        "transaction state producer epoch coordinator timeout_seconds open_since open_seconds topic partition first_offset stable_offset end_offset held_back",
		"txn abort shop --dry-run": "transaction producer epoch open_seconds partitions held_back result",
		"explain transaction shop": "transaction state finding fix",
	} {
		r := call(t, n, "", append(strings.Fields(args), "-o", "ndjson")...)
		first, _, _ := strings.Cut(r.out, "\n")
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(first), &fields); err != nil || r.code != 0 {
			t.Errorf("%s: %v, exit code %d\n%s%s", args, err, r.code, r.out, r.err)
			continue
		}
		at := 0
		for _, name := range strings.Fields(want) {
			next := strings.Index(first[at:], `"`+name+`":`)
			if next < 0 {
				t.Errorf("%s: %q is missing or out of order in %s", args, name, first)
				break
			}
			at += next
		}
		if got := len(strings.Fields(want)); len(fields) != got {
			t.Errorf("%s: %d fields, want %d: %s", args, len(fields), got, first)
		}
	}
}
