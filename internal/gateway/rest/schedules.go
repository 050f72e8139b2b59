package rest

import (
	"context"
	"net/http"
	"time"

	"ottla/internal/event/schedule"
)

// ScheduleService is what the door asks of schedules; internal/event/schedule
// has it.
type ScheduleService interface {
	Put(ctx context.Context, ref schedule.Ref, spec schedule.Spec) (out schedule.Schedule, created bool, err error)
	Get(ctx context.Context, ref schedule.Ref) (schedule.Schedule, error)
	Delete(ctx context.Context, ref schedule.Ref) error
	Pause(ctx context.Context, ref schedule.Ref) (schedule.Schedule, error)
	Resume(ctx context.Context, ref schedule.Ref) (schedule.Schedule, error)
	List(ctx context.Context, o schedule.ListOptions) (out []schedule.Schedule, next string, err error)
	Next(ctx context.Context, ref schedule.Ref, n int) ([]time.Time, error)
	Preview(ref schedule.Ref, spec schedule.Spec, n int) ([]time.Time, error)

	CreateGroup(ctx context.Context, ref schedule.GroupRef, tags map[string]string) (schedule.Group, error)
	Groups(ctx context.Context, prefix schedule.GroupRef, after string, most int) (out []schedule.Group, next string, err error)
	DeleteGroup(ctx context.Context, ref schedule.GroupRef) error
}

// Schedule is a schedule as it is.
type Schedule struct {
	Group   string `json:"group"`
	Name    string `json:"name"`
	Account string `json:"account"`
	Region  string `json:"region"`
	ARN     string `json:"arn"`
	schedule.Spec
	CreatedMs  int64 `json:"created_ms"`
	ModifiedMs int64 `json:"modified_ms"`
}

// Schedules is one page of schedules.
type Schedules struct {
	Schedules []Schedule `json:"schedules"`
	Next      string     `json:"next,omitempty"`
}

// Runs are the next runs of a schedule, in its time zone.
type Runs struct {
	Runs []time.Time `json:"runs"`
}

// Group is a group of schedules.
type Group struct {
	Name       string            `json:"name"`
	ARN        string            `json:"arn"`
	Tags       map[string]string `json:"tags,omitempty"`
	CreatedMs  int64             `json:"created_ms,omitempty"` // 0 of the default group
	ModifiedMs int64             `json:"modified_ms,omitempty"`
}

// Groups is one page of groups.
type Groups struct {
	Groups []Group `json:"groups"`
	Next   string  `json:"next,omitempty"`
}

// maxRuns is how many runs one answer tells.
const maxRuns = 1000

func (d *door) scheduleRoutes() map[string]handler {
	return map[string]handler{
		"GET /schedule":                        d.listSchedules,
		"PUT /schedule/{group}/{name}":         d.putSchedule,
		"GET /schedule/{group}/{name}":         d.getSchedule,
		"DELETE /schedule/{group}/{name}":      d.deleteSchedule,
		"POST /schedule/{group}/{name}/pause":  d.pauseSchedule,
		"POST /schedule/{group}/{name}/resume": d.resumeSchedule,
		"GET /schedule/{group}/{name}/next":    d.nextRuns,
		"POST /schedule-preview":               d.previewRuns,
		"GET /schedule-group":                  d.listGroups,
		"PUT /schedule-group/{name}":           d.createGroup,
		"DELETE /schedule-group/{name}":        d.deleteGroup,
	}
}

func scheduleRef(r *http.Request) schedule.Ref {
	at := placed(r, "")
	return schedule.Ref{Account: at.Account, Region: at.Region, Group: r.PathValue("group"), Name: r.PathValue("name")}
}

func groupRef(r *http.Request, called string) schedule.GroupRef {
	at := placed(r, "")
	return schedule.GroupRef{Account: at.Account, Region: at.Region, Name: called}
}

func scheduleShape(s schedule.Schedule) Schedule {
	full, ref := s.Full(), schedule.RefOf(s.Full())
	return Schedule{
		Group: ref.Group, Name: ref.Name, Account: full.Account, Region: full.Region, ARN: full.ARN(), Spec: s.Spec,
		CreatedMs: s.Created.UnixMilli(), ModifiedMs: s.Modified.UnixMilli(),
	}
}

func (d *door) listSchedules(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	at, q := placed(r, ""), r.URL.Query()
	found, next, err := d.Schedules.List(r.Context(), schedule.ListOptions{
		Account: at.Account, Region: at.Region, Group: q.Get("group"), Prefix: q.Get("prefix"), After: q.Get("next"), Most: most,
	})
	if err != nil {
		return err
	}
	out := Schedules{Schedules: []Schedule{}, Next: next}
	for _, s := range found {
		out.Schedules = append(out.Schedules, scheduleShape(s))
	}
	answer(w, http.StatusOK, out)
	return nil
}

func readSchedule(r *http.Request) (schedule.Spec, error) {
	var spec schedule.Spec
	body, err := read(r, maxBody)
	if err != nil {
		return spec, err
	}
	return spec, strict(body, &spec)
}

func (d *door) putSchedule(w http.ResponseWriter, r *http.Request) error {
	spec, err := readSchedule(r)
	if err != nil {
		return err
	}
	s, made, err := d.Schedules.Put(r.Context(), scheduleRef(r), spec)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	answer(w, status, scheduleShape(s))
	return nil
}

func (d *door) getSchedule(w http.ResponseWriter, r *http.Request) error {
	return tellSchedule(w, r, d.Schedules.Get)
}

func (d *door) pauseSchedule(w http.ResponseWriter, r *http.Request) error {
	return tellSchedule(w, r, d.Schedules.Pause)
}

func (d *door) resumeSchedule(w http.ResponseWriter, r *http.Request) error {
	return tellSchedule(w, r, d.Schedules.Resume)
}

func tellSchedule(w http.ResponseWriter, r *http.Request, do func(context.Context, schedule.Ref) (schedule.Schedule, error)) error {
	s, err := do(r.Context(), scheduleRef(r))
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, scheduleShape(s))
	return nil
}

func (d *door) deleteSchedule(w http.ResponseWriter, r *http.Request) error {
	if err := d.Schedules.Delete(r.Context(), scheduleRef(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *door) nextRuns(w http.ResponseWriter, r *http.Request) error {
	n, err := count(r, "count", 10, maxRuns)
	if err != nil {
		return err
	}
	runs, err := d.Schedules.Next(r.Context(), scheduleRef(r), n)
	return tellRuns(w, runs, err)
}

// previewRuns tells the runs that a schedule would have; nothing is stored.
func (d *door) previewRuns(w http.ResponseWriter, r *http.Request) error {
	n, err := count(r, "count", 10, maxRuns)
	if err != nil {
		return err
	}
	spec, err := readSchedule(r)
	if err != nil {
		return err
	}
	ref := scheduleRef(r)
	ref.Name = "preview"
	runs, err := d.Schedules.Preview(ref, spec, n)
	return tellRuns(w, runs, err)
}

func tellRuns(w http.ResponseWriter, runs []time.Time, err error) error {
	if err != nil {
		return err
	}
	if runs == nil {
		runs = []time.Time{}
	}
	answer(w, http.StatusOK, Runs{runs})
	return nil
}

func groupShape(g schedule.Group) Group {
	out := Group{Name: g.Full().Name, ARN: g.ARN(), Tags: g.Tags}
	if !g.Created.IsZero() {
		out.CreatedMs, out.ModifiedMs = g.Created.UnixMilli(), g.Modified.UnixMilli()
	}
	return out
}

func (d *door) listGroups(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	found, next, err := d.Schedules.Groups(r.Context(), groupRef(r, q.Get("prefix")), q.Get("next"), most)
	if err != nil {
		return err
	}
	out := Groups{Groups: []Group{}, Next: next}
	for _, g := range found {
		out.Groups = append(out.Groups, groupShape(g))
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (d *door) createGroup(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Tags map[string]string `json:"tags"`
	}
	body, err := read(r, maxBody)
	if err != nil {
		return err
	}
	if len(body) > 0 {
		if err := strict(body, &in); err != nil {
			return err
		}
	}
	g, err := d.Schedules.CreateGroup(r.Context(), groupRef(r, r.PathValue("name")), in.Tags)
	if err != nil {
		return err
	}
	answer(w, http.StatusCreated, groupShape(g))
	return nil
}

func (d *door) deleteGroup(w http.ResponseWriter, r *http.Request) error {
	if err := d.Schedules.DeleteGroup(r.Context(), groupRef(r, r.PathValue("name"))); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
