package admin

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/out"
	"ottla/internal/cli/topics"
	"ottla/internal/cli/txns"
)

// sweepSetting is how often the coordinator looks for time-outs, in
// milliseconds.
const sweepSetting = "transaction.abort.timed.out.transaction.cleanup.interval.ms"

// explainTxn tells the story of a transaction.
func explainTxn(ctx context.Context, o *ask.Options, id string) error {
	a, done, err := o.Admin(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := topics.ReadTxns(ctx, o, a, []string{id})
	if err != nil {
		return err
	}
	x := all[0]
	t := &out.Table{Columns: []out.Column{{Field: "transaction"}, {Field: "state"}, {Field: "finding"}, {Field: "fix"}}}
	if o.Format == "table" {
		fmt.Fprintf(o.Out, "%s  %s  time-out %v\n", x.ID, x.State, x.Timeout)
	}
	for _, n := range txns.Verdict(x, time.Now(), sweep(ctx, a, x.Coordinator)) {
		t.Add(x.ID, x.State, n.Text, ask.OrNil(n.Fix))
		if o.Format == "table" {
			o.Paragraph("  "+n.Text, ask.List(ask.NonEmpty("  try: "+n.Fix, n.Fix)))
		}
	}
	if o.Format == "table" {
		return nil
	}
	return o.Print(t)
}

// sweep asks the coordinator how often it looks; Kafka's default stands in for
// an answer.
func sweep(ctx context.Context, a *kadm.Client, node int32) time.Duration {
	const otherwise = 10 * time.Second
	configs, err := a.DescribeBrokerConfigs(ctx, node)
	if err != nil {
		return otherwise
	}
	for _, c := range configs {
		for _, s := range c.Configs {
			if s.Key != sweepSetting || s.Value == nil {
				continue
			}
			if ms, err := strconv.ParseInt(*s.Value, 10, 64); err == nil && ms > 0 {
				return time.Duration(ms) * time.Millisecond
			}
		}
	}
	return otherwise
}
