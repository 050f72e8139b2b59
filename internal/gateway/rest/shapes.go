package rest

import (
	"encoding/json"

	"ottla/internal/event/queue"
)

// Queue is a queue as it is.
type Queue struct {
	Name    string `json:"name"`
	Account string `json:"account"`
	Region  string `json:"region"`
	ARN     string `json:"arn"`
	queue.Spec
	CreatedMs  int64   `json:"created_ms"`
	ModifiedMs int64   `json:"modified_ms"`
	Counts     *Counts `json:"counts,omitempty"` // where one queue was asked for
}

// Counts are where a queue stands, in committed messages.
type Counts struct {
	Waiting  int64 `json:"waiting"`
	InFlight int64 `json:"in_flight"`
	Delayed  int64 `json:"delayed"`
	Dead     int64 `json:"dead"`
	OldestMs int64 `json:"oldest_ms"` // how long the oldest one is there; -1 without any
}

// Queues is one page of queues.
type Queues struct {
	Queues []Queue `json:"queues"`
	Next   string  `json:"next,omitempty"`
}

// Messages is the body of a batch.
type Messages struct {
	Messages []Message `json:"messages"`
}

// AllSent answers a batch, in its order.
type AllSent struct {
	Sent []Sent `json:"sent"`
}

// AllTaken answers take.
type AllTaken struct {
	Messages []Taken `json:"messages"`
}

// Results answers ack, nack, extend and reject, in the order of the receipts.
type Results struct {
	Results []Result `json:"results"`
}

// MoveOrder is the body that starts a move.
type MoveOrder struct {
	To   string `json:"to,omitempty"`   // "" puts each message back where it came from
	Rate int32  `json:"rate,omitempty"` // messages a second; 0 is without a limit
	// Where are conditions: messages of which all hold are moved.
	Where []string `json:"where,omitempty"`
}

// Move is a move and how far it is.
type Move struct {
	Handle    string   `json:"handle"`
	From      string   `json:"from"`
	To        string   `json:"to,omitempty"`
	Rate      int32    `json:"rate,omitempty"`
	Where     []string `json:"where,omitempty"`
	Status    string   `json:"status"`
	Moved     int64    `json:"moved"`
	Looked    int64    `json:"looked,omitempty"` // judged, where there are conditions
	ToMove    int64    `json:"to_move"`
	StartedMs int64    `json:"started_ms"`
	Failure   string   `json:"failure,omitempty"`
}

// Moves lists moves, the newest first.
type Moves struct {
	Moves []Move `json:"moves"`
}

// Message is one to be sent, in a batch.
type Message struct {
	// Body is a text, or any other JSON, which is then the message itself.
	Body json.RawMessage `json:"body,omitempty"`
	// Base64 is the body where it is bytes.
	Base64     []byte               `json:"body_base64,omitempty"`
	Attributes map[string]Attribute `json:"attributes,omitempty"`
	Group      string               `json:"group,omitempty"`
	Dedup      string               `json:"dedup,omitempty"`
	// DelayMs is when it may be taken, from now; nil is the queue's delay.
	DelayMs *int64 `json:"delay_ms,omitempty"`
}

// Attribute is a message's attribute: String, Number or Binary, with a label
// behind a dot at will.
type Attribute struct {
	Type   string `json:"type,omitempty"` // String when it is ""
	Value  string `json:"value,omitempty"`
	Base64 []byte `json:"value_base64,omitempty"`
}

// Sent is what became of a message.
type Sent struct {
	ID       string `json:"id,omitempty"`
	Sequence string `json:"sequence,omitempty"` // of FIFO queues
	Error    *Error `json:"error,omitempty"`
}

// Taken is a message that is leased to who took it.
type Taken struct {
	ID      string `json:"id"`
	Receipt string `json:"receipt"`
	// Body is the message as text; Base64 has it where it is not UTF-8.
	Body         *string              `json:"body,omitempty"`
	Base64       []byte               `json:"body_base64,omitempty"`
	Attributes   map[string]Attribute `json:"attributes,omitempty"`
	Group        string               `json:"group,omitempty"`
	Dedup        string               `json:"dedup,omitempty"`
	Sequence     string               `json:"sequence,omitempty"`
	SentMs       int64                `json:"sent_ms"`
	FirstTakenMs int64                `json:"first_taken_ms"`
	Count        int32                `json:"count"` // how often it was taken, this time included
	// DeadLetterOf is the queue that it came from, in dead letters.
	DeadLetterOf string `json:"dead_letter_of,omitempty"`
}

// Receipts is the body of ack, nack, extend and reject.
type Receipts struct {
	Receipts []string `json:"receipts"`
	// DelayMs of nack and ForMs of extend hold for all of them.
	DelayMs *int64 `json:"delay_ms,omitempty"`
	ForMs   *int64 `json:"for_ms,omitempty"`
}

// Result is what became of a receipt.
type Result struct {
	Receipt string `json:"receipt"`
	Error   *Error `json:"error,omitempty"`
}

// Error tells what was refused, and what to do.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}
