package events

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/event/delivery"
	"ottla/internal/event/name"
	"ottla/internal/event/webhook"
)

// WebhookCommand is the noun webhook: calls, attempted and received.
func WebhookCommand(o *ask.Options) *cobra.Command {
	return ask.Noun("webhook", "webhooks", "Watch calls of HTTP targets, and receive and verify them", webhookListen(o), webhookAttempts(o), webhookSecret(o))
}

func webhookSecret(o *ask.Options) *cobra.Command {
	pair := false
	c := &cobra.Command{
		Use:   "secret",
		Short: "Draw a secret that signs calls",
		Long: "Draw a secret as Standard Webhooks have it (whsec_…), or with --pair a pair of ed25519: the\n" +
			"private key (whsk_…) signs, the public one (whpk_…) verifies. Nothing is stored.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if !pair {
				text, err := webhook.NewSecret(rand.Reader)
				if err != nil {
					return err
				}
				t := &out.Table{One: true, Columns: []out.Column{{Field: "secret", Title: "SECRET"}}}
				t.Add(text)
				return o.Print(t)
			}
			private, public, err := webhook.NewPair(rand.Reader)
			if err != nil {
				return err
			}
			t := &out.Table{One: true, Columns: []out.Column{{Field: "private", Title: "PRIVATE KEY"}, {Field: "public", Title: "PUBLIC KEY"}}}
			t.Add(private, public)
			return o.Print(t)
		},
	}
	c.Flags().BoolVar(&pair, "pair", false, "draw a pair of keys (ed25519)")
	return c
}

type attemptsFlags struct {
	rule, target string
	since        time.Duration
	delivery.Query
}

func webhookAttempts(o *ask.Options) *cobra.Command {
	var f attemptsFlags
	c := &cobra.Command{
		Use:   "attempts",
		Short: "Show the calls of targets: what was sent, what came of it",
		Long: "Show the calls of HTTP targets and functions of the last seven days, the newest last. In a\n" +
			"table they have their result; -o json has what was sent and answered as well, without what\n" +
			"may be secret.",
		Example: "  ottla webhook attempts --rule shop/big --failed\n  ottla webhook attempts --event 6f1c… -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := f.query(time.Now())
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			found, err := delivery.Search(ctx, func(opts ...kgo.Opt) (*kgo.Client, error) { return o.Connect(ctx, opts...) }, q)
			if err != nil {
				return ask.KafkaFailure("cannot read the calls of targets", err)
			}
			return o.Print(attemptsTable(found))
		},
	}
	g := c.Flags()
	g.StringVar(&f.rule, "rule", "", "only of this rule, as BUS/RULE")
	g.StringVar(&f.target, "target", "", "only of this target of the rule, by its id")
	g.StringVar(&f.Event, "event", "", "only of the event of this id")
	g.StringVar(&f.Delivery, "delivery", "", "only of this delivery (webhook-id)")
	g.BoolVar(&f.Failed, "failed", false, "only those that failed")
	g.IntVar(&f.Status, "status", 0, "only those that were answered with this HTTP status")
	g.DurationVar(&f.since, "since", 0, "only those of the last time, as 1h")
	g.IntVarP(&f.Most, "number", "n", 100, "how many, 1000 at most")
	return c
}

func (f *attemptsFlags) query(now time.Time) (delivery.Query, error) {
	q := f.Query
	if q.Most < 1 || q.Most > delivery.MostFound {
		return q, fail.Usagef("-n takes 1 to %d", delivery.MostFound)
	}
	if f.rule != "" {
		if !strings.Contains(f.rule, "/") {
			f.rule = "default/" + f.rule
		}
		if err := name.Check(name.Rule, f.rule); err != nil {
			return q, fail.Usagef("--rule: %v", err)
		}
		q.Target = name.Of(name.Rule, f.rule).Key() + "#"
	}
	q.ID = f.target
	if f.since > 0 {
		q.SinceMs = now.Add(-f.since).UnixMilli()
	}
	return q, nil
}

func attemptsTable(found []delivery.Attempt) *out.Table {
	t := &out.Table{Empty: "no calls", Columns: []out.Column{
		{Field: "at", Title: "AT"}, {Field: "rule", Title: "RULE"}, {Field: "target", Title: "TARGET"}, {Field: "event", Title: "EVENT"},
		{Field: "attempt", Title: "ATTEMPT", Right: true}, {Field: "status", Title: "STATUS", Right: true}, {Field: "took_ms", Title: "MS", Right: true},
		{Field: "result", Title: "RESULT"}, {Field: "ok"}, {Field: "code"}, {Field: "why"}, {Field: "delivery"}, {Field: "url"}, {Field: "headers"}, {Field: "body"}, {Field: "answer"},
	}}
	for i := range found {
		a := &found[i]
		result := "taken"
		if !a.OK {
			result = a.Code + ": " + a.Why
		}
		t.Add(time.UnixMilli(a.AtMs).UTC().Format(time.RFC3339), ruleName(a.Rule), a.Target[strings.LastIndexByte(a.Target, '/')+1:], a.Event,
			a.Number, statusOf(a.Status), a.TookMs, result, a.OK, ask.OrNil(a.Code), ask.OrNil(a.Why), a.Delivery, a.URL, a.Header, a.Body, a.Answer)
	}
	return t
}

// ruleName is BUS/RULE of a rule's key.
func ruleName(key string) string {
	ref, err := name.ParseKey(key)
	if err != nil {
		return key
	}
	return ref.Name
}

func statusOf(status int) any {
	if status == 0 {
		return nil
	}
	return status
}

// checkStatuses refuses what is no final status of HTTP.
func checkStatuses(all []int) error {
	for _, s := range all {
		if s < http.StatusOK || s > 599 {
			return fail.Usagef("--status %d is none that can be answered: 200 to 599 are", s)
		}
	}
	return nil
}

// signatureSays is a verdict in a few words.
func signatureSays(err error) string {
	if err == nil {
		return "signature right"
	}
	return fmt.Sprintf("NOT VERIFIED: %v", err)
}
