package lambda

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"ottla/internal/event/mapping"
	"ottla/internal/event/name"
	"ottla/internal/gateway/aws/protocol"
)

func refOf(c *protocol.Call, called string) name.Ref {
	return name.Ref{Kind: name.Mapping, Account: c.Account, Region: c.Region, Name: called}
}

// most is how many mappings a page has.
const most = 100

func (d door) create(ctx context.Context, c *protocol.Call, in *written) (*told, error) {
	var spec mapping.Spec
	var err error
	if spec.Source, err = in.source(c); err != nil {
		return nil, err
	}
	if in.Function == "" {
		return nil, invalid("FunctionName is required.")
	}
	if err := in.into(c, &spec); err != nil {
		return nil, err
	}
	if err := in.begins(&spec); err != nil {
		return nil, err
	}
	there, err := d.find(ctx, c, func(m *mapping.Mapping) bool { return m.Source == spec.Source && m.Function == spec.Function })
	if err != nil {
		return nil, err
	}
	if len(there) > 0 {
		return nil, &protocol.Error{Shape: "ResourceConflictException", Status: http.StatusConflict,
			Message: "An event source mapping of " + spec.Source + " and the function " + spec.Function + " already exists. Update or delete the existing mapping with UUID " + there[0].Ref.Name}
	}
	m, _, err := d.o.Mappings.Put(ctx, refOf(c, d.o.NewID()), spec)
	if err != nil {
		return nil, refuse(err)
	}
	return d.tell(&m), nil
}

// find are the mappings that fit.
func (d door) find(ctx context.Context, c *protocol.Call, fits func(*mapping.Mapping) bool) (found []mapping.Mapping, err error) {
	for after := ""; ; {
		page, next, err := d.o.Mappings.List(ctx, refOf(c, ""), after, most)
		if err != nil {
			return nil, refuse(err)
		}
		for i := range page {
			if fits(&page[i]) {
				found = append(found, page[i])
			}
		}
		if after = next; next == "" {
			return found, nil
		}
	}
}

func (d door) get(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*told, error) {
	m, err := d.o.Mappings.Get(ctx, refOf(c, c.Name))
	if err != nil {
		return nil, refuse(err)
	}
	return d.tell(&m), nil
}

func (d door) update(ctx context.Context, c *protocol.Call, in *written) (*told, error) {
	m, err := d.o.Mappings.Update(ctx, refOf(c, c.Name), func(s *mapping.Spec) error { return in.into(c, s) })
	if err != nil {
		return nil, refuse(err)
	}
	return d.tell(&m), nil
}

func (d door) remove(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*told, error) {
	m, err := d.o.Mappings.Get(ctx, refOf(c, c.Name))
	if err == nil {
		err = d.o.Mappings.Delete(ctx, m.Ref)
	}
	if err != nil {
		return nil, refuse(err)
	}
	out := d.tell(&m)
	out.State = "Deleting"
	return out, nil
}

type listed struct {
	Mappings []*told `json:"EventSourceMappings"`
	Next     string  `json:"NextMarker,omitempty"`
}

func (d door) list(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*listed, error) {
	limit := most
	if text := c.Query.Get("MaxItems"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10_000 {
			return nil, invalid("MaxItems is %.32q; 1 to 10000 are possible.", text)
		}
		limit = min(n, most)
	}
	behind, ok := protocol.Behind(c.Query.Get("Marker"))
	if !ok {
		return nil, invalid("Invalid Marker: it is none that was answered.")
	}
	var source, called string
	var err error
	switch arn := c.Query.Get("EventSourceArn"); {
	case strings.Contains(arn, ":cluster/"):
		source = "topic:" // any of this cluster
	case arn != "":
		if source, err = (&written{Source: arn}).source(c); err != nil {
			return nil, err
		}
	}
	if text := c.Query.Get("FunctionName"); text != "" {
		if called, err = function(c, text); err != nil {
			return nil, err
		}
	}
	found, err := d.find(ctx, c, func(m *mapping.Mapping) bool {
		return m.Ref.Name > behind && (m.Source == source || strings.HasPrefix(m.Source, source) && (source == "" || source == "topic:")) && (called == "" || m.Function == called)
	})
	if err != nil {
		return nil, err
	}
	out := &listed{Mappings: []*told{}}
	for i := range found {
		if i == limit {
			out.Next = protocol.Token(found[i-1].Ref.Name)
			break
		}
		out.Mappings = append(out.Mappings, d.tell(&found[i]))
	}
	return out, nil
}
