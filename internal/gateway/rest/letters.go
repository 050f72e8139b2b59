package rest

import (
	"net/http"
	"unicode/utf8"

	"ottla/internal/event/letter"
	"ottla/internal/event/queue"
)

// Letter is a message as it lies in a queue. What it does not say of where it came
// from is left out: it is no dead letter then, or does not tell.
type Letter struct {
	// Letter names its place: TOPIC-PARTITION@OFFSET.
	Letter     string `json:"letter"`
	Topic      string `json:"topic"`
	Partition  int32  `json:"partition"`
	Offset     int64  `json:"offset"`
	ID         string `json:"id"`
	TimeMs     int64  `json:"time_ms"` // when it came there
	SentMs     int64  `json:"sent_ms"`
	Origin     string `json:"origin,omitempty"` // as Letter is
	OriginOf   string `json:"origin_topic,omitempty"`
	Group      string `json:"group,omitempty"` // that gave it up
	Reason     string `json:"reason,omitempty"`
	Deliveries *int64 `json:"deliveries,omitempty"` // before that
	// Condition is waiting, in_flight, delayed, behind (an earlier one of its
	// group is not done) or dying; UntilMs when that ends by itself.
	Condition string `json:"condition"`
	UntilMs   int64  `json:"until_ms,omitempty"`
	Taken     int32  `json:"taken"` // how often, here
	Key       *Text  `json:"key,omitempty"`
	Body      *Text  `json:"body,omitempty"`
	// Headers are the record's own, those of KIP-1191 not among them.
	Headers []NamedText `json:"headers,omitempty"`
}

// Text is bytes: as text, or where they are no UTF-8 as Base64.
type Text struct {
	Text   *string `json:"text,omitempty"`
	Base64 []byte  `json:"base64,omitempty"`
}

// NamedText is a header.
type NamedText struct {
	Name string `json:"name"`
	Text
}

// Letters is one page of them.
type Letters struct {
	Letters []Letter `json:"letters"`
	Next    string   `json:"next,omitempty"`
}

// Revised names the record that a mended letter became.
type Revised struct {
	Written string `json:"written"`
}

// Bytes is the inverse of textOf.
func (t *Text) Bytes() []byte {
	switch {
	case t == nil:
		return nil
	case t.Text != nil:
		return []byte(*t.Text)
	}
	return t.Base64
}

func textOf(b []byte) *Text {
	if b == nil {
		return nil
	}
	if utf8.Valid(b) {
		s := string(b)
		return &Text{Text: &s}
	}
	return &Text{Base64: b}
}

// browse lists messages as they lie.
func (d *door) browse(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	found, next, err := d.Queues.Browse(r.Context(), refOf(r), queue.BrowseOptions{Where: q["where"], Max: most, After: q.Get("next")})
	if err != nil {
		return err
	}
	out := Letters{Letters: []Letter{}, Next: next}
	for i := range found {
		out.Letters = append(out.Letters, letterShape(&found[i]))
	}
	answer(w, http.StatusOK, out)
	return nil
}

func letterShape(l *queue.Lying) Letter {
	out := Letter{
		Letter: l.Name(), Topic: l.Topic, Partition: l.Partition, Offset: l.Offset, ID: l.ID, TimeMs: l.Time.UnixMilli(), SentMs: l.SentMs,
		Origin: l.Origin(), OriginOf: l.OriginTopic, Group: l.Group, Reason: l.Reason,
		Condition: string(l.Condition), UntilMs: l.UntilMs, Taken: l.Taken, Key: textOf(l.Key), Body: textOf(l.Value),
	}
	if l.Deliveries >= 0 {
		out.Deliveries = &l.Deliveries
	}
	for _, h := range l.Headers {
		n := NamedText{Name: h.Key}
		if t := textOf(h.Value); t != nil {
			n.Text = *t
		}
		out.Headers = append(out.Headers, n)
	}
	return out
}

// revise puts one message back with another body.
func (d *door) revise(w http.ResponseWriter, r *http.Request) error {
	topic, partition, offset, err := letter.ParseName(r.PathValue("letter"))
	if err != nil {
		return badRequest("%v", err)
	}
	q, err := d.Queues.Get(r.Context(), refOf(r))
	if err != nil {
		return err
	}
	if q.Topic != topic {
		return badRequest("the letter is in the topic %s, and the queue %s is the topic %s", topic, q.Name, q.Topic)
	}
	body, err := read(r, queue.MaxMessageBytes)
	if err != nil {
		return err
	}
	v := queue.Revision{Partition: partition, Offset: offset, Body: body}
	if to := r.URL.Query().Get("to"); to != "" {
		ref := placed(r, to)
		v.To = &ref
	}
	written, err := d.Queues.Revise(r.Context(), refOf(r), v)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, Revised{written})
	return nil
}

// Explained is where a queue stands, and what holds its messages.
type Explained struct {
	Queue
	MostTaken  int32           `json:"most_taken"` // how often a message was taken that is not done, at most
	Partitions []ExplainedPart `json:"partitions"`
}

// ExplainedPart is where a partition of a queue stands.
type ExplainedPart struct {
	Partition int32 `json:"partition"`
	Leader    int32 `json:"leader"` // -1 without one
	// Uncommitted counts offsets that nobody sees before a transaction ends.
	Uncommitted int64  `json:"uncommitted"`
	Locked      int64  `json:"locked"`      // in flight
	MostLocked  int64  `json:"most_locked"` // that may be
	NowMs       int64  `json:"now_ms"`      // the time that until_ms is of
	Holds       []Hold `json:"holds"`
	More        bool   `json:"more,omitempty"` // there are others
}

// Hold is what holds neighbouring messages; see Letter of its fields.
type Hold struct {
	First     int64  `json:"first"`
	Last      int64  `json:"last"`
	Condition string `json:"condition"`
	Taken     int32  `json:"taken"`
	UntilMs   int64  `json:"until_ms,omitempty"`
	Member    string `json:"member,omitempty"` // a share consumer that has them
	Behind    *int64 `json:"behind,omitempty"` // the offset that holds them up
	Group     string `json:"group,omitempty"`  // the message group
}

// explain tells why messages are not taken.
func (d *door) explain(w http.ResponseWriter, r *http.Request) error {
	q, err := d.Queues.Get(r.Context(), refOf(r))
	if err != nil {
		return err
	}
	s, err := d.Queues.Explain(r.Context(), refOf(r))
	if err != nil {
		return err
	}
	out := Explained{Queue: shapeOf(q), MostTaken: s.MostTaken, Partitions: []ExplainedPart{}}
	out.Counts = countsOf(s.Stats)
	for i := range s.Parts {
		p := &s.Parts[i]
		at := ExplainedPart{Partition: p.Partition, Leader: p.Leader, Uncommitted: p.Open, Locked: p.Locked, MostLocked: p.Most, NowMs: p.NowMs, Holds: []Hold{}, More: p.More}
		for k := range p.Holds {
			h := &p.Holds[k]
			one := Hold{First: h.First, Last: h.Last, Condition: string(h.Condition), Taken: h.Taken, UntilMs: h.UntilMs, Member: h.Member, Group: h.Group}
			if h.Behind >= 0 {
				one.Behind = &h.Behind
			}
			at.Holds = append(at.Holds, one)
		}
		out.Partitions = append(out.Partitions, at)
	}
	answer(w, http.StatusOK, out)
	return nil
}

// mostReasons is how many letters of a queue are read to say why they are there.
const mostReasons = 1000

// reasonsOf counts the reasons of the first letters of a queue.
func (d *door) reasonsOf(r *http.Request, ref queue.Ref) (map[string]int, error) {
	found, _, err := d.Queues.Browse(r.Context(), ref, queue.BrowseOptions{Max: mostReasons})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	out := map[string]int{}
	for i := range found {
		out[found[i].Reason]++
	}
	return out, nil
}
