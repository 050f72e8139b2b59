package events

import (
	"context"
	"encoding/json"

	"ottla/internal/event/bus"
	"ottla/internal/gateway/aws/protocol"
)

type tryIn struct {
	Pattern string `json:"EventPattern"`
	Event   string `json:"Event"`
}

type tryOut struct {
	Result bool `json:"Result"`
}

// mustHave are the members without which TestEventPattern takes no event.
var mustHave = []string{"id", "account", "source", "time", "region", "resources", "detail-type"}

func (d door) testPattern(_ context.Context, _ *protocol.Call, in *tryIn) (*tryOut, error) {
	var b broken
	if in.Pattern == "" {
		b.Null("eventPattern")
	}
	b.Length("eventPattern", in.Pattern, 0, maxPattern)
	if in.Event == "" {
		b.Null("event")
	}
	if err := b.Err(); err != nil {
		return nil, err
	}
	p, err := bus.ParsePattern(in.Pattern)
	if err != nil {
		return nil, refusePattern(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(in.Event), &members); err != nil || members == nil {
		return nil, invalid("Parameter Event is not valid. Reason: it is not a JSON object.")
	}
	for _, name := range mustHave {
		if _, ok := members[name]; !ok {
			return nil, invalid("Parameter Event is not valid. Reason: it lacks the member %s; it must have id, account, source, time, region, resources and detail-type.", name)
		}
	}
	fits, err := p.Matches([]byte(in.Event))
	if err != nil {
		return nil, invalid("Parameter Event is not valid. Reason: %v", err)
	}
	return &tryOut{fits}, nil
}
