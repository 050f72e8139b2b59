package events

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/event/name"
	"ottla/internal/gateway/rest"
)

// subscriptionTable shows subscriptions.
func subscriptionTable(all ...rest.Subscription) *out.Table {
	t := &out.Table{Empty: "no subscriptions yet: make one with \"ottla sns subscribe TOPIC ENDPOINT\"", Columns: []out.Column{
		{Field: "topic", Title: "TOPIC"}, {Field: "id", Title: "ID"}, {Field: "protocol", Title: "PROTOCOL"}, {Field: "endpoint", Title: "ENDPOINT"},
		{Field: "state", Title: "STATE"}, {Field: "filter", Title: "FILTER"}, {Field: "attributes"}, {Field: "arn"},
	}}
	for i := range all {
		s := &all[i]
		state := "confirmed"
		if s.Pending {
			state = "waits to be confirmed"
		}
		t.Add(s.Topic, s.ID, s.Protocol, s.Endpoint, state, ask.OrNil(s.Attributes["FilterPolicy"]), s.Attributes, s.ARN)
	}
	return t
}

func snsList(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:   "list [TOPIC]",
		Short: "List subscriptions, of an SNS topic or of all",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "/subscription"
			if len(args) == 1 {
				path = snsPath(args[0], "subscriptions")
			}
			query := p.Query()
			var all []rest.Subscription
			err := ask.EachPage(cmd.Context(), o, p.HTTP, "cannot list subscriptions", path, query, func(page *rest.Subscriptions) string {
				all = append(all, page.Subscriptions...)
				return page.Next
			})
			if err != nil {
				return err
			}
			return o.Print(subscriptionTable(all...))
		},
	}
	p.Bind(c)
	return c
}

func snsSubscribe(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var filter, dead string
	var attributes []string
	var ofBody, raw bool
	c := &cobra.Command{
		Use:   "subscribe TOPIC ENDPOINT",
		Short: "Subscribe a queue, a topic, an address or a function to an SNS topic",
		Long: "Subscribe to an SNS topic. Addresses are sent a request to confirm, and get messages once they\n" +
			"have called the SubscribeURL that is in it.",
		Example: "  ottla sns subscribe orders queue:billing --filter '{\"shop\":[\"north\"]}'\n" +
			"  ottla sns subscribe orders https://example.com/hook --dead-letters failed\n  ottla sns subscribe orders topic:copy --raw",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var in rest.SubscriptionOrder
			var err error
			if in.Protocol, in.Endpoint, err = endpointOf(&p, args[1]); err != nil {
				return err
			}
			if in.Attributes, err = pairs("attribute", attributes); err != nil {
				return err
			}
			if filter != "" {
				in.Attributes["FilterPolicy"] = filter
			}
			if ofBody {
				in.Attributes["FilterPolicyScope"] = "MessageBody"
			}
			if raw {
				in.Attributes["RawMessageDelivery"] = "true"
			}
			if dead != "" {
				if in.Attributes["RedrivePolicy"], err = redrivePolicy(&p, dead); err != nil {
					return err
				}
			}
			var s rest.Subscription
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot subscribe to SNS topic "+args[0], http.MethodPost, snsPath(args[0], "subscriptions"), p.Query(), in, &s); err != nil {
				return err
			}
			return o.Print(subscriptionTable(s))
		},
	}
	p.Bind(c)
	f := c.Flags()
	f.StringVar(&filter, "filter", "", "filter policy: only messages whose attributes fit it")
	f.BoolVar(&ofBody, "filter-body", false, "the filter policy looks into the body, which is JSON")
	f.BoolVar(&raw, "raw", false, "give the message as it is, without the JSON around it")
	f.StringVar(&dead, "dead-letters", "", "queue for messages that cannot be delivered, by name or ARN")
	f.StringArrayVar(&attributes, "attribute", nil, "an attribute as SNS names it, NAME=VALUE, may be repeated")
	return c
}

// redrivePolicy names the queue for what cannot be delivered.
func redrivePolicy(p *ask.PlaceFlags, queue string) (string, error) {
	if !strings.HasPrefix(queue, "arn:") {
		_, arn, err := endpointOf(p, string(name.Queue)+":"+queue)
		if err != nil {
			return "", err
		}
		queue = arn
	}
	b, err := json.Marshal(map[string]string{"deadLetterTargetArn": queue})
	if err != nil {
		return "", fail.Usagef("--dead-letters %s: %v", queue, err)
	}
	return string(b), nil
}

func snsUnsubscribe(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:     "unsubscribe TOPIC ID",
		Short:   "End a subscription; \"ottla sns list\" shows its ID",
		Example: "  ottla sns unsubscribe orders 0a9d0f9e-8d11-8c5e-9f55-3f0a3c7e2b11",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot unsubscribe from SNS topic "+args[0], http.MethodDelete, snsPath(args[0], "subscriptions", args[1]), p.Query(), nil, nil); err != nil {
				return err
			}
			t := &out.Table{Columns: []out.Column{{Field: "topic", Title: "TOPIC"}, {Field: "id", Title: "ID"}, {Field: "result", Title: "RESULT"}}}
			t.Add(args[0], args[1], "ended")
			return o.Print(t)
		},
	}
	p.Bind(c)
	return c
}
