package api

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
	"ottla/internal/wire/own"
	"ottla/internal/wire/shape"
)

// Decode makes a request from its body with a codec. Counts and lengths of
// Kafka's requests are judged before; the decoders of ours judge for
// themselves. Byte slices of Kafka's requests are views of body, strings are
// not.
func Decode(key, version int16, body []byte) (kmsg.Request, error) {
	var req kmsg.Request
	if key >= wire.OwnFirst {
		req = own.RequestForKey(key)
	} else {
		if err := shape.Check(key, version, body); err != nil {
			return nil, err
		}
		req = kmsg.RequestForKey(key)
	}
	if req == nil {
		return nil, wire.ErrUnknownAPI
	}
	req.SetVersion(version)
	if err := req.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return req, nil
}
