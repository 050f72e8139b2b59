package rest

import (
	"context"
	"net/http"

	"ottla/internal/event/mapping"
	"ottla/internal/event/name"
)

// MappingService is what the door asks of mappings; internal/event/mapping has it.
type MappingService interface {
	Put(ctx context.Context, ref name.Ref, spec mapping.Spec) (m mapping.Mapping, created bool, err error)
	Get(ctx context.Context, ref name.Ref) (mapping.Mapping, error)
	List(ctx context.Context, prefix name.Ref, after string, most int) (all []mapping.Mapping, next string, err error)
	Pause(ctx context.Context, ref name.Ref, paused bool) (mapping.Mapping, error)
	Delete(ctx context.Context, ref name.Ref) error
	Standing(ref name.Ref) mapping.Standing
}

// Mapping is a mapping as it is.
type Mapping struct {
	Name string `json:"name"`
	ARN  string `json:"arn"`
	mapping.Spec
	CreatedMs  int64 `json:"created_ms"`
	ModifiedMs int64 `json:"modified_ms"`
	// Here tells that the node that answers carries the mapping out: it alone knows the
	// problem, if the last call had one, and since when it has.
	Here    bool   `json:"here"`
	Problem string `json:"problem,omitempty"`
	SinceMs int64  `json:"since_ms,omitempty"`
}

// Mappings is one page of mappings.
type Mappings struct {
	Mappings []Mapping `json:"mappings"`
	Next     string    `json:"next,omitempty"`
}

func (d *door) mappingRoutes() map[string]handler {
	return map[string]handler{
		"GET /mapping":                d.listMappings,
		"PUT /mapping/{name}":         d.putMapping,
		"GET /mapping/{name}":         d.describeMapping,
		"DELETE /mapping/{name}":      d.deleteMapping,
		"POST /mapping/{name}/pause":  d.pauseMapping,
		"POST /mapping/{name}/resume": d.resumeMapping,
	}
}

func mappingRef(r *http.Request, called string) name.Ref {
	at := placed(r, "")
	return name.Ref{Kind: name.Mapping, Account: at.Account, Region: at.Region, Name: called}
}

func (d *door) mappingShape(m mapping.Mapping) Mapping {
	s := d.Mappings.Standing(m.Ref)
	return Mapping{m.Ref.Name, m.Ref.ARN(), m.Spec, m.Created.UnixMilli(), m.Modified.UnixMilli(), s.Here, s.Problem, s.SinceMs}
}

func (d *door) listMappings(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	found, next, err := d.Mappings.List(r.Context(), mappingRef(r, q.Get("prefix")), q.Get("next"), most)
	if err != nil {
		return err
	}
	out := Mappings{Mappings: []Mapping{}, Next: next}
	for _, m := range found {
		out.Mappings = append(out.Mappings, d.mappingShape(m))
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (d *door) putMapping(w http.ResponseWriter, r *http.Request) error {
	var spec mapping.Spec
	if err := readInto(r, &spec); err != nil {
		return err
	}
	m, created, err := d.Mappings.Put(r.Context(), mappingRef(r, r.PathValue("name")), spec)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	answer(w, status, d.mappingShape(m))
	return nil
}

func (d *door) describeMapping(w http.ResponseWriter, r *http.Request) error {
	m, err := d.Mappings.Get(r.Context(), mappingRef(r, r.PathValue("name")))
	return d.tellMapping(w, m, err)
}

func (d *door) pauseMapping(w http.ResponseWriter, r *http.Request) error {
	m, err := d.Mappings.Pause(r.Context(), mappingRef(r, r.PathValue("name")), true)
	return d.tellMapping(w, m, err)
}

func (d *door) resumeMapping(w http.ResponseWriter, r *http.Request) error {
	m, err := d.Mappings.Pause(r.Context(), mappingRef(r, r.PathValue("name")), false)
	return d.tellMapping(w, m, err)
}

func (d *door) tellMapping(w http.ResponseWriter, m mapping.Mapping, err error) error {
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, d.mappingShape(m))
	return nil
}

func (d *door) deleteMapping(w http.ResponseWriter, r *http.Request) error {
	if err := d.Mappings.Delete(r.Context(), mappingRef(r, r.PathValue("name"))); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
