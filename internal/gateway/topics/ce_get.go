package topics

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/bus"
	"ottla/internal/event/place"
	"ottla/internal/event/tail"
	"ottla/internal/gateway/rest"
)

// getEvents gives events: a batch, one in either mode, or a stream.
func (d *door) getEvents(w http.ResponseWriter, r *http.Request) error {
	topic, err := d.topicOf(r)
	switch {
	case err != nil:
		return err
	case topic == "":
		tellBatch(w, nil)
		return nil
	}
	if wants(r, typeStream) {
		return d.stream(w, r, topic, func(dst []byte, rec *kgo.Record) ([]byte, error) {
			return place.Event(rec).AppendCloudEvent(dst), nil
		})
	}
	mode := r.URL.Query().Get("mode")
	switch mode {
	case "":
		if wants(r, typeEvent) {
			mode = "structured"
		}
	case "binary", "structured", "batch":
	default:
		return rest.Invalid("mode=%.40s: want binary, structured or batch", mode)
	}
	most := tail.MostRecords
	if mode == "binary" || mode == "structured" {
		most = 1
	}
	a, err := d.ask(r, most)
	if err != nil {
		return err
	}
	ctx, cancel := ending(r)
	defer cancel()
	page, err := d.Topics.Read(ctx, topic, a)
	if err != nil {
		return err
	}
	w.Header().Set(nextHeader, page.Next.String())
	if most > 1 {
		tellBatch(w, page.Records)
		return nil
	}
	if len(page.Records) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	e := place.Event(page.Records[0])
	body := e.Data
	if mode == "binary" {
		setBinary(w.Header(), e)
	} else {
		body = e.AppendCloudEvent(nil)
		w.Header().Set("Content-Type", typeEvent)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // a client that has gone needs no answer
	return nil
}

func tellBatch(w http.ResponseWriter, all []*kgo.Record) {
	body := []byte{'['}
	for i, rec := range all {
		if i > 0 {
			body = append(body, ',')
		}
		body = place.Event(rec).AppendCloudEvent(body)
	}
	body = append(body, ']')
	w.Header().Set("Content-Type", typeBatch)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = bytes.NewReader(body).WriteTo(w) // a client that has gone needs no answer
}

// topicOf is the topic of the request's bus, or the topic itself; "" where nothing has
// been put into the default bus yet, and the caller does not wait. To wait for its
// events is a use of it, so it is made.
func (d *door) topicOf(r *http.Request) (string, error) {
	ref, topic, err := d.find(r)
	if err != nil || topic != "" {
		return topic, err
	}
	b, err := d.Buses.Get(r.Context(), ref)
	if err != nil || b.Version > 0 {
		return b.Topic, err
	}
	if !wants(r, typeStream) && !r.URL.Query().Has("wait") {
		return "", nil
	}
	if b, err = d.Buses.Create(r.Context(), ref, bus.Spec{}); errors.Is(err, bus.ErrExists) { // somebody was faster
		b, err = d.Buses.Get(r.Context(), ref)
	}
	return b.Topic, err
}
