package sqs

import (
	"context"
	"errors"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/queue"
	"ottla/internal/gateway/aws/protocol"
)

// maxPage is how many queues one answer lists.
const maxPage = 1000

type createQueueIn struct {
	QueueName  string            `json:"QueueName"`
	Attributes map[string]string `json:"Attributes" query:"Attribute,Name,Value"`
	Tags       map[string]string `json:"tags" query:"Tag|tags,Key,Value"`
}

type urlOut struct {
	QueueURL string `json:"QueueUrl"`
}

func (d door) createQueue(ctx context.Context, c *protocol.Call, in *createQueueIn) (*urlOut, error) {
	if in.QueueName == "" {
		return nil, missing("QueueName")
	}
	spec := queue.Spec{
		VisibilityMs: queue.DefaultVisibilityMs, RetentionMs: queue.DefaultRetentionMs, MaxMessageBytes: queue.MaxMessageBytes, Tags: in.Tags,
	}
	if err := apply(&spec, in.Attributes, true); err != nil {
		return nil, err
	}
	if err := checkName(in.QueueName, spec.FIFO); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	ref := queue.Ref{Account: c.Account, Region: c.Region, Name: in.QueueName}
	_, _, err := d.queues.Create(ctx, ref, spec)
	if errors.Is(err, queue.ErrExists) {
		err = d.sameAs(ctx, ref, in.Attributes)
	}
	if err != nil {
		return nil, refuse(err)
	}
	return &urlOut{queueURL(c, ref)}, nil
}

// sameAs tells whether a queue that is there has the attributes that were asked
// for; those that were not asked for may be as they will.
func (d door) sameAs(ctx context.Context, ref queue.Ref, asked map[string]string) error {
	q, err := d.queues.Get(ctx, ref)
	if err != nil {
		return err
	}
	for _, name := range sorted(asked) {
		a := find(name)
		if a.get == nil {
			continue
		}
		want := queue.Queue{Ref: ref, Spec: queue.Spec{FIFO: q.FIFO}}
		if err := a.set(&want.Spec, asked[name]); err != nil {
			return err
		}
		if a.get(&want) != a.get(&q) {
			return queueExists("A queue already exists with the same name and a different value for attribute " + name)
		}
	}
	return nil
}

func checkName(queueName string, fifo bool) error {
	switch err := name.Check(name.Queue, queueName); {
	case err != nil && fifo, fifo != strings.HasSuffix(queueName, name.FIFOSuffix):
		if !fifo {
			return badParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
		}
		return badParameter("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	case err != nil:
		return badParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return nil
}

type getURLIn struct {
	QueueName string `json:"QueueName"`
	Owner     string `json:"QueueOwnerAWSAccountId"`
}

func (d door) getQueueURL(ctx context.Context, c *protocol.Call, in *getURLIn) (*urlOut, error) {
	if in.QueueName == "" {
		return nil, missing("QueueName")
	}
	ref := queue.Ref{Account: c.Account, Region: c.Region, Name: in.QueueName}
	if in.Owner != "" {
		ref.Account = in.Owner
	}
	if _, err := d.queues.Get(ctx, ref); err != nil {
		return nil, refuse(err)
	}
	return &urlOut{queueURL(c, ref)}, nil
}

type listQueuesIn struct {
	Prefix     string `json:"QueueNamePrefix"`
	NextToken  string `json:"NextToken"`
	MaxResults *int   `json:"MaxResults"`
}

type listQueuesOut struct {
	QueueURLs []string `json:"QueueUrls,omitempty" query:"QueueUrl"`
	NextToken string   `json:"NextToken,omitempty"`
}

func (d door) listQueues(ctx context.Context, c *protocol.Call, in *listQueuesIn) (*listQueuesOut, error) {
	most, after, err := page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	found, next, err := d.queues.List(ctx, queue.Ref{Account: c.Account, Region: c.Region, Name: in.Prefix}, after, most)
	if err != nil {
		return nil, refuse(err)
	}
	return &listQueuesOut{urls(c, found), token(in.MaxResults, next)}, nil
}

type sourcesIn struct {
	QueueURL   string `json:"QueueUrl"`
	NextToken  string `json:"NextToken"`
	MaxResults *int   `json:"MaxResults"`
}

// sourcesOut always has its list, unlike that of ListQueues: the model wants
// it.
type sourcesOut struct {
	QueueURLs []string `json:"queueUrls" query:"QueueUrl"`
	NextToken string   `json:"NextToken,omitempty"`
}

func (d door) listDeadLetterSources(ctx context.Context, c *protocol.Call, in *sourcesIn) (*sourcesOut, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	most, after, err := page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	found, next, err := d.queues.SourcesOf(ctx, ref, after, most)
	if err != nil {
		return nil, refuse(err)
	}
	all := urls(c, found)
	if all == nil {
		all = []string{}
	}
	return &sourcesOut{all, token(in.MaxResults, next)}, nil
}

func urls(c *protocol.Call, found []queue.Queue) []string {
	var out []string
	for _, q := range found {
		out = append(out, queueURL(c, q.Ref))
	}
	return out
}

// page reads where a page begins and how long it is. A token is the name that
// the page before ended with.
func page(most *int, next string) (int, string, error) {
	n := maxPage
	if most != nil {
		n = *most
	}
	if n < 1 || n > maxPage {
		return 0, "", badParameter("Value %d for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and %d.", n, maxPage)
	}
	after, ok := protocol.Behind(next)
	if !ok {
		return 0, "", badParameter("Invalid or expired next token.")
	}
	return n, after, nil
}

// token is where the next page begins; callers who name no length get none,
// since they do not look for one.
func token(most *int, next string) string {
	if most == nil {
		return ""
	}
	return protocol.Token(next)
}

type queueIn struct {
	QueueURL string `json:"QueueUrl"`
}

func (d door) deleteQueue(ctx context.Context, c *protocol.Call, in *queueIn) (*protocol.Nothing, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	return nil, refuse(d.queues.Delete(ctx, ref))
}

func (d door) purgeQueue(ctx context.Context, c *protocol.Call, in *queueIn) (*protocol.Nothing, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	return nil, refuse(d.queues.Purge(ctx, ref))
}
