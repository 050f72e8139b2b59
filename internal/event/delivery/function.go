package delivery

import (
	"context"
	"crypto/md5" //nolint:gosec // see batchOf
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/outbound"
	"ottla/internal/event/plan"
)

// defaultDeadline bounds a call of a function that says nothing.
const defaultDeadline = outbound.DefaultTimeout

// callFunction calls a function: one event as it is rendered, or those of a batch in
// the shape that Lambda has for the messages of a queue, which tells ids by which the
// function may report those that failed. Waiting until the function may be called is none
// of its time: begun is told then.
func (s *Service) callFunction(ctx context.Context, e *plan.Endpoint, ps []*parcel, begun func()) outbound.Answer {
	if s.o.Functions == nil {
		return outbound.Answer{Err: fmt.Errorf("function %s: this node declares no functions: give it a file of them", e.Function)}
	}
	event := ps[0].body
	if e.Batch.Size > 1 || e.Batch.ReportFailures {
		var err error
		if event, err = batchOf(e, ps); err != nil {
			return outbound.Answer{Err: fmt.Errorf("%w: %w", outbound.ErrForbidden, err)}
		}
	}
	call, err := s.o.Functions.Seat(ctx, e.Function)
	begun()
	if err != nil {
		return outbound.Answer{Err: err}
	}
	deadline := defaultDeadline
	if e.DeadlineMs > 0 {
		deadline = time.Duration(e.DeadlineMs) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	return call(ctx, event)
}

// batchRecord is one of Lambda's Records, as for a queue.
type batchRecord struct {
	MessageID  string            `json:"messageId"`
	Receipt    string            `json:"receiptHandle"`
	Body       string            `json:"body"`
	Attributes map[string]string `json:"attributes"`
	Message    struct{}          `json:"messageAttributes"`
	BodySum    string            `json:"md5OfBody"`
	Source     string            `json:"eventSource"`
	ARN        string            `json:"eventSourceARN"`
	Region     string            `json:"awsRegion"`
}

func batchOf(e *plan.Endpoint, ps []*parcel) ([]byte, error) {
	out := struct{ Records []batchRecord }{}
	for _, p := range ps {
		sent, sum := strconv.FormatInt(p.putMs, 10), md5.Sum(p.body) //nolint:gosec // md5OfBody is what Lambda tells
		out.Records = append(out.Records, batchRecord{
			MessageID: p.ID, Receipt: p.ID, Body: string(p.body), Source: "aws:sqs", BodySum: hex.EncodeToString(sum[:]), ARN: or(arnOf(p.Rule), arnOf(p.Source)), Region: or(e.Rule.Region, name.DefaultRegion),
			Attributes: map[string]string{"SentTimestamp": sent, "ApproximateReceiveCount": "1", "MessageGroupId": string(p.Key)},
		})
	}
	return json.Marshal(out)
}

// reported are the deliveries that a function says have failed. An answer that says
// nothing of it reports none; one that names what it did not get has failed as a
// whole, as Lambda has it.
func reported(answer []byte, ps []*parcel) ([]int64, error) {
	var said struct {
		Failures []struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if len(answer) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return nil, fmt.Errorf("the function's answer is not {\"batchItemFailures\":[…]}: %w", err)
	}
	var out []int64
	for _, f := range said.Failures {
		i := slices.IndexFunc(ps, func(p *parcel) bool { return p.ID == f.ID })
		if f.ID == "" || i < 0 {
			return nil, errors.New("the function reported an itemIdentifier that is none of its batch")
		}
		out = append(out, ps[i].offset)
	}
	return out, nil
}
