package api

import (
	"time"

	"ottla/internal/wire"
)

// Request is one request on the hot path: its header, and its body as bytes.
type Request struct {
	wire.Header
	// Body is borrowed until Serve returns; the handler may change it.
	Body []byte
	// Received is when its last byte had come, with a monotonic reading.
	Received time.Time
}
