package rest

import (
	"context"
	"net/http"

	"ottla/internal/event/bus"
)

// Archive is an archive as it is.
type Archive struct {
	Name string `json:"name"`
	ARN  string `json:"arn"`
	bus.ArchiveSpec
	// Events and Bytes are what it has now, where that was asked for and can be told;
	// Estimated says that not all events were counted.
	Events     *int64 `json:"events,omitempty"`
	Estimated  bool   `json:"events_estimated,omitempty"`
	Bytes      *int64 `json:"bytes,omitempty"`
	CreatedMs  int64  `json:"created_ms"`
	ModifiedMs int64  `json:"modified_ms"`
}

// Archives is one page of archives.
type Archives struct {
	Archives []Archive `json:"archives"`
	Next     string    `json:"next,omitempty"`
}

// Replay is a replay as it is.
type Replay struct {
	Name string `json:"name"`
	ARN  string `json:"arn"`
	bus.ReplaySpec
	State     string `json:"state"`
	Read      int64  `json:"read"`   // records that were looked at
	Of        int64  `json:"of"`     // records that there are
	Events    int64  `json:"events"` // that were replayed
	StartedMs int64  `json:"started_ms"`
	EndedMs   int64  `json:"ended_ms,omitempty"`
}

// Replays is one page of replays.
type Replays struct {
	Replays []Replay `json:"replays"`
	Next    string   `json:"next,omitempty"`
}

func namedRef(r *http.Request, called string) bus.NamedRef {
	at := placed(r, "")
	return bus.NamedRef{Account: at.Account, Region: at.Region, Name: called}
}

func archiveShape(a bus.Archive) Archive {
	return Archive{Name: a.Name, ARN: a.Full().ARN(), ArchiveSpec: a.ArchiveSpec, CreatedMs: a.Created.UnixMilli(), ModifiedMs: a.Modified.UnixMilli()}
}

// weighed are archives with how much they have; what cannot be told now is left out.
func (d *door) weighed(ctx context.Context, found []bus.Archive) []Archive {
	out := make([]Archive, len(found))
	weights, err := d.Buses.Weigh(ctx, found)
	if err != nil {
		d.Logger.Warn("how much some archives have is not told", "err", err)
	}
	for i, a := range found {
		if out[i] = archiveShape(a); !weights[i].Unknown {
			out[i].Events, out[i].Bytes, out[i].Estimated = &weights[i].Events, &weights[i].Bytes, !weights[i].Exact
		}
	}
	return out
}

func replayShape(x bus.Replay) Replay {
	return Replay{
		Name: x.Name, ARN: x.Full().ARN(), ReplaySpec: x.ReplaySpec, State: x.State, Read: x.Progress.Read, Of: x.Progress.Of,
		Events: x.Progress.Events, StartedMs: x.Started.UnixMilli(), EndedMs: x.EndedMs,
	}
}

func (d *door) listArchives(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	found, next, err := d.Buses.Archives(r.Context(), namedRef(r, q.Get("prefix")), q.Get("next"), most)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, Archives{Archives: d.weighed(r.Context(), found), Next: next})
	return nil
}

func (d *door) createArchive(w http.ResponseWriter, r *http.Request) error {
	spec := bus.ArchiveSpec{Bus: busRef(r, bus.Default)}
	if err := readInto(r, &spec); err != nil {
		return err
	}
	a, err := d.Buses.CreateArchive(r.Context(), namedRef(r, r.PathValue("name")), spec)
	if err != nil {
		return err
	}
	answer(w, http.StatusCreated, archiveShape(a))
	return nil
}

func (d *door) describeArchive(w http.ResponseWriter, r *http.Request) error {
	a, err := d.Buses.Archive(r.Context(), namedRef(r, r.PathValue("name")))
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, d.weighed(r.Context(), []bus.Archive{a})[0])
	return nil
}

func tellArchive(w http.ResponseWriter, a bus.Archive, err error) error {
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, archiveShape(a))
	return nil
}

func (d *door) updateArchive(w http.ResponseWriter, r *http.Request) error {
	body, err := read(r, maxBody)
	if err != nil {
		return err
	}
	a, err := d.Buses.UpdateArchive(r.Context(), namedRef(r, r.PathValue("name")), func(s *bus.ArchiveSpec) error { return strict(body, s) })
	return tellArchive(w, a, err)
}

func (d *door) deleteArchive(w http.ResponseWriter, r *http.Request) error {
	if err := d.Buses.DeleteArchive(r.Context(), namedRef(r, r.PathValue("name"))); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *door) listReplays(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	found, next, err := d.Buses.Replays(r.Context(), namedRef(r, q.Get("prefix")), q.Get("next"), most)
	if err != nil {
		return err
	}
	out := Replays{Replays: []Replay{}, Next: next}
	for _, x := range found {
		out.Replays = append(out.Replays, replayShape(x))
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (d *door) startReplay(w http.ResponseWriter, r *http.Request) error {
	spec := bus.ReplaySpec{Bus: busRef(r, bus.Default)}
	if err := readInto(r, &spec); err != nil {
		return err
	}
	x, err := d.Buses.StartReplay(r.Context(), namedRef(r, r.PathValue("name")), spec)
	if err != nil {
		return err
	}
	answer(w, http.StatusCreated, replayShape(x))
	return nil
}

func (d *door) describeReplay(w http.ResponseWriter, r *http.Request) error {
	return tellReplay(w, r, d.Buses.Replay)
}

func (d *door) pauseReplay(w http.ResponseWriter, r *http.Request) error {
	return tellReplay(w, r, d.Buses.PauseReplay)
}

func (d *door) resumeReplay(w http.ResponseWriter, r *http.Request) error {
	return tellReplay(w, r, d.Buses.ResumeReplay)
}

func (d *door) cancelReplay(w http.ResponseWriter, r *http.Request) error {
	return tellReplay(w, r, d.Buses.CancelReplay)
}

func tellReplay(w http.ResponseWriter, r *http.Request, do func(context.Context, bus.NamedRef) (bus.Replay, error)) error {
	x, err := do(r.Context(), namedRef(r, r.PathValue("name")))
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, replayShape(x))
	return nil
}

func (d *door) deleteReplay(w http.ResponseWriter, r *http.Request) error {
	if err := d.Buses.DeleteReplay(r.Context(), namedRef(r, r.PathValue("name"))); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
