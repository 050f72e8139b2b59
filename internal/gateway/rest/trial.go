package rest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"ottla/internal/event/bus"
	"ottla/internal/event/plan"
)

// Trial is what a pattern, or a rule, would have taken of the last events of a bus.
type Trial struct {
	Read    int           `json:"read"`
	Matched int           `json:"matched"`
	FirstMs int64         `json:"first_ms,omitempty"`
	LastMs  int64         `json:"last_ms,omitempty"`
	Targets []TrialTarget `json:"targets,omitempty"` // of a rule
	Samples []TrialSample `json:"samples"`
}

// TrialTarget is what would have become of the events at one target.
type TrialTarget struct {
	ID      string `json:"id"`
	To      string `json:"to"`
	Sent    int    `json:"sent"`
	Dead    int    `json:"dead"`    // dead letters
	Dropped int    `json:"dropped"` // given up, and there is no queue for dead letters
	Retried int    `json:"retried"` // its place takes nothing now
	Why     string `json:"why,omitempty"`
}

// TrialSample is an event that fits, as targets would see it.
type TrialSample struct {
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	Event     json.RawMessage `json:"event"`
	Sends     []Sending       `json:"sends,omitempty"` // of a rule
}

// Sending is what a target would have got of an event.
type Sending struct {
	Target     string             `json:"target"`
	Result     string             `json:"result"`
	Why        string             `json:"why,omitempty"`
	Method     string             `json:"method,omitempty"`
	URL        string             `json:"url,omitempty"`
	Authorized bool               `json:"authorized,omitempty"` // by a connection, whose header is not told
	Key        string             `json:"key,omitempty"`
	Group      string             `json:"group,omitempty"`
	DedupID    string             `json:"dedup_id,omitempty"`
	Headers    []SendingHeader    `json:"headers,omitempty"`
	Attributes []SendingAttribute `json:"attributes,omitempty"`
	Body       string             `json:"body,omitempty"`
	BodyBase64 string             `json:"body_base64,omitempty"` // of what is no text
}

// SendingHeader is a header of a record or a call.
type SendingHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// SendingAttribute is an attribute of a message; one of type Binary in base64.
type SendingAttribute struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

// trialOptions are how many events are looked at, and told.
func trialOptions(r *http.Request) (o bus.TrialOptions, err error) {
	if o.Last, err = count(r, "last", 1000, 1_000_000); err != nil {
		return o, err
	}
	o.Samples, err = count(r, "samples", 3, 100)
	o.Replay = r.URL.Query().Get("replay")
	return o, err
}

// tryPattern tells what a pattern would have taken of the last events of a bus.
func (d *door) tryPattern(w http.ResponseWriter, r *http.Request) error {
	o, err := trialOptions(r)
	if err != nil {
		return err
	}
	body, err := read(r, maxBody)
	if err != nil {
		return err
	}
	o.Pattern = string(body)
	t, err := d.Buses.Try(r.Context(), busRef(r, r.PathValue("bus")), o)
	return tellTrial(w, &t, err)
}

// tryRule tells what a rule, which need not be there, would have sent of them.
func (d *door) tryRule(w http.ResponseWriter, r *http.Request) error {
	o, err := trialOptions(r)
	if err != nil {
		return err
	}
	var in PutRule
	if err := readInto(r, &in); err != nil {
		return err
	}
	t, err := d.Buses.TryRule(r.Context(), ruleRef(r), in.RuleSpec, in.Targets, o)
	return tellTrial(w, &t, err)
}

func tellTrial(w http.ResponseWriter, t *bus.Trial, err error) error {
	if err != nil {
		return err
	}
	out := Trial{Read: t.Read, Matched: t.Matched, FirstMs: t.FirstMs, LastMs: t.LastMs, Samples: []TrialSample{}}
	for _, g := range t.Targets {
		out.Targets = append(out.Targets, TrialTarget(g))
	}
	for _, s := range t.Samples {
		x := TrialSample{Partition: s.Partition, Offset: s.Offset, Event: s.Event.AppendEnvelope(nil)}
		for i := range s.Sendings {
			x.Sends = append(x.Sends, sendingShape(&s.Sendings[i]))
		}
		out.Samples = append(out.Samples, x)
	}
	answer(w, http.StatusOK, out)
	return nil
}

func sendingShape(s *bus.Sending) Sending {
	out := Sending{
		Target: s.Target, Result: s.Does, Why: s.Why, Method: s.Method, URL: s.URL, Authorized: s.Authorized, Key: string(s.Key), Group: s.Group, DedupID: s.DedupID,
	}
	for _, h := range s.Headers {
		out.Headers = append(out.Headers, SendingHeader(h))
	}
	for _, a := range s.Attributes {
		out.Attributes = append(out.Attributes, SendingAttribute{a.Name, a.Type, attributeText(&a)})
	}
	if utf8.Valid(s.Body) {
		out.Body = string(s.Body)
	} else {
		out.BodyBase64 = base64.StdEncoding.EncodeToString(s.Body)
	}
	return out
}

func attributeText(a *plan.Attribute) string {
	if a.Type == "Binary" || !utf8.Valid(a.Value) {
		return base64.StdEncoding.EncodeToString(a.Value)
	}
	return string(a.Value)
}
