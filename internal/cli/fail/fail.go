// Package fail is how Ottla's commands fail: three lines a person can act on
// (what happened, why, what to run next), the same as one JSON object for
// programs, and an exit code that never changes its meaning.
package fail

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Exit codes of every command.
const (
	OK          = 0
	Failed      = 1
	Usage       = 2
	NotFound    = 3
	NotAllowed  = 4
	Unreachable = 5
	Partly      = 6
	TimedOut    = 7
)

// Failure is an error made for a person.
type Failure struct {
	Code       int    // exit code
	What       string // what happened, to what
	Why        string // the reason, "" when What says it all
	Next       string // what to do or run, "" when there is nothing
	KafkaError string // name of the Kafka error code behind it, if any
	Cause      error
}

// Error is the failure in one line.
func (f *Failure) Error() string {
	if f.Why == "" {
		return f.What
	}
	return f.What + ": " + f.Why
}

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// New makes a failure.
func New(code int, what, why, next string) *Failure {
	return &Failure{Code: code, What: what, Why: why, Next: next}
}

// Usagef is a wrong call of a command.
func Usagef(format string, args ...any) *Failure {
	return &Failure{Code: Usage, What: fmt.Sprintf(format, args...), Next: "add --help to see what the command takes"}
}

// CodeOf tells the exit code for an error.
func CodeOf(err error) int {
	if err == nil {
		return OK
	}
	var f *Failure
	if errors.As(err, &f) {
		return f.Code
	}
	return Failed
}

// Print writes err for a person, or as one JSON object when asJSON.
func Print(w io.Writer, err error, asJSON bool) {
	var f *Failure
	if !errors.As(err, &f) {
		f = &Failure{Code: Failed, What: err.Error()}
	}
	if asJSON {
		object := struct {
			Code       int    `json:"code"`
			Message    string `json:"message"`
			Reason     string `json:"reason,omitempty"`
			Hint       string `json:"hint,omitempty"`
			KafkaError string `json:"kafka_error,omitempty"`
		}{f.Code, f.What, f.Why, f.Next, f.KafkaError}
		b, mErr := json.Marshal(object)
		if mErr == nil {
			fmt.Fprintln(w, string(b))
			return
		}
	}
	fmt.Fprintf(w, "error: %s\n", f.What)
	if f.Why != "" {
		fmt.Fprintf(w, "  why: %s\n", f.Why)
	}
	if f.Next != "" {
		fmt.Fprintf(w, "  try: %s\n", f.Next)
	}
}
