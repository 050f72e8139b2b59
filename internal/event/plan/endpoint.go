package plan

import (
	"context"
	"errors"

	"ottla/internal/event/name"
)

// ErrGone says that there is no such target any more: what waits for it is dropped.
var ErrGone = errors.New("the target was removed")

// Endpoints know what the targets of Kind Call are, by Target.Key. They are asked at
// every call, so they answer from memory.
type Endpoints interface {
	Endpoint(ctx context.Context, key string) (*Endpoint, error)
	// Disable is told when an endpoint answered 410: nothing more is sent to it.
	Disable(ctx context.Context, key, why string) error
}

// Endpoint is what is called.
type Endpoint struct {
	// Rule and Bus are told in dead letters and attempts.
	Rule, Source name.Ref
	// ARN is the target's, told in dead letters; "" where it is the address or the
	// function.
	ARN      string
	Disabled bool
	// Exactly one of URL and Function.
	URL      string // with * for each of Payload.Path
	Function string // a name that the server's file of functions declares
	Method   string // "" is POST
	Headers  []Header
	Query    []Header
	// Body are members that a connection adds to a body that is a JSON object.
	Body []Header
	// Authorize adds what a connection asks for (a key, basic, OAuth's token) to
	// the headers of a call; nil adds nothing. It may call addresses; an error that
	// is no refusal is tried again like a call that failed. stale says that the
	// last authorization was answered 401: OAuth's token is fetched anew.
	Authorize func(ctx context.Context, stale bool) ([]Header, error)
	// Secrets sign calls as Standard Webhooks say (webhook.ParseKey reads them); the
	// first is the newest.
	Secrets []string
	// Sign adds headers that depend on the whole call (SNS); nil adds nothing.
	Sign func(id string, body []byte) []Header

	Retry       Retry
	Rate        float64 // calls a second; 0 is no limit
	Concurrency int     // calls at once; 0 is the default
	Ordered     bool    // one call at a time for each Payload.Key
	DeadlineMs  int64   // of a call; 0 is the default
	// Batch is for functions: events of one call.
	Batch       Batch
	DeadLetters name.Ref
}

// Batch is how many events one call of a function has (Lambda's event source
// mapping).
type Batch struct {
	Size     int   // 0 and 1: no batch
	WindowMs int64 // how long the first waits for others
	// Bisect halves a batch that failed, to find the event that is to blame.
	Bisect bool
	// ReportFailures takes {"batchItemFailures":[{"itemIdentifier":ID}]} as the
	// events that failed.
	ReportFailures bool
}
