package rest

import (
	"log/slog"
	"net/http"
)

// What doors beside this one use to speak as it does.

// Refusal is an error with its status and what is told of it.
func Refusal(status int, code, message, hint string) error {
	return &problem{status, Error{Code: code, Message: message, Hint: hint}, nil}
}

// Invalid says what cannot be read.
func Invalid(format string, args ...any) error { return badRequest(format, args...) }

// Guarded refuses who may not call, and writes the errors that do gives.
func Guarded(trusted bool, log *slog.Logger, do func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return (&door{Options{Trusted: trusted, Logger: log}}).guarded(do)
}

// Tell writes JSON.
func Tell(w http.ResponseWriter, status int, v any) { answer(w, status, v) }

// TellLines writes one JSON value a line.
func TellLines[T any](w http.ResponseWriter, status int, all []T) { answerLines(w, status, all) }

// Told is what is answered for one error of several, nil for none.
func Told(log *slog.Logger, err error) *Error { return (&door{Options{Logger: log}}).errorOf(err) }

// StatusOf is the status of an answer about several: 200 when all went well, 207
// when some did, and that of the first error when none did.
func StatusOf(errs []error) int { return statusOf(errs) }

// Body gives a request's body, which has at most most bytes.
func Body(r *http.Request, most int64) ([]byte, error) { return read(r, most) }

// Milliseconds reads a parameter that is a duration.
func Milliseconds(r *http.Request, parameter string, fallback int64) (int64, error) {
	return duration(r, parameter, fallback)
}

// Count reads a parameter that is a number from 1 on.
func Count(r *http.Request, parameter string, fallback, most int) (int, error) {
	return count(r, parameter, fallback, most)
}

// IsLines tells whether a body, or an answer that is wanted, has one JSON value a
// line.
func IsLines(header string) bool { return isLines(header) }

// WantsLines tells whether the caller wants one JSON value a line.
func WantsLines(r *http.Request) bool { return wantsLines(r) }
