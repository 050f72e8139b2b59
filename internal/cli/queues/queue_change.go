package queues

import (
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/event/name"
	"ottla/internal/event/queue"
	"ottla/internal/gateway/rest"
)

// specFlags are what a queue is told to be.
type specFlags struct {
	visibility, delay, retention, wait string
	maxBytes                           int32
	contentDedup                       bool
	dead                               string
	maxReceives                        int32
	backoff, backoffMax                string
	backoffFactor                      float64
	tags                               []string
}

func (s *specFlags) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.visibility, "visibility", "", "how long a message stays with who took it (30s)")
	f.StringVar(&s.delay, "delay", "", "how long a message waits before it can be taken (0s, at most 15m)")
	f.StringVar(&s.retention, "retention", "", "how long a message is kept (96h; 1m to 336h)")
	f.StringVar(&s.wait, "wait", "", "how long a take waits that says nothing of it (0s, at most 20s)")
	f.Int32Var(&s.maxBytes, "max-message-bytes", 0, "largest message, body and attributes (1048576)")
	f.BoolVar(&s.contentDedup, "content-deduplication", false, "FIFO: the body's hash is the deduplication id of a message without")
	f.StringVar(&s.dead, "dead-letters", "", "queue for messages that were taken too often; \"none\" takes it back")
	f.Int32Var(&s.maxReceives, "max-receives", 0, "how often a message is taken before it is a dead letter (with --dead-letters; 5)")
	f.StringVar(&s.backoff, "backoff", "", "how long a message waits that comes back, at first (0s, at most 1m)")
	f.Float64Var(&s.backoffFactor, "backoff-factor", 0, "by what that grows with each delivery (2)")
	f.StringVar(&s.backoffMax, "backoff-max", "", "the longest such wait (1m)")
	f.StringArrayVar(&s.tags, "tag", nil, "a tag as KEY=VALUE, may be repeated")
}

// fields are those that were given, as the native door takes them.
func (s *specFlags) fields(c *cobra.Command, q *ask.QueueFlags) (map[string]any, error) {
	out := map[string]any{}
	for _, d := range []struct{ flag, text, field string }{
		{"visibility", s.visibility, "visibility_ms"}, {"delay", s.delay, "delay_ms"},
		{"retention", s.retention, "retention_ms"}, {"wait", s.wait, "wait_ms"},
	} {
		if !c.Flags().Changed(d.flag) {
			continue
		}
		ms, err := ask.Milliseconds(d.flag, d.text)
		if err != nil {
			return nil, err
		}
		out[d.field] = ms
	}
	if c.Flags().Changed("max-message-bytes") {
		out["max_message_bytes"] = s.maxBytes
	}
	if c.Flags().Changed("content-deduplication") {
		out["content_dedup"] = s.contentDedup
	}
	if err := s.deadLetter(c, q, out); err != nil {
		return nil, err
	}
	if err := s.waits(c, out); err != nil {
		return nil, err
	}
	if len(s.tags) > 0 {
		tags := map[string]string{}
		for _, t := range s.tags {
			key, value, ok := strings.Cut(t, "=")
			if !ok || key == "" {
				return nil, fail.Usagef("--tag %s: want KEY=VALUE", t)
			}
			tags[key] = value
		}
		out["tags"] = tags
	}
	return out, nil
}

func (s *specFlags) deadLetter(c *cobra.Command, q *ask.QueueFlags, out map[string]any) error {
	switch {
	case !c.Flags().Changed("dead-letters") && c.Flags().Changed("max-receives"):
		return fail.Usagef("--max-receives goes with --dead-letters QUEUE")
	case !c.Flags().Changed("dead-letters"):
	case s.dead == "none":
		out["dead_letter"] = nil
	default:
		most := s.maxReceives
		if !c.Flags().Changed("max-receives") {
			most = 5
		}
		out["dead_letter"] = queue.DeadLetter{Queue: queue.Ref{Account: q.Account, Region: q.Region, Name: s.dead}, MaxReceives: most}
	}
	return nil
}

func (s *specFlags) waits(c *cobra.Command, out map[string]any) error {
	if !c.Flags().Changed("backoff") {
		return nil
	}
	b := queue.Backoff{Factor: s.backoffFactor}
	var err error
	if b.FirstMs, err = ask.Milliseconds("backoff", s.backoff); err != nil {
		return err
	}
	if c.Flags().Changed("backoff-max") {
		if b.MaxMs, err = ask.Milliseconds("backoff-max", s.backoffMax); err != nil {
			return err
		}
	}
	out["backoff"] = b
	return nil
}

func queueCreate(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	var s specFlags
	var topic string
	var partitions int32
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a queue; one whose name ends with .fifo keeps the order of message groups",
		Long: "Create a queue. Its messages are the records of the topic of its name, which is made unless it\n" +
			"is there; --topic adopts another. Creating the same queue again changes nothing.",
		Example: "  ottla queue create billing --dead-letters billing-dead --max-receives 3\n" +
			"  ottla queue create orders.fifo --content-deduplication\n  ottla queue create work --topic orders",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := s.fields(cmd, &q)
			if err != nil {
				return err
			}
			if topic != "" {
				body["topic"] = topic
			}
			if partitions > 0 {
				body["partitions"] = partitions
			}
			if strings.HasSuffix(args[0], name.FIFOSuffix) {
				body["fifo"] = true
			}
			var x rest.Queue
			if err := o.Ask(cmd.Context(), q.HTTP, "cannot create queue "+args[0], http.MethodPut, ask.QueuePath(args[0]), q.Query(), body, &x); err != nil {
				return err
			}
			return o.Print(queueTable(&x))
		},
	}
	q.Bind(c)
	s.bind(c)
	c.Flags().StringVar(&topic, "topic", "", "adopt this topic")
	c.Flags().Int32VarP(&partitions, "partitions", "p", 0, "partitions of the topic that is made (1)")
	return c
}

func queueAlter(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	var s specFlags
	c := &cobra.Command{
		Use:     "alter NAME",
		Short:   "Change what a queue is told to be",
		Example: "  ottla queue alter billing --visibility 2m",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := s.fields(cmd, &q)
			if err != nil {
				return err
			}
			if len(body) == 0 {
				return fail.Usagef("nothing to change: name what shall be different")
			}
			var x rest.Queue
			if err := o.Ask(cmd.Context(), q.HTTP, "cannot alter queue "+args[0], http.MethodPatch, ask.QueuePath(args[0]), q.Query(), body, &x); err != nil {
				return err
			}
			return o.Print(queueTable(&x))
		},
	}
	q.Bind(c)
	s.bind(c)
	return c
}
