package topics

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/cli/txns"
)

type txnAbortFlags struct {
	txnFilter
	dryRun, yes bool
}

func txnAbort(o *ask.Options) *cobra.Command {
	var f txnAbortFlags
	c := &cobra.Command{
		Use:   "abort ID...",
		Short: "Abort open transactions and fence their producers, after showing what goes",
		Long: "Abort open transactions, as a new producer with the transactional id would: what they wrote\n" +
			"is never seen at read_committed, and the producer that has one open is fenced and fails at\n" +
			"its next step. What would be aborted is shown first; in a terminal you are asked, elsewhere\n" +
			"it is done at once (--dry-run only shows). With --hanging, transactions that no coordinator\n" +
			"knows are ended by markers in their partitions.",
		Example:           "  ottla txn abort shop-3 --dry-run\n  ottla txn abort shop-3 --yes\n  ottla txn abort --hanging --topic orders",
		ValidArgsFunction: completeTxns(o),
		RunE: func(cmd *cobra.Command, ids []string) error {
			if f.hanging == (len(ids) > 0) {
				return fail.Usagef("name transactional ids, or give --hanging")
			}
			c, err := o.Connect(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			a := kadm.NewClient(c)
			a.SetTimeoutMillis(int32(o.Timeout.Milliseconds()))
			if f.hanging {
				return abortHanging(cmd.Context(), o, a, f)
			}
			return abortTxns(cmd.Context(), o, c, a, f, ids)
		},
	}
	bindHanging(c, &f.txnFilter)
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "only show what would be aborted")
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	return c
}

func abortTxns(ctx context.Context, o *ask.Options, c *kgo.Client, a *kadm.Client, f txnAbortFlags, ids []string) error {
	all, err := ReadTxns(ctx, o, a, ids)
	if err != nil {
		return err
	}
	for _, x := range all {
		if !x.Open() {
			return fail.New(fail.Failed, "cannot abort "+x.ID, "no transaction is open ("+x.State+")", "\"ottla txn list --open\" shows those that are")
		}
	}
	goOn, err := o.Agreed(f.dryRun, f.yes, fmt.Sprintf("abort %s and fence their producers?", ask.CountWord(int64(len(all)), "transaction")),
		func(result string) *out.Table { return abortRows(all, result) })
	if err != nil || !goOn {
		return err
	}
	var done []*txns.Transaction
	var failures []error
	for _, x := range all {
		if err := txns.Abort(ctx, c, x); err != nil {
			failures = append(failures, txnFailure("cannot abort "+x.ID, err))
			continue
		}
		done = append(done, x)
	}
	return o.PrintPartly(abortRows(done, "aborted"), failures)
}

func abortRows(all []*txns.Transaction, result string) *out.Table {
	t := &out.Table{Columns: []out.Column{
		{Field: "transaction", Title: "TRANSACTION"}, {Field: "producer", Title: "PRODUCER", Right: true}, {Field: "epoch", Title: "EPOCH", Right: true},
		{Field: "open_seconds"}, {Field: "partitions", Title: "PARTITIONS", Right: true}, {Field: "held_back", Title: "HELD BACK", Right: true}, {Field: "result", Title: "RESULT"},
	}}
	for _, x := range all {
		var held int64
		for _, p := range x.Partitions {
			held += p.HeldBack()
		}
		var seconds any
		if !x.Since.IsZero() {
			seconds = time.Since(x.Since).Seconds()
		}
		t.Add(x.ID, x.Producer, x.Epoch, seconds, len(x.Partitions), held, result)
	}
	return t
}

func abortHanging(ctx context.Context, o *ask.Options, a *kadm.Client, f txnAbortFlags) error {
	found, err := hanging(ctx, o, a, f.quiet, f.topics)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return o.Print(hangingTable(found, ""))
	}
	goOn, err := o.Agreed(f.dryRun, f.yes, fmt.Sprintf("write abort markers for %s?", ask.CountWord(int64(len(found)), "transaction")),
		func(result string) *out.Table { return hangingTable(found, result) })
	if err != nil || !goOn {
		return err
	}
	var done []txns.Hanging
	var failures []error
	for _, h := range found {
		if err := txns.AbortHanging(ctx, a, h); err != nil {
			failures = append(failures, txnFailure(fmt.Sprintf("cannot abort the transaction of producer %d in %s-%d", h.Producer, h.Topic, h.Partition), err))
			continue
		}
		done = append(done, h)
	}
	return o.PrintPartly(hangingTable(done, "aborted"), failures)
}
