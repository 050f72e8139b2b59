package events

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/cli/out"
	"ottla/internal/event/name"
	"ottla/internal/gateway/rest"
)

func snsPath(topic string, more ...string) string {
	return native.Path(append([]string{"sns", topic}, more...)...)
}

// SNSCommand is the noun sns: topics of SNS and their subscriptions.
func SNSCommand(o *ask.Options) *cobra.Command {
	c := ask.Noun("sns", "", "SNS topics: what is published goes to queues, addresses, topics and functions that subscribed",
		snsTopicCommand(o), snsSubscribe(o), snsUnsubscribe(o), snsList(o), snsPublish(o))
	c.Aliases = nil
	return c
}

func snsTopicCommand(o *ask.Options) *cobra.Command {
	list := snsTopicList(o)
	c := ask.Noun("topic", "topics", "SNS topics themselves", snsTopicCreate(o), list, snsTopicDescribe(o), snsTopicDelete(o))
	return ask.PluralLists(c, list)
}

func snsTopicTable(t *rest.SNSTopic) *out.Table {
	table := &out.Table{One: true, Columns: []out.Column{
		{Field: "name", Title: "NAME"}, {Field: "topic", Title: "TOPIC"}, {Field: "adopted"}, {Field: "fifo", Title: "FIFO"},
		{Field: "attributes", Title: "ATTRIBUTES"}, {Field: "tags"}, {Field: "arn", Title: "ARN"}, {Field: "created"}, {Field: "modified"},
	}}
	table.Add(t.Name, t.Topic, t.Adopted, t.FIFO, t.Attributes, t.Tags, t.ARN, ask.TimeOf(t.CreatedMs), ask.TimeOf(t.ModifiedMs))
	return table
}

func snsTopicCreate(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var in rest.SNSTopicOrder
	var attributes, tags []string
	var contentDedup bool
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Create an SNS topic: its messages are the records of a topic",
		Long: "Create an SNS topic, or show the one that is there. Its messages are the records of the topic\n" +
			"of its name, which is made unless it is there. A name that ends with .fifo makes a FIFO topic.",
		Example: "  ottla sns topic create orders\n  ottla sns topic create orders.fifo --content-deduplication\n  ottla sns topic create orders --attribute SignatureVersion=2",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if in.Attributes, err = pairs("attribute", attributes); err != nil {
				return err
			}
			if in.Tags, err = pairs("tag", tags); err != nil {
				return err
			}
			if strings.HasSuffix(args[0], name.FIFOSuffix) {
				in.Attributes["FifoTopic"] = "true"
			}
			if contentDedup {
				in.Attributes["ContentBasedDeduplication"] = "true"
			}
			var t rest.SNSTopic
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot create SNS topic "+args[0], http.MethodPut, snsPath(args[0]), p.Query(), in, &t); err != nil {
				return err
			}
			return o.Print(snsTopicTable(&t))
		},
	}
	p.Bind(c)
	f := c.Flags()
	f.StringArrayVar(&attributes, "attribute", nil, "an attribute as SNS names it, NAME=VALUE, may be repeated")
	f.StringArrayVar(&tags, "tag", nil, "a tag as KEY=VALUE, may be repeated")
	f.BoolVar(&contentDedup, "content-deduplication", false, "drop messages with the same body within five minutes (FIFO)")
	f.Int32Var(&in.Partitions, "partitions", 0, "partitions of the topic, when it is made (1)")
	return c
}

func snsTopicList(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var prefix string
	c := &cobra.Command{
		Use:   "list",
		Short: "List SNS topics",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := &out.Table{Empty: "no SNS topics yet: make one with \"ottla sns topic create NAME\"", Columns: []out.Column{
				{Field: "name", Title: "NAME"}, {Field: "topic", Title: "TOPIC"}, {Field: "fifo", Title: "FIFO"}, {Field: "arn", Title: "ARN"},
			}}
			query := p.Query()
			query.Set("prefix", prefix)
			return ask.PrintPages(cmd.Context(), o, t, p.HTTP, "cannot list SNS topics", "/sns", query, func(page *rest.SNSTopics) string {
				for i := range page.Topics {
					x := &page.Topics[i]
					t.Add(x.Name, x.Topic, x.FIFO, x.ARN)
				}
				return page.Next
			})
		},
	}
	p.Bind(c)
	c.Flags().StringVar(&prefix, "prefix", "", "only topics whose names begin so")
	return c
}

func snsTopicDescribe(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:   "describe NAME",
		Short: "Show an SNS topic",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var t rest.SNSTopic
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot describe SNS topic "+args[0], http.MethodGet, snsPath(args[0]), p.Query(), nil, &t); err != nil {
				return err
			}
			return o.Print(snsTopicTable(&t))
		},
	}
	p.Bind(c)
	return c
}

func snsTopicDelete(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var yes, dryRun bool
	c := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete an SNS topic with its messages and subscriptions; an adopted topic stays",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			what := "cannot delete SNS topic " + args[0]
			query := p.Query()
			var subs rest.Subscriptions
			if err := o.Ask(cmd.Context(), p.HTTP, what, http.MethodGet, snsPath(args[0], "subscriptions"), query, nil, &subs); err != nil {
				return err
			}
			table := func(result string) *out.Table {
				t := &out.Table{Columns: []out.Column{{Field: "name", Title: "NAME"}, {Field: "subscriptions", Title: "SUBSCRIPTIONS", Right: true}, {Field: "result", Title: "RESULT"}}}
				t.Add(args[0], len(subs.Subscriptions), result)
				return t
			}
			goOn, err := o.Agreed(dryRun, yes, "delete "+args[0]+" with "+ask.CountWord(int64(len(subs.Subscriptions)), "subscription")+"?", func(string) *out.Table { return table("would be deleted") })
			if err != nil || !goOn {
				return err
			}
			if err := o.Ask(cmd.Context(), p.HTTP, what, http.MethodDelete, snsPath(args[0]), p.Query(), nil, nil); err != nil {
				return err
			}
			return o.Print(table("deleted"))
		},
	}
	p.Bind(c)
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would go")
	return c
}

func snsPublish(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var in rest.Publication
	var attributes []string
	c := &cobra.Command{
		Use:   "publish TOPIC [MESSAGE]",
		Short: "Publish a message, or standard input as one",
		Example: "  ottla sns publish orders '{\"order\":17}' --subject 'A sale' --attribute shop=north\n" +
			"  ottla sns publish orders.fifo paid --message-group customer-4\n  ottla sns publish orders < order.json",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if in.Attributes, err = pairs("attribute", attributes); err != nil {
				return err
			}
			if len(args) == 2 {
				in.Message = args[1]
			} else {
				b, err := io.ReadAll(io.LimitReader(o.In, mostPublished+1))
				if err != nil {
					return fail.New(fail.Failed, "cannot read the message", err.Error(), "")
				}
				in.Message = strings.TrimSuffix(string(b), "\n")
			}
			var got rest.PublishedMessage
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot publish to SNS topic "+args[0], http.MethodPost, snsPath(args[0]), p.Query(), in, &got); err != nil {
				return err
			}
			t := &out.Table{Columns: []out.Column{{Field: "id", Title: "ID"}, {Field: "sequence", Title: "SEQUENCE"}}}
			t.Add(got.ID, ask.OrNil(got.Sequence))
			return o.Print(t)
		},
	}
	p.Bind(c)
	f := c.Flags()
	f.StringVar(&in.Subject, "subject", "", "subject of the message")
	f.StringVar(&in.Group, "message-group", "", "message group (FIFO topics need one)")
	f.StringVar(&in.Dedup, "deduplication-id", "", "drops the message if one of that id came within five minutes (FIFO)")
	f.BoolVar(&in.Structured, "structured", false, "the message is a JSON object with a body for each protocol, and \"default\"")
	f.StringArrayVar(&attributes, "attribute", nil, "an attribute as NAME=VALUE, may be repeated")
	return c
}

// mostPublished bounds what is read of standard input: more is no message.
const mostPublished = 1 << 20

// endpointOf reads where a subscription's messages go: queue:NAME, topic:NAME,
// function:NAME, an address or an ARN.
func endpointOf(p *ask.PlaceFlags, to string) (protocol, endpoint string, err error) {
	if scheme, _, ok := strings.Cut(to, "://"); ok && slices.Contains([]string{"http", "https"}, scheme) {
		return scheme, to, nil
	}
	kinds := map[name.Kind]string{name.Queue: "sqs", name.Topic: "kafka", name.Function: "lambda"}
	ref, perr := name.ParseARN(to)
	if kind, called, ok := strings.Cut(to, ":"); perr != nil && ok {
		ref = name.Of(name.Kind(kind), called)
		if p.Account != "" {
			ref.Account = p.Account
		}
		if p.Region != "" {
			ref.Region = p.Region
		}
	}
	if protocol = kinds[ref.Kind]; protocol == "" {
		return "", "", fail.Usagef("%s can subscribe nothing: want queue:NAME, topic:NAME, function:NAME, an address (https://…) or an ARN", to)
	}
	return protocol, ref.ARN(), nil
}
