package queue

// Attribute is one of a message's attributes: Type is String, Number or Binary,
// perhaps with a dot and a label behind it.
type Attribute struct {
	Type  string
	Value []byte
}

// Message is what is sent.
type Message struct {
	Body []byte
	// Attributes travel as record headers of their names; one whose type is
	// not String has its type in another ("ottla.type.NAME").
	Attributes map[string]Attribute
	// System are system attributes: AWSTraceHeader.
	System map[string]string
	// Group is the message group, the record's key. FIFO queues need one.
	Group string
	// DedupID drops the message if one of that id was sent within five minutes
	// (FIFO queues; see Spec.ContentDedup).
	DedupID string
	// DelayMs is how long nobody can take it; -1 says what the queue says.
	DelayMs int64
}

// Sent is what became of one message of Send.
type Sent struct {
	ID string
	// Sequence grows within a message group of a FIFO queue; "" elsewhere and
	// for messages that are delayed.
	Sequence string
	Err      error
}

// TakeOptions say how to take.
type TakeOptions struct {
	Max          int   // messages, 1 when 0
	WaitMs       int64 // -1: the queue's
	VisibilityMs int64 // -1: the queue's
	// AttemptID makes the same Take of a FIFO queue again within five minutes
	// give the same messages, as long as nothing was done with them.
	AttemptID string
}

// Taken is a message that was taken.
type Taken struct {
	Message
	ID      string
	Receipt string
	// SentMs and FirstTakenMs are times since 1970; FirstTakenMs is 0 where it
	// is not known any more.
	SentMs, FirstTakenMs int64
	Count                int32 // how often it was taken, this time included
	Sequence             string
	// DeadLetterSource is the queue that it came from, of a dead letter.
	DeadLetterSource string // an ARN, or a topic's name
	Partition        int32
	Offset           int64
}

// Nack gives a message back.
type Nack struct {
	Receipt string
	DelayMs int64 // until it can be taken again; -1: as the queue's Backoff says
}

// Extension holds a message longer.
type Extension struct {
	Receipt string
	ForMs   int64 // from now on; 0 gives it back at once
}
