package peer

import "strings"

// Refused says that an identity, a token or a node was not taken, and what to
// do: trying again does not help.
type Refused struct {
	What   string // what it was: a file, an address, a node
	Reason string // what is wrong, a clause that continues What
	Advice string // what to do, a sentence; may be empty
	Cause  error
}

// Error is a sentence of what it is and one of what to do.
func (r *Refused) Error() string {
	var b strings.Builder
	b.WriteString(r.What + " " + r.Reason)
	if r.Cause != nil {
		b.WriteString(": " + r.Cause.Error())
	}
	if r.Advice != "" {
		b.WriteString(". " + r.Advice)
	}
	return b.String()
}

// Unwrap gives the cause, nil when there is none beneath.
func (r *Refused) Unwrap() error { return r.Cause }
