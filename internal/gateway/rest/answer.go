package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"ottla/internal/event/bus"
	"ottla/internal/event/connection"
	"ottla/internal/event/lookback"
	"ottla/internal/event/mapping"
	"ottla/internal/event/object"
	"ottla/internal/event/queue"
	"ottla/internal/event/schedule"
	"ottla/internal/event/sns"
	"ottla/internal/gateway/front"
)

// maxBody bounds a request's body.
const maxBody = 8 << 20

const (
	typeJSON  = "application/json"
	typeLines = "application/x-ndjson"
)

// problem is an Error with its status and what caused it, for the log.
type problem struct {
	status int
	told   Error
	cause  error
}

// Error tells the code and the message.
func (p *problem) Error() string { return p.told.Code + ": " + p.told.Message }

// Unwrap gives the cause.
func (p *problem) Unwrap() error { return p.cause }

// badRequest says what cannot be read.
func badRequest(format string, args ...any) *problem {
	return &problem{http.StatusBadRequest, Error{Code: "INVALID", Message: fmt.Sprintf(format, args...)}, nil}
}

// meanings are the codes of errors.
var meanings = []struct {
	err    error
	status int
	code   string
	hint   string
}{
	{queue.ErrNotFound, http.StatusNotFound, "QUEUE_NOT_FOUND", "make it with PUT /q/NAME, or see GET /q"},
	{queue.ErrExists, http.StatusConflict, "QUEUE_EXISTS", "change it with PATCH /q/NAME"},
	{queue.ErrTooLarge, http.StatusRequestEntityTooLarge, "TOO_LARGE", "raise max_message_bytes of the queue"},
	{queue.ErrReceipt, http.StatusBadRequest, "RECEIPT_INVALID", ""},
	{queue.ErrStale, http.StatusConflict, "RECEIPT_STALE", "the message is done, or somebody else has it"},
	{queue.ErrTooMany, http.StatusTooManyRequests, "TOO_MANY_IN_FLIGHT", "acknowledge what was taken"},
	{queue.ErrBusy, http.StatusConflict, "MOVE_RUNNING", "see GET /q/NAME/moves"},
	{queue.ErrInvalid, http.StatusBadRequest, "INVALID", ""},
	{object.ErrInvalid, http.StatusBadRequest, "INVALID", ""}, // of buses, what they have, and schedules
	{schedule.ErrNotFound, http.StatusNotFound, "SCHEDULE_NOT_FOUND", "see GET /schedule, and of groups GET /schedule-group"},
	{schedule.ErrExists, http.StatusConflict, "SCHEDULE_EXISTS", "see GET /schedule-group"},
	{schedule.ErrConflict, http.StatusConflict, "CHANGED_MEANWHILE", "read it again and repeat the change"},
	{schedule.ErrUnavailable, http.StatusServiceUnavailable, "UNAVAILABLE", "try again"},
	{bus.ErrNotFound, http.StatusNotFound, "NOT_FOUND", "see GET /bus and GET /rule"},
	{bus.ErrExists, http.StatusConflict, "EXISTS", "change it with PATCH"},
	{bus.ErrOver, http.StatusConflict, "OVER", "start another with PUT /replay/NAME"},
	{bus.ErrInUse, http.StatusConflict, "IN_USE", "?force=true deletes what it has with it"},
	{bus.ErrManaged, http.StatusConflict, "MANAGED", "change the archive"},
	{bus.ErrLimit, http.StatusConflict, "LIMIT", "delete others"},
	{bus.ErrTooLarge, http.StatusRequestEntityTooLarge, "TOO_LARGE", ""},
	{bus.ErrConflict, http.StatusConflict, "CHANGED_MEANWHILE", "read it again and repeat the change"},
	{bus.ErrUnavailable, http.StatusServiceUnavailable, "UNAVAILABLE", "try again"},
	{connection.ErrNotFound, http.StatusNotFound, "NOT_FOUND", "see GET /connection and GET /destination"},
	{connection.ErrExists, http.StatusConflict, "EXISTS", "change it with PUT"},
	{connection.ErrInUse, http.StatusConflict, "IN_USE", "change or delete that first; ?force=true deletes it all the same"},
	{connection.ErrConflict, http.StatusConflict, "CHANGED_MEANWHILE", "read it again and repeat the change"},
	{connection.ErrInvalid, http.StatusBadRequest, "INVALID", ""},
	{connection.ErrUnavailable, http.StatusServiceUnavailable, "UNAVAILABLE", "try again"},
	{lookback.ErrNotFound, http.StatusNotFound, "EVENT_NOT_FOUND", "look at more events with last= (1000000 at most), or another bus="},
	{mapping.ErrNotFound, http.StatusNotFound, "MAPPING_NOT_FOUND", "see GET /mapping"},
	{mapping.ErrConflict, http.StatusConflict, "CHANGED_MEANWHILE", "read it again and repeat the change"},
	{mapping.ErrInvalid, http.StatusBadRequest, "INVALID", ""},
	{mapping.ErrUnavailable, http.StatusServiceUnavailable, "UNAVAILABLE", "try again"},
	{sns.ErrNotFound, http.StatusNotFound, "NOT_FOUND", "see GET /sns"},
	{sns.ErrTooLarge, http.StatusRequestEntityTooLarge, "TOO_LARGE", "raise MaximumMessageSize of the topic"},
	{sns.ErrInvalid, http.StatusBadRequest, "INVALID", ""},
	{sns.ErrUnavailable, http.StatusServiceUnavailable, "UNAVAILABLE", "try again"},
	{queue.ErrUnavailable, http.StatusServiceUnavailable, "UNAVAILABLE", "try again"},
	{object.ErrConflict, http.StatusConflict, "CHANGED_MEANWHILE", "read it again and repeat the change"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "UNAVAILABLE", "try again"},
	{context.Canceled, http.StatusServiceUnavailable, "UNAVAILABLE", "try again"},
}

// problemOf gives an error's status and code.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	for _, m := range meanings {
		if errors.Is(err, m.err) {
			return &problem{m.status, Error{m.code, err.Error(), m.hint}, nil}
		}
	}
	return &problem{http.StatusInternalServerError, Error{Code: "INTERNAL", Message: "the server could not do this; its log says why"}, err}
}

// errorOf is what is answered for one of several; nil for none.
func (d *door) errorOf(err error) *Error {
	if err == nil {
		return nil
	}
	p := problemOf(err)
	if p.cause != nil {
		d.Logger.Error("a native call failed", "err", p.cause)
	}
	return &p.told
}

func (d *door) refuse(w http.ResponseWriter, method, path string, err error) {
	p := problemOf(err)
	if p.cause != nil {
		d.Logger.Error("a native call failed", "method", method, "path", path, "err", p.cause)
	}
	answer(w, p.status, struct {
		Error Error `json:"error"`
	}{p.told})
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", typeJSON)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)+1))
	front.Later(w.Header(), status)
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // a client that has gone needs no answer
}

// answerLines writes one JSON value a line.
func answerLines[T any](w http.ResponseWriter, status int, all []T) {
	w.Header().Set("Content-Type", typeLines)
	front.Later(w.Header(), status)
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	for _, v := range all {
		if enc.Encode(v) != nil {
			return // the client has gone
		}
	}
}

// statusOf is the status of an answer about several: 200 when all went well,
// 207 when some did, and that of the first error when none did.
func statusOf(errs []error) int {
	var first error
	good := 0
	for _, err := range errs {
		if err == nil {
			good++
		} else if first == nil {
			first = err
		}
	}
	switch {
	case first == nil:
		return http.StatusOK
	case good > 0:
		return http.StatusMultiStatus
	}
	return problemOf(first).status
}

// read gives the body, which has at most most bytes.
func read(r *http.Request, most int64) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, most))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &problem{http.StatusRequestEntityTooLarge, Error{Code: "TOO_LARGE", Message: fmt.Sprintf("the body has more than %d bytes", most)}, nil}
	case err != nil:
		return nil, badRequest("the body could not be read: %v", err)
	}
	return b, nil
}

// isLines tells whether a body, or an answer that is wanted, has one JSON value
// a line.
func isLines(header string) bool {
	kind, _, err := mime.ParseMediaType(header)
	return err == nil && kind == typeLines
}

// duration reads a parameter; fallback where it is not there.
func duration(r *http.Request, parameter string, fallback int64) (ms int64, err error) {
	text := r.URL.Query().Get(parameter)
	if text == "" {
		return fallback, nil
	}
	d, parseErr := time.ParseDuration(text)
	if parseErr != nil || d < 0 {
		return 0, badRequest("%s=%s is no duration: want a number with its unit, as in %s=30s", parameter, text, parameter)
	}
	return d.Milliseconds(), nil
}

// count reads a parameter that is a number.
func count(r *http.Request, parameter string, fallback, most int) (int, error) {
	text := r.URL.Query().Get(parameter)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, badRequest("%s=%s: want a number from 1 to %d", parameter, text, most)
	}
	return n, nil
}
