package clock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"ottla/internal/clock"
	"ottla/internal/gateway/front"
)

// Options make the door.
type Options struct {
	// Clock is nil where it cannot be moved.
	Clock *clock.Clock
	// Trusted takes calls from other machines, too.
	Trusted bool
}

// Shown is the answer to every call.
type Shown struct {
	Now     time.Time `json:"now"`
	NowMs   int64     `json:"now_ms"`
	AheadMs int64     `json:"ahead_ms"` // of the real time
}

// Move is what a POST says; one of the fields.
type Move struct {
	Advance   *string    `json:"advance,omitempty"` // a duration: 90s, 24h, -1h
	AdvanceMs *int64     `json:"advance_ms,omitempty"`
	Set       *time.Time `json:"set,omitempty"` // RFC 3339
}

// Mount puts the door's routes into mux.
func Mount(mux *http.ServeMux, o Options) {
	mux.HandleFunc("GET /clock", func(w http.ResponseWriter, r *http.Request) {
		if err := o.admit(r); err != nil {
			refuse(w, http.StatusForbidden, err)
			return
		}
		o.show(w)
	})
	mux.HandleFunc("POST /clock", o.move)
}

// admit tells whether the caller may call.
func (o Options) admit(r *http.Request) error {
	switch {
	case !o.Trusted && !front.FromHere(r):
		return errors.New("calls are taken from this machine only: there is no login yet")
	case front.FromPage(r):
		return errors.New("a page of another site may not make calls")
	}
	return nil
}

func (o Options) show(w http.ResponseWriter) {
	s := Shown{Now: o.Clock.Now().UTC()}
	s.NowMs = s.Now.UnixMilli()
	if o.Clock != nil {
		s.AheadMs = o.Clock.Ahead().Milliseconds()
	}
	answer(w, http.StatusOK, s)
}

// most bounds a body.
const most = 4 << 10

func (o Options) move(w http.ResponseWriter, r *http.Request) {
	if err := o.admit(r); err != nil {
		refuse(w, http.StatusForbidden, err)
		return
	}
	if o.Clock == nil {
		refuse(w, http.StatusConflict, errors.New("the clock of this node is the real one: it can be moved in ottla dev --ephemeral, and by who embeds a node"))
		return
	}
	by, set, err := readMove(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if err := o.within(by, set); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if set != nil {
		err = o.Clock.Set(r.Context(), *set)
	} else {
		err = o.Clock.Advance(r.Context(), by)
	}
	if err != nil {
		refuse(w, http.StatusInternalServerError, fmt.Errorf("the clock has moved, and not all that is due has settled: %w", err))
		return
	}
	o.show(w)
}

// The years that the clock may show: those of schedules.
const (
	firstYear = 1970
	lastYear  = 2199
)

// within refuses moves to where nothing has a time.
func (o Options) within(by time.Duration, set *time.Time) error {
	to := o.Clock.Now().Add(by)
	if set != nil {
		to = *set
	}
	if y := to.UTC().Year(); y < firstYear || y > lastYear {
		return fmt.Errorf("the clock would show %s: it goes from %d to %d", to.UTC().Format(time.RFC3339), firstYear, lastYear)
	}
	return nil
}

// readMove reads what a POST says.
func readMove(body io.Reader) (by time.Duration, set *time.Time, err error) {
	b, err := io.ReadAll(body)
	if err != nil {
		return 0, nil, fmt.Errorf("read the request: %w", err)
	}
	var m Move
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return 0, nil, fmt.Errorf("the request is not %s: %w", `{"advance":"24h"}, {"advance_ms":1000} or {"set":"2030-01-01T00:00:00Z"}`, err)
	}
	switch {
	case m.Advance != nil && m.AdvanceMs == nil && m.Set == nil:
		by, err = time.ParseDuration(*m.Advance)
		if err != nil {
			err = fmt.Errorf("advance: %w", err)
		}
	case m.Advance == nil && m.AdvanceMs != nil && m.Set == nil:
		if by = time.Duration(*m.AdvanceMs) * time.Millisecond; by.Milliseconds() != *m.AdvanceMs {
			err = fmt.Errorf("advance_ms: %d is more than 292 years", *m.AdvanceMs)
		}
	case m.Advance == nil && m.AdvanceMs == nil && m.Set != nil:
		set = m.Set
	default:
		err = errors.New(`say one of "advance", "advance_ms" and "set"`)
	}
	return by, set, err
}

func refuse(w http.ResponseWriter, status int, err error) {
	answer(w, status, struct {
		Message string `json:"message"`
	}{err.Error()})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that is gone is nobody's trouble.
	_ = json.NewEncoder(w).Encode(v)
}
