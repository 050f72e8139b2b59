package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"ottla/internal/event/queue"
)

// send takes the body as one message, or, where it has lines of JSON, as many.
func (d *door) send(w http.ResponseWriter, r *http.Request) error {
	if isLines(r.Header.Get("Content-Type")) {
		return d.sendLines(w, r)
	}
	body, err := read(r, queue.MaxMessageBytes)
	if err != nil {
		return err
	}
	m := queue.Message{Body: body, DelayMs: -1}
	q := r.URL.Query()
	m.Group, m.DedupID = q.Get("group"), q.Get("dedup")
	if m.DelayMs, err = duration(r, "delay", -1); err != nil {
		return err
	}
	for k, v := range q {
		if called, ok := strings.CutPrefix(k, "attr."); ok {
			if m.Attributes == nil {
				m.Attributes = map[string]queue.Attribute{}
			}
			m.Attributes[called] = queue.Attribute{Type: "String", Value: []byte(v[0])}
		}
	}
	done, err := d.Queues.Send(r.Context(), refOf(r), []queue.Message{m})
	if err != nil {
		return err
	}
	if err := done[0].Err; err != nil {
		return err
	}
	answer(w, http.StatusOK, Sent{ID: done[0].ID, Sequence: done[0].Sequence})
	return nil
}

func (d *door) sendLines(w http.ResponseWriter, r *http.Request) error {
	body, err := read(r, maxBody)
	if err != nil {
		return err
	}
	var all []Message
	for i, line := range bytes.Split(body, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var m Message
		if err := strict(line, &m); err != nil {
			return badRequest("line %d: %v", i+1, err)
		}
		all = append(all, m)
	}
	done, errs, err := d.sendAll(r, all)
	if err != nil {
		return err
	}
	answerLines(w, statusOf(errs), done)
	return nil
}

func (d *door) sendBatch(w http.ResponseWriter, r *http.Request) error {
	body, err := read(r, maxBody)
	if err != nil {
		return err
	}
	var in Messages
	if err := strict(body, &in); err != nil {
		return err
	}
	done, errs, err := d.sendAll(r, in.Messages)
	if err != nil {
		return err
	}
	answer(w, statusOf(errs), AllSent{done})
	return nil
}

// sendAll sends messages and tells of each what became of it.
func (d *door) sendAll(r *http.Request, all []Message) ([]Sent, []error, error) {
	if len(all) == 0 || len(all) > queue.MostSent {
		return nil, nil, badRequest("%d messages: 1 to %d are possible at once", len(all), queue.MostSent)
	}
	messages := make([]queue.Message, len(all))
	for i := range all {
		m, err := all[i].message()
		if err != nil {
			return nil, nil, badRequest("message %d: %v", i+1, err)
		}
		messages[i] = m
	}
	done, err := d.Queues.Send(r.Context(), refOf(r), messages)
	if err != nil {
		return nil, nil, err
	}
	out, errs := make([]Sent, len(done)), make([]error, len(done))
	for i, s := range done {
		out[i], errs[i] = Sent{ID: s.ID, Sequence: s.Sequence, Error: d.errorOf(s.Err)}, s.Err
	}
	return out, errs, nil
}

// message turns JSON into a message.
func (m *Message) message() (queue.Message, error) {
	out := queue.Message{Group: m.Group, DedupID: m.Dedup, DelayMs: -1, Body: m.Base64}
	if m.DelayMs != nil {
		out.DelayMs = *m.DelayMs
	}
	if m.Body != nil {
		if m.Base64 != nil {
			return out, fmt.Errorf("it has both body and body_base64")
		}
		out.Body = m.Body
		if m.Body[0] == '"' {
			var text string
			if err := json.Unmarshal(m.Body, &text); err != nil {
				return out, fmt.Errorf("body: %w", err)
			}
			out.Body = []byte(text)
		}
	}
	if out.Body == nil {
		return out, fmt.Errorf("it has neither body nor body_base64")
	}
	for called, a := range m.Attributes {
		if out.Attributes == nil {
			out.Attributes = map[string]queue.Attribute{}
		}
		v := queue.Attribute{Type: a.Type, Value: []byte(a.Value)}
		if a.Base64 != nil {
			v.Value = a.Base64
		}
		if v.Type == "" {
			v.Type = "String"
			if a.Base64 != nil {
				v.Type = "Binary"
			}
		}
		out.Attributes[called] = v
	}
	return out, nil
}
