package topics

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/cli/txns"
)

// TxnCommand is the noun txn: transactions.
func TxnCommand(o *ask.Options) *cobra.Command {
	list := txnList(o)
	c := ask.Noun("txn", "txns", "List, describe and abort transactions", list, txnDescribe(o), txnAbort(o))
	return ask.PluralLists(c, list)
}

type txnFilter struct {
	open    bool
	state   string
	longer  time.Duration
	match   string
	hanging bool
	quiet   time.Duration
	topics  []string
}

// quietByDefault is Kafka's default of transaction.max.timeout.ms: no
// transaction is open for longer unless a coordinator has lost it.
const quietByDefault = 15 * time.Minute

func txnList(o *ask.Options) *cobra.Command {
	var f txnFilter
	c := &cobra.Command{
		Use:   "list",
		Short: "List transactional ids with their state and how long a transaction is open",
		Long: "List transactional ids: their state, their producer, and since when a transaction is open.\n" +
			"With --hanging, list transactions that are open in a partition and that no coordinator will\n" +
			"end, which hold back readers for good; \"ottla txn abort --hanging\" ends them.",
		Example: "  ottla txn list --open\n  ottla txn list --longer 1m\n  ottla txn list --hanging",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, done, err := o.Admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			if f.hanging {
				found, err := hanging(cmd.Context(), o, a, f.quiet, f.topics)
				if err != nil {
					return err
				}
				return o.Print(hangingTable(found, "open"))
			}
			return listTxns(cmd.Context(), o, a, f)
		},
	}
	c.Flags().BoolVar(&f.open, "open", false, "only those with an open transaction")
	c.Flags().StringVar(&f.state, "state", "", "only those in this state, such as Ongoing or CompleteCommit")
	c.Flags().DurationVar(&f.longer, "longer", 0, "only those whose transaction is open for longer")
	c.Flags().StringVar(&f.match, "match", "", "only ids that this regular expression matches as a whole")
	bindHanging(c, &f)
	return c
}

func bindHanging(c *cobra.Command, f *txnFilter) {
	c.Flags().BoolVar(&f.hanging, "hanging", false, "transactions that no coordinator will end")
	c.Flags().DurationVar(&f.quiet, "quiet", quietByDefault, "with --hanging: silent for longer than this")
	c.Flags().StringArrayVar(&f.topics, "topic", nil, "with --hanging: only in this topic, may be repeated")
}

func listTxns(ctx context.Context, o *ask.Options, a *kadm.Client, f txnFilter) error {
	pattern, err := regexp.Compile("^(?:" + f.match + ")$")
	if err != nil {
		return fail.Usagef("--match: %v", err)
	}
	all, err := txns.Read(ctx, a)
	if err != nil {
		return txnFailure("cannot list transactions", err)
	}
	now := time.Now()
	t := &out.Table{Empty: "no transactional ids", Columns: []out.Column{
		{Field: "transaction", Title: "TRANSACTION"}, {Field: "state", Title: "STATE"}, {Field: "producer", Title: "PRODUCER", Right: true},
		{Field: "epoch", Title: "EPOCH", Right: true}, {Field: "coordinator", Title: "COORDINATOR", Right: true}, {Field: "open_since"},
		{Field: "open_seconds"}, {Field: "open", Title: "OPEN", Right: true}, {Field: "timeout_seconds"}, {Field: "partitions", Title: "PARTITIONS", Right: true},
	}}
	for _, x := range all {
		if f.open && !x.Open() || f.state != "" && !strings.EqualFold(f.state, x.State) || f.match != "" && !pattern.MatchString(x.ID) ||
			f.longer > 0 && (x.Since.IsZero() || now.Sub(x.Since) <= f.longer) {
			continue
		}
		since, seconds, shown := openSince(x, now)
		t.Add(x.ID, x.State, x.Producer, x.Epoch, x.Coordinator, since, seconds, shown, x.Timeout.Seconds(), len(x.Partitions))
	}
	return o.Print(t)
}

// openSince is when a transaction began and how long ago that is: for
// programs, in seconds, and for people; nil when none is open.
func openSince(x *txns.Transaction, now time.Time) (since, seconds, shown any) {
	if x.Since.IsZero() {
		return nil, nil, nil
	}
	d := max(0, now.Sub(x.Since))
	return x.Since.UTC().Format(time.RFC3339Nano), d.Seconds(), ask.Age(d)
}

func txnDescribe(o *ask.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "describe ID...",
		Short: "Show transactions, and for each partition where they began and what they hold back",
		Long: "Show transactional ids with their producer, and for each partition of an open transaction\n" +
			"its first record, how far readers at read_committed see (the last stable offset), the end,\n" +
			"and how much they do not see because of it. \"ottla explain transaction ID\" tells it in words.",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeTxns(o),
		RunE: func(cmd *cobra.Command, ids []string) error {
			a, done, err := o.Admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			all, err := ReadTxns(cmd.Context(), o, a, ids)
			if err != nil {
				return err
			}
			if o.Format != "table" {
				return o.Print(txnTable(all))
			}
			for i, x := range all {
				if i > 0 {
					fmt.Fprintln(o.Out)
				}
				if err := showTxn(o, x); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// ReadTxns reads transactions with what their partitions' leaders say.
func ReadTxns(ctx context.Context, o *ask.Options, a *kadm.Client, ids []string) ([]*txns.Transaction, error) {
	all, err := txns.Read(ctx, a, ids...)
	if err != nil {
		return nil, txnFailure("cannot describe "+strings.Join(ids, ", "), err)
	}
	for _, x := range all {
		if err := txns.Look(ctx, a, x); err != nil {
			return nil, txnFailure("cannot describe "+x.ID, err)
		}
	}
	return all, nil
}

func showTxn(o *ask.Options, x *txns.Transaction) error {
	fmt.Fprintf(o.Out, "%s  %s  producer %d  epoch %d  coordinator %d  time-out %v", x.ID, x.State, x.Producer, x.Epoch, x.Coordinator, x.Timeout)
	if _, _, shown := openSince(x, time.Now()); shown != nil {
		fmt.Fprintf(o.Out, "  open for %v", shown)
	}
	fmt.Fprintln(o.Out)
	if len(x.Partitions) == 0 {
		return nil
	}
	fmt.Fprintln(o.Out)
	return o.Print(txnTable([]*txns.Transaction{x}))
}

// txnTable has a row for each partition, and one without for a transactional
// id that has none.
func txnTable(all []*txns.Transaction) *out.Table {
	t := &out.Table{Columns: []out.Column{
		{Field: "transaction"}, {Field: "state"}, {Field: "producer"}, {Field: "epoch"}, {Field: "coordinator"}, {Field: "timeout_seconds"},
		{Field: "open_since"}, {Field: "open_seconds"},
		{Field: "topic", Title: "TOPIC"}, {Field: "partition", Title: "PARTITION", Right: true}, {Field: "first_offset", Title: "FIRST", Right: true},
		{Field: "stable_offset", Title: "STABLE", Right: true}, {Field: "end_offset", Title: "END", Right: true}, {Field: "held_back", Title: "HELD BACK", Right: true},
	}}
	now := time.Now()
	for _, x := range all {
		since, seconds, _ := openSince(x, now)
		head := []any{x.ID, x.State, x.Producer, x.Epoch, x.Coordinator, x.Timeout.Seconds(), since, seconds}
		if len(x.Partitions) == 0 {
			t.Add(append(head, nil, nil, nil, nil, nil, nil)...)
		}
		for _, p := range x.Partitions {
			t.Add(append(slices.Clone(head), p.Topic, p.Partition, ask.NotNegative(p.First), ask.NotNegative(p.Stable), ask.NotNegative(p.End), p.HeldBack())...)
		}
	}
	return t
}

// txnFailure words a failure about transactions, with the next step where there
// is one.
func txnFailure(what string, err error) error {
	f, ok := ask.KafkaFailure(what, err).(*fail.Failure)
	if !ok {
		return err
	}
	if errors.Is(err, kerr.TransactionalIDNotFound) {
		f.Code, f.Why, f.Next = fail.NotFound, "there is no such transactional id", "\"ottla txn list\" shows what there is"
	}
	return f
}

func completeTxns(o *ask.Options) ask.Completion {
	return o.Live(func(ctx context.Context, a *kadm.Client) ([]string, error) {
		all, err := a.ListTransactions(ctx, nil, nil)
		return all.TransactionalIDs(), err
	})
}

func hanging(ctx context.Context, o *ask.Options, a *kadm.Client, quiet time.Duration, topics []string) ([]txns.Hanging, error) {
	found, err := txns.FindHanging(ctx, a, time.Now(), quiet, topics...)
	if err != nil {
		return nil, txnFailure("cannot look for hanging transactions", err)
	}
	return found, nil
}

func hangingTable(found []txns.Hanging, result string) *out.Table {
	t := &out.Table{Empty: "no transaction hangs", Columns: []out.Column{
		{Field: "topic", Title: "TOPIC"}, {Field: "partition", Title: "PARTITION", Right: true}, {Field: "producer", Title: "PRODUCER", Right: true},
		{Field: "epoch", Title: "EPOCH", Right: true}, {Field: "first_offset", Title: "FIRST", Right: true}, {Field: "last_write", Title: "LAST WRITE"}, {Field: "result", Title: "RESULT"},
	}}
	for _, h := range found {
		t.Add(h.Topic, h.Partition, h.Producer, h.Epoch, h.First, h.Last.UTC().Format(time.RFC3339), result)
	}
	return t
}
