package controller

import "ottla/internal/wire"

// Result is one item's outcome: Code None is success.
type Result struct {
	Code    wire.Code
	Message string
}

// resultOf turns a refusal into a result; nil is success.
func resultOf(err error) Result {
	return Result{Code: wire.CodeOf(err), Message: wire.MessageOf(err)}
}

// maxPartitionsPerStep bounds the partitions that one command makes: the batch
// of records must stay small enough to be written, replicated and applied at
// once. It is Kafka's bound.
const maxPartitionsPerStep = 10_000
