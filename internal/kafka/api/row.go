package api

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

// Row makes the dispatch row of the API whose requests are Q, a pointer type
// of kmsg, served in versions low to high. differences are those from Kafka.
func Row[Q kmsg.Request](low, high int16, serve func(context.Context, *Conn, Q) (kmsg.Response, error), differences ...string) API {
	var none Q // its key needs no request
	key := none.Key()
	return API{
		Key: key, Min: low, Max: high, ListedMin: low, Differences: differences,
		Handle: func(ctx context.Context, c *Conn, req kmsg.Request) (kmsg.Response, error) {
			q, ok := req.(Q)
			if !ok {
				return nil, wire.Errorf(wire.UnknownServerError, "a request of type %T came to the handler of API key %d", req, key)
			}
			return serve(ctx, c, q)
		},
	}
}
