package queues

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/dlq"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/event/letter"
	"ottla/internal/gateway/rest"
)

func dlqEdit(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	var file, to string
	c := &cobra.Command{
		Use:   "edit LETTER",
		Short: "Mend the body of a dead letter, and put it back",
		Long: "Mend the body of one dead letter and put it back where it came from. LETTER is what\n" +
			"\"ottla dlq show\" calls it. Without --body the editor of $VISUAL or $EDITOR opens it; a body that was\n" +
			"not changed is not put back. The letter is done with in the same transaction that writes the record.",
		Example: "  ottla dlq edit billing-dead-0@17\n  ottla dlq edit billing-dead-0@17 --body mended.json\n  jq .order=17 old.json | ottla dlq edit billing-dead-0@17 --body -",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, partition, offset, err := letter.ParseName(args[0])
			if err != nil {
				return fail.Usagef("%v, as \"ottla dlq show\" has it", err)
			}
			c, a, err := o.Asking(cmd.Context(), dlq.Producing(topic)...)
			if err != nil {
				return err
			}
			defer c.Close()
			e := &edit{Options: o, q: &q, client: c, admin: a, name: args[0], topic: topic, partition: partition, offset: offset, file: file, to: to}
			return e.run(cmd.Context())
		},
	}
	q.Bind(c)
	c.Flags().StringVar(&file, "body", "", "the file that has the new body, - for standard input")
	c.Flags().StringVar(&to, "to", "", "put it into this queue, or for share groups this topic")
	return c
}

// edit is one letter that is mended.
type edit struct {
	*ask.Options
	q         *ask.QueueFlags
	client    *kgo.Client
	admin     *kadm.Client
	name      string
	topic     string
	partition int32
	offset    int64
	file, to  string
}

func (e *edit) run(ctx context.Context) error {
	p, err := e.place(ctx)
	if err != nil {
		return err
	}
	old, err := e.find(ctx, p)
	if err != nil {
		return err
	}
	body, err := e.mended(ctx, old.Value)
	if err != nil {
		return err
	}
	written, err := e.put(ctx, p, old, body)
	if err != nil {
		return err
	}
	t := &out.Table{One: true, Columns: []out.Column{{Field: "letter", Title: "LETTER"}, {Field: "written", Title: "WRITTEN"}, {Field: "result", Title: "RESULT"}}}
	t.Add(e.name, ask.OrNil(written), "mended and put back")
	return e.Print(t)
}

// place finds the place by the topic that the letter's name has.
func (e *edit) place(ctx context.Context) (*place, error) {
	called := e.topic
	if e.HTTPAddress(ctx, e.q.HTTP) != "" {
		all, err := deadQueues(ctx, e.Options, e.q, false)
		if err != nil && e.q.HTTP != "" {
			return nil, err
		}
		if i := slices.IndexFunc(all, func(d rest.DeadLetters) bool { return d.Topic == e.topic }); i >= 0 {
			called = all[i].Queue
		}
	}
	p, err := placeOf(ctx, e.Options, e.client, e.admin, e.q, called, nil)
	if err == nil && p.queue != nil && p.queue.Topic != e.topic {
		return nil, fail.New(fail.NotFound, "there is no dead letter "+e.name, "the queue "+called+" is the topic "+p.queue.Topic, "\"ottla dlq list\" shows what there is")
	}
	return p, err
}

// find reads the letter as it is.
func (e *edit) find(ctx context.Context, p *place) (*letter.Letter, error) {
	gone := fail.New(fail.NotFound, "there is no dead letter "+e.name, errNoLetter.Error(), "\"ottla dlq show "+p.name+"\" shows what is there")
	if p.queue == nil {
		l, err := p.topic.Letter(ctx, e.Connect, e.partition, e.offset, e.Timeout)
		if err != nil {
			return nil, ask.KafkaFailure("cannot read the dead letter "+e.name, err)
		}
		if l == nil {
			return nil, gone
		}
		return l, nil
	}
	query := e.q.Query()
	query.Set("max", "1")
	query.Set("next", fmt.Sprintf("%d:%d", e.partition, e.offset))
	var page rest.Letters
	if err := e.Ask(ctx, e.q.HTTP, "cannot read the dead letter "+e.name, http.MethodGet, ask.QueuePath(p.queue.Name, "messages"), query, nil, &page); err != nil {
		return nil, err
	}
	if len(page.Letters) == 0 || page.Letters[0].Letter != e.name {
		return nil, gone
	}
	return letterOf(&page.Letters[0])
}

// mended is the new body: from a file, or from an editor.
func (e *edit) mended(ctx context.Context, old []byte) ([]byte, error) {
	switch e.file {
	case "":
		return e.edited(ctx, old)
	case "-":
		b, err := io.ReadAll(e.In)
		if err != nil {
			return nil, fmt.Errorf("read the new body: %w", err)
		}
		return b, nil
	}
	b, err := os.ReadFile(e.file)
	if err != nil {
		return nil, fail.Usagef("--body: %v", err)
	}
	return b, nil
}

// edited has a person change the body in an editor.
func (e *edit) edited(ctx context.Context, old []byte) ([]byte, error) {
	editor := cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR"))
	if editor == "" {
		return nil, fail.Usagef("there is no editor: set EDITOR, or give the new body with --body FILE")
	}
	f, err := os.CreateTemp("", "ottla-letter-*.json")
	if err != nil {
		return nil, fmt.Errorf("make a file for the editor: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(old)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("write a file for the editor: %w", err)
	}
	run := exec.CommandContext(ctx, "sh", "-c", editor+` "$1"`, "sh", f.Name()) // an editor may have arguments
	run.Stdin, run.Stdout, run.Stderr = e.In, e.Out, e.Err
	if err := run.Run(); err != nil {
		return nil, fail.New(fail.Failed, "the dead letter "+e.name+" stays as it is", editor+": "+err.Error(), "give the new body with --body FILE")
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		return nil, fmt.Errorf("read what was edited: %w", err)
	}
	if !bytes.HasSuffix(old, []byte("\n")) { // editors add one
		b = bytes.TrimSuffix(b, []byte("\n"))
	}
	if bytes.Equal(b, old) {
		return nil, fail.New(fail.Failed, "the dead letter "+e.name+" stays where it is", "its body was not changed", "\"ottla dlq redrive\" puts letters back as they are")
	}
	return b, nil
}

// put puts the mended letter back and names the record that it became, where that
// is known.
func (e *edit) put(ctx context.Context, p *place, old *letter.Letter, body []byte) (string, error) {
	what := "cannot put the dead letter " + e.name + " back"
	if p.queue != nil {
		query := e.q.Query()
		if e.to != "" {
			query.Set("to", e.to)
		}
		var got rest.Revised
		err := e.Ask(ctx, e.q.HTTP, what, http.MethodPost, ask.QueuePath(p.queue.Name, "messages", e.name, "revise"), query, body, &got)
		return got.Written, err
	}
	d := &dlq.Redrive{To: e.to, Within: e.Timeout, Open: e.Connect, Client: e.client, Admin: e.admin, Body: body,
		Filter: func(l *letter.Letter) bool { return l.Partition == old.Partition && l.Offset == old.Offset }}
	done, err := d.Run(ctx, p.topic.Only(old))
	if err != nil {
		return "", ask.KafkaFailure(what, err)
	}
	if done.Failed > 0 {
		return "", fail.New(fail.Failed, what, done.Why.Error(), "put the cause right and try again, or name another topic with --to")
	}
	return done.Last, nil
}
