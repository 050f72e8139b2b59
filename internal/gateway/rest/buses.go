package rest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"ottla/internal/event/bus"
	"ottla/internal/event/envelope"
	"ottla/internal/uuid"
)

// BusService is what the door asks of buses; internal/event/bus has it.
type BusService interface {
	Create(ctx context.Context, ref bus.Ref, spec bus.Spec) (bus.Bus, error)
	Get(ctx context.Context, ref bus.Ref) (bus.Bus, error)
	List(ctx context.Context, prefix bus.Ref, after string, most int) (out []bus.Bus, next string, err error)
	Update(ctx context.Context, ref bus.Ref, change func(*bus.Spec) error) (bus.Bus, error)
	Delete(ctx context.Context, ref bus.Ref, force bool) error
	Put(ctx context.Context, entries []bus.Entry) []bus.Result
	Try(ctx context.Context, ref bus.Ref, o bus.TrialOptions) (bus.Trial, error)
	TryRule(ctx context.Context, ref bus.RuleRef, spec bus.RuleSpec, targets []bus.Target, o bus.TrialOptions) (bus.Trial, error)

	ApplyRule(ctx context.Context, ref bus.RuleRef, spec bus.RuleSpec, targets []bus.Target) (r bus.Rule, created bool, err error)
	UpdateRule(ctx context.Context, ref bus.RuleRef, change func(*bus.RuleSpec) error) (bus.Rule, error)
	Rule(ctx context.Context, ref bus.RuleRef) (bus.Rule, error)
	Rules(ctx context.Context, of bus.Ref, prefix, after string, most int) (out []bus.Rule, next string, err error)
	AllRules(ctx context.Context, at bus.Ref) ([]bus.Rule, error)
	DeleteRule(ctx context.Context, ref bus.RuleRef, force bool) error
	PutTargets(ctx context.Context, ref bus.RuleRef, targets []bus.Target) (r bus.Rule, errs []error, err error)
	UpdateTarget(ctx context.Context, ref bus.RuleRef, id string, change func(*bus.Target) error) (bus.Rule, error)
	RemoveTargets(ctx context.Context, ref bus.RuleRef, ids []string) (r bus.Rule, errs []error, err error)
	Standing(ctx context.Context, r bus.Rule) []bus.Standing

	CreateArchive(ctx context.Context, ref bus.NamedRef, spec bus.ArchiveSpec) (bus.Archive, error)
	UpdateArchive(ctx context.Context, ref bus.NamedRef, change func(*bus.ArchiveSpec) error) (bus.Archive, error)
	Archive(ctx context.Context, ref bus.NamedRef) (bus.Archive, error)
	Archives(ctx context.Context, prefix bus.NamedRef, after string, most int) (out []bus.Archive, next string, err error)
	Weigh(ctx context.Context, archives []bus.Archive) ([]bus.Weight, error)
	DeleteArchive(ctx context.Context, ref bus.NamedRef) error
	StartReplay(ctx context.Context, ref bus.NamedRef, spec bus.ReplaySpec) (bus.Replay, error)
	Replay(ctx context.Context, ref bus.NamedRef) (bus.Replay, error)
	Replays(ctx context.Context, prefix bus.NamedRef, after string, most int) (out []bus.Replay, next string, err error)
	PauseReplay(ctx context.Context, ref bus.NamedRef) (bus.Replay, error)
	ResumeReplay(ctx context.Context, ref bus.NamedRef) (bus.Replay, error)
	CancelReplay(ctx context.Context, ref bus.NamedRef) (bus.Replay, error)
	DeleteReplay(ctx context.Context, ref bus.NamedRef) error
}

// Bus is a bus as it is.
type Bus struct {
	Name    string `json:"name"`
	Account string `json:"account"`
	Region  string `json:"region"`
	ARN     string `json:"arn"`
	bus.Spec
	CreatedMs  int64 `json:"created_ms,omitempty"` // 0 of the default bus before it is used
	ModifiedMs int64 `json:"modified_ms,omitempty"`
}

// Buses is one page of buses.
type Buses struct {
	Buses []Bus  `json:"buses"`
	Next  string `json:"next,omitempty"`
}

// PutEvent is what became of an event.
type PutEvent struct {
	ID        string `json:"id,omitempty"`
	Topic     string `json:"topic,omitempty"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Error     *Error `json:"error,omitempty"`
}

func (d *door) busRoutes() map[string]handler {
	return map[string]handler{
		"GET /bus":                   d.listBuses,
		"PUT /bus/{bus}":             d.createBus,
		"GET /bus/{bus}":             d.describeBus,
		"PATCH /bus/{bus}":           d.updateBus,
		"DELETE /bus/{bus}":          d.deleteBus,
		"POST /bus/{bus}/events":     d.putEvents,
		"POST /bus/{bus}/try":        d.tryPattern,
		"POST /pattern-explain":      d.explainPattern,
		"GET /rule":                  d.listAllRules,
		"GET /bus/{bus}/rules":       d.listRules,
		"GET /archive":               d.listArchives,
		"PUT /archive/{name}":        d.createArchive,
		"GET /archive/{name}":        d.describeArchive,
		"PATCH /archive/{name}":      d.updateArchive,
		"DELETE /archive/{name}":     d.deleteArchive,
		"GET /replay":                d.listReplays,
		"PUT /replay/{name}":         d.startReplay,
		"GET /replay/{name}":         d.describeReplay,
		"DELETE /replay/{name}":      d.deleteReplay,
		"POST /replay/{name}/pause":  d.pauseReplay,
		"POST /replay/{name}/resume": d.resumeReplay,
		"POST /replay/{name}/cancel": d.cancelReplay,

		"PUT /bus/{bus}/rules/{rule}":                 d.putRule,
		"GET /bus/{bus}/rules/{rule}":                 d.describeRule,
		"PATCH /bus/{bus}/rules/{rule}":               d.updateRule,
		"DELETE /bus/{bus}/rules/{rule}":              d.deleteRule,
		"POST /bus/{bus}/rules/{rule}/enable":         d.turnRule(func(s *bus.RuleSpec) { s.Disabled = false }),
		"POST /bus/{bus}/rules/{rule}/disable":        d.turnRule(func(s *bus.RuleSpec) { s.Disabled = true }),
		"POST /bus/{bus}/rules/{rule}/pause":          d.turnRule(func(s *bus.RuleSpec) { s.Paused = true }),
		"POST /bus/{bus}/rules/{rule}/resume":         d.turnRule(func(s *bus.RuleSpec) { s.Paused = false }),
		"POST /bus/{bus}/rules/{rule}/explain":        d.explainRule,
		"POST /bus/{bus}/rules/{rule}/try":            d.tryRule,
		"PUT /bus/{bus}/rules/{rule}/targets/{id}":    d.putTarget,
		"PATCH /bus/{bus}/rules/{rule}/targets/{id}":  d.updateTarget,
		"DELETE /bus/{bus}/rules/{rule}/targets/{id}": d.removeTarget,
	}
}

func busRef(r *http.Request, called string) bus.Ref {
	at := placed(r, "")
	return bus.Ref{Account: at.Account, Region: at.Region, Name: called}
}

func busShape(b bus.Bus) Bus {
	full := b.Full()
	out := Bus{Name: full.Name, Account: full.Account, Region: full.Region, ARN: full.ARN(), Spec: b.Spec}
	if b.Version > 0 {
		out.CreatedMs, out.ModifiedMs = b.Created.UnixMilli(), b.Modified.UnixMilli()
	}
	return out
}

func (d *door) listBuses(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	found, next, err := d.Buses.List(r.Context(), busRef(r, q.Get("prefix")), q.Get("next"), most)
	if err != nil {
		return err
	}
	out := Buses{Buses: []Bus{}, Next: next}
	for _, b := range found {
		out.Buses = append(out.Buses, busShape(b))
	}
	answer(w, http.StatusOK, out)
	return nil
}

// readInto reads the fields that are given; the others stay. An empty body gives
// none.
func readInto(r *http.Request, into any) error {
	body, err := read(r, maxBody)
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return err
	}
	return strict(body, into)
}

func (d *door) createBus(w http.ResponseWriter, r *http.Request) error {
	var spec bus.Spec
	if err := readInto(r, &spec); err != nil {
		return err
	}
	b, err := d.Buses.Create(r.Context(), busRef(r, r.PathValue("bus")), spec)
	if err != nil {
		return err
	}
	answer(w, http.StatusCreated, busShape(b))
	return nil
}

func (d *door) describeBus(w http.ResponseWriter, r *http.Request) error {
	b, err := d.Buses.Get(r.Context(), busRef(r, r.PathValue("bus")))
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, busShape(b))
	return nil
}

func (d *door) updateBus(w http.ResponseWriter, r *http.Request) error {
	body, err := read(r, maxBody)
	if err != nil {
		return err
	}
	b, err := d.Buses.Update(r.Context(), busRef(r, r.PathValue("bus")), func(s *bus.Spec) error { return strict(body, s) })
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, busShape(b))
	return nil
}

// forced tells whether what is needed goes as well.
func forced(r *http.Request) bool { return r.URL.Query().Get("force") == "true" }

func (d *door) deleteBus(w http.ResponseWriter, r *http.Request) error {
	if err := d.Buses.Delete(r.Context(), busRef(r, r.PathValue("bus")), forced(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// mostEvents is how many events one request puts.
const mostEvents = 1000

// putEvents puts events in EventBridge's envelope or as CloudEvents: one, or a list.
func (d *door) putEvents(w http.ResponseWriter, r *http.Request) error {
	body, err := read(r, maxBody)
	if err != nil {
		return err
	}
	texts := []json.RawMessage{body}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		if err := json.Unmarshal(body, &texts); err != nil {
			return badRequest("the body is not the JSON that is wanted: %v", err)
		}
	}
	if len(texts) == 0 || len(texts) > mostEvents {
		return badRequest("there are %d events; 1 to %d are possible", len(texts), mostEvents)
	}
	to := busRef(r, r.PathValue("bus"))
	entries := make([]bus.Entry, len(texts))
	for i, text := range texts {
		id, err := drawID()
		if err != nil {
			return err
		}
		e, err := eventOf(text, id)
		if err != nil {
			return badRequest("event %d: %v", i+1, err)
		}
		entries[i] = bus.Entry{Bus: to, Event: e}
	}
	results := d.Buses.Put(r.Context(), entries)
	out, errs := make([]PutEvent, len(results)), make([]error, len(results))
	for i, x := range results {
		out[i], errs[i] = PutEvent{x.ID, x.Topic, x.Partition, x.Offset, d.errorOf(x.Err)}, x.Err
	}
	answer(w, statusOf(errs), struct {
		Events []PutEvent `json:"events"`
	}{out})
	return nil
}

// eventOf reads an event in either form: what has a specversion is a CloudEvent. One
// that has no id gets this one.
func eventOf(text []byte, id string) (*envelope.Event, error) {
	var is struct {
		ID          *string `json:"id"`
		SpecVersion *string `json:"specversion"`
		DetailType  *string `json:"detail-type"`
	}
	if err := json.Unmarshal(text, &is); err != nil {
		return nil, err
	}
	if is.ID == nil {
		begin := bytes.IndexByte(text, '{') + 1 // it is an object
		sep := ","
		if bytes.HasPrefix(bytes.TrimSpace(text[begin:]), []byte("}")) {
			sep = ""
		}
		text = slices.Concat(text[:begin], []byte(`"id":`+strconv.Quote(id)+sep), text[begin:])
	}
	if is.SpecVersion != nil && is.DetailType == nil {
		return envelope.FromCloudEvent(text)
	}
	return envelope.FromEnvelope(text)
}

// drawID is an id for an event that has none.
func drawID() (string, error) {
	id, err := uuid.New(rand.Reader)
	return id.Standard(), err
}
