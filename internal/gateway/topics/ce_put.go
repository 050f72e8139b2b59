package topics

import (
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/bus"
	"ottla/internal/event/envelope"
	"ottla/internal/event/place"
	"ottla/internal/event/tail"
	"ottla/internal/gateway/rest"
)

// The content types of structured mode and of batches.
const (
	typeEvent = "application/cloudevents+json"
	typeBatch = "application/cloudevents-batch+json"
)

// Puts answers a batch, in its order.
type Puts struct {
	Events []Put `json:"events"`
}

// putEvents takes one event, or a batch.
func (d *door) putEvents(w http.ResponseWriter, r *http.Request) error {
	body, err := rest.Body(r, maxBody)
	if err != nil {
		return err
	}
	all, batch, err := events(r.Header, body)
	if err != nil {
		return err
	}
	for i, e := range all {
		if err := e.Check(); err != nil && batch {
			return rest.Invalid("event %d: %v", i+1, err)
		} else if err != nil {
			return rest.Invalid("%v", err)
		}
	}
	done, errs, err := d.putAll(r, all)
	if err != nil {
		return err
	}
	if !batch {
		if errs[0] != nil {
			return errs[0]
		}
		rest.Tell(w, http.StatusAccepted, done[0])
		return nil
	}
	status := rest.StatusOf(errs)
	if status == http.StatusOK {
		status = http.StatusAccepted
	}
	rest.Tell(w, status, Puts{done})
	return nil
}

// events reads a request's events.
func events(h http.Header, body []byte) (all []*envelope.Event, batch bool, err error) {
	kind, parameters, _ := mime.ParseMediaType(h.Get("Content-Type"))
	if strings.HasPrefix(kind, "application/cloudevents") {
		if c := parameters["charset"]; c != "" && !strings.EqualFold(c, "utf-8") {
			return nil, false, rest.Refusal(http.StatusUnsupportedMediaType, "INVALID", "the charset is "+c+"; events in JSON are UTF-8", "")
		}
	}
	switch kind {
	case typeEvent:
		e, err := envelope.FromCloudEvent(body)
		if err != nil {
			return nil, false, rest.Invalid("%v", err)
		}
		return []*envelope.Event{e}, false, nil
	case typeBatch:
		if all, err = envelope.FromBatch(body, mostPut); err != nil {
			return nil, true, rest.Invalid("%v", err)
		}
		return all, true, nil
	}
	if strings.HasPrefix(kind, "application/cloudevents") {
		return nil, false, rest.Refusal(http.StatusUnsupportedMediaType, "INVALID", kind+" is no form of events that is taken: want "+typeEvent+", "+typeBatch+" or ce- headers", "")
	}
	e, err := binary(h, body)
	return []*envelope.Event{e}, false, err
}

// putAll puts events into the bus of the request's name, or into the topic where there
// is no such bus.
func (d *door) putAll(r *http.Request, all []*envelope.Event) ([]Put, []error, error) {
	out, errs := make([]Put, len(all)), make([]error, len(all))
	if len(all) == 0 {
		return out, errs, nil
	}
	ref, topic, err := d.find(r)
	if err != nil {
		return nil, nil, err
	}
	if topic == "" {
		entries := make([]bus.Entry, len(all))
		for i, e := range all {
			entries[i] = bus.Entry{Bus: ref, Event: e}
		}
		for i, one := range d.Buses.Put(r.Context(), entries) {
			out[i], errs[i] = d.eventPut(all[i], one.Topic, tail.Written{Partition: one.Partition, Offset: one.Offset, Err: one.Err}), refusal(one.Err)
		}
		return out, errs, nil
	}
	if r.URL.Query().Get("create") == "false" { // a name that is mistyped shall not become a topic that nobody reads
		switch err := d.Topics.There(r.Context(), topic); {
		case errors.Is(err, tail.ErrNotFound):
			return nil, nil, rest.Refusal(http.StatusNotFound, "BUS_NOT_FOUND", "there is no bus and no topic "+topic, "make it with \"ottla bus create "+topic+"\"; \"ottla bus list\" shows those that are there")
		case err != nil:
			return nil, nil, err
		}
	}
	records := make([]*kgo.Record, len(all))
	for i, e := range all {
		if key := e.Extension(envelope.PartitionKey); key != "" {
			e.Key = []byte(key)
		}
		records[i] = place.Record(topic, e)
	}
	done, err := d.Topics.Write(r.Context(), topic, records)
	if err != nil {
		return nil, nil, err
	}
	for i, one := range done {
		out[i], errs[i] = d.eventPut(all[i], topic, one), refusal(one.Err)
	}
	return out, errs, nil
}

func (d *door) eventPut(e *envelope.Event, topic string, w tail.Written) Put {
	p := d.putOf(topic, w)
	if p.Error == nil {
		p.ID = e.ID
	}
	return p
}

// find tells whether a name is a bus's, and if not, the topic that it is.
func (d *door) find(r *http.Request) (ref bus.Ref, topic string, err error) {
	called := r.PathValue("name")
	ref = bus.Ref{Account: r.URL.Query().Get("account"), Region: r.URL.Query().Get("region"), Name: called}
	if d.Buses == nil {
		return ref, called, nil
	}
	_, err = d.Buses.Get(r.Context(), ref)
	switch {
	case errors.Is(err, bus.ErrNotFound) && ref.Account == "" && ref.Region == "", errors.Is(err, bus.ErrInvalid):
		return ref, called, nil
	case err != nil:
		return ref, "", err
	}
	return ref, "", nil
}
