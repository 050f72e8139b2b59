package events

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/cli/out"
	"ottla/internal/event/envelope"
	"ottla/internal/event/jsonwalk"
	"ottla/internal/gateway/topics"
	"ottla/internal/uuid"
)

// EventCommand is the noun event: put, watched, traced.
func EventCommand(o *ask.Options) *cobra.Command {
	c := ask.Noun("event", "", "Events: put them into buses and topics, watch what comes, and trace where one went", eventPut(o), eventTail(o), eventTrace(o))
	c.Aliases = nil
	return c
}

// eventFlags are what an event is beside its data.
type eventFlags struct {
	ask.QueueFlags
	source, subject, id, time, schema, content, key string
	attributes                                      []string
}

func eventPut(o *ask.Options) *cobra.Command {
	var e eventFlags
	c := &cobra.Command{
		Use:   "put BUS TYPE [DATA|@FILE|-]",
		Short: "Put an event into a bus, or a topic; with - each line of standard input as one",
		Long: "Put an event into a bus, or into a topic where there is no such bus; one of both must be\n" +
			"there. It is answered when it is durable. DATA that is JSON has the content type\n" +
			"application/json, other text text/plain; what begins with { and is no JSON is refused unless\n" +
			"--content-type says what it is. What is an attribute of no event of CloudEvents is an extension.",
		Example: "  ottla event put shop OrderPlaced '{\"id\":1,\"total\":120}' --source com.shop\n" +
			"  ottla event put shop OrderPlaced - --key customer-4 < orders.ndjson",
		Args: cobra.RangeArgs(2, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			like, err := e.event(args[1])
			if err != nil {
				return err
			}
			if len(args) < 3 || args[2] != "-" {
				if len(args) == 3 {
					data, err := textOf("DATA", args[2], o.In)
					if err != nil {
						return err
					}
					if err := setData(like, e.content, data); err != nil {
						return fail.Usagef("DATA: %v", err)
					}
				}
				return putAll(cmd.Context(), o, &e, args[0], []*envelope.Event{like})
			}
			return putLines(cmd.Context(), o, &e, args[0], like, o.In)
		},
	}
	ask.BindHTTP(c.Flags(), &e.HTTP)
	f := c.Flags()
	f.StringVar(&e.Account, "account", "", "account of the bus (default: 123456789012)")
	f.StringVar(&e.Region, "region", "", "region of the bus (default: us-east-1)")
	f.StringVar(&e.source, "source", "ottla.cli", "what the event comes from")
	f.StringVar(&e.subject, "subject", "", "what it is about")
	f.StringVar(&e.id, "id", "", "its id (default: a new one)")
	f.StringVar(&e.time, "time", "", "when it happened, as 2026-11-26T16:00:00Z (default: now)")
	f.StringVar(&e.content, "content-type", "", "media type of the data")
	f.StringVar(&e.schema, "schema", "", "where the data's schema is (dataschema)")
	f.StringVar(&e.key, "key", "", "the record's key: events of one key keep their order (partitionkey)")
	f.StringArrayVar(&e.attributes, "attribute", nil, "an extension attribute as NAME=VALUE, may be repeated")
	return c
}

// event is an event without data.
func (f *eventFlags) event(kind string) (*envelope.Event, error) {
	e := &envelope.Event{ID: f.id, Source: f.source, Type: kind, Subject: f.subject, Time: f.time, DataContentType: f.content, DataSchema: f.schema}
	for _, a := range f.attributes {
		called, value, ok := strings.Cut(a, "=")
		if !ok || called == "" {
			return nil, fail.Usagef("--attribute %s: want NAME=VALUE", a)
		}
		e.Set(called, value)
	}
	if f.key != "" {
		e.Set(envelope.PartitionKey, f.key)
	}
	if e.Time == "" {
		e.Time = string(envelope.AppendTime(nil, time.Now().UnixMilli()))
	}
	checked := *e
	checked.ID = "an id"
	if err := checked.Check(); err != nil {
		return nil, fail.Usagef("%v", err)
	}
	return e, nil
}

// setData gives an event its data, with the type that was said or that it looks like. What
// begins as an object and is none is a slip far more often than text.
func setData(e *envelope.Event, content string, data []byte) error {
	e.Data = data
	if e.DataContentType = content; content != "" {
		return nil
	}
	if e.DataContentType = envelope.JSON; jsonwalk.Valid(data, 0) {
		return nil
	}
	if e.DataContentType = "text/plain"; !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return nil
	}
	var none any
	return fmt.Errorf("it begins as a JSON object and is none (%w); if it is text, say --content-type text/plain", json.Unmarshal(data, &none))
}

// putLines puts each line as an event like another.
func putLines(ctx context.Context, o *ask.Options, f *eventFlags, name string, like *envelope.Event, in io.Reader) error {
	lines := bufio.NewReader(in)
	var some []*envelope.Event
	for at := 1; ; at++ {
		line, err := lines.ReadString('\n')
		if text := strings.TrimSuffix(line, "\n"); text != "" {
			e := like.Clone()
			if err := setData(e, f.content, []byte(text)); err != nil {
				return fail.Usagef("line %d: %v", at, err)
			}
			some = append(some, e)
		}
		if len(some) == ask.SendAtOnce || err != nil && len(some) > 0 {
			if err := putAll(ctx, o, f, name, some); err != nil {
				return err
			}
			some = some[:0]
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
	}
}

func putAll(ctx context.Context, o *ask.Options, f *eventFlags, name string, all []*envelope.Event) error {
	what := "cannot put events into " + name
	body := []byte{'['}
	for i, e := range all {
		if e.ID == "" {
			id, err := uuid.New(rand.Reader)
			if err != nil {
				return fmt.Errorf("draw an id: %w", err)
			}
			e.ID = id.String()
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = e.AppendCloudEvent(body)
	}
	var got topics.Puts
	content := native.Content{Type: "application/cloudevents-batch+json", Bytes: append(body, ']')}
	query := f.Query()
	query.Set("create", "false")
	if err := o.Ask(ctx, f.HTTP, what, http.MethodPost, native.Path("ce", name), query, content, &got); err != nil {
		return err
	}
	t := &out.Table{Columns: []out.Column{
		{Field: "id", Title: "ID"}, {Field: "topic", Title: "TOPIC"}, {Field: "partition", Title: "PARTITION", Right: true}, {Field: "offset", Title: "OFFSET", Right: true},
	}}
	var failures []error
	for _, p := range got.Events {
		if p.Error != nil {
			failures = append(failures, fail.New(fail.Failed, what, p.Error.Message, p.Error.Hint))
			continue
		}
		t.Add(p.ID, p.Topic, *p.Partition, *p.Offset)
	}
	return o.PrintPartly(t, failures)
}
