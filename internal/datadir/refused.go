package datadir

import (
	"fmt"
	"strings"
)

// Kind sorts why a directory was refused.
type Kind int8

// The reasons, one for each thing that an operator has to do about it.
const (
	InUse        Kind = iota + 1 // another process (or server in this one) holds it
	OtherCluster                 // it belongs to another cluster than the wanted one
	OtherNode                    // it belongs to another node than the wanted one
	NewerFormat                  // written by a version of Ottla that this one does not know
	Copied                       // a copy of another directory (the clone guard)
	NotDirectory                 // the path, or something on the way to it, is a file
	NoPermission                 // the system does not let us read or write it
	KafkaData                    // a log directory of Apache Kafka, without our mark
	Foreign                      // not empty, and neither ours nor Kafka's
	Damaged                      // our files cannot be read or contradict each other
	Unusable                     // the file system failed
)

// Refused tells why a directory was not taken, and what to do.
type Refused struct {
	Kind   Kind
	Path   string
	Reason string // what is wrong, a clause that continues the path
	Advice string // what to do, a sentence
	PID    int    // of the process that holds it (InUse), 0 when not known
	Cause  error
}

// Error is one sentence of what it is and one of what to do.
func (r *Refused) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "data directory %s %s", r.Path, r.Reason)
	if r.Cause != nil {
		fmt.Fprintf(&b, ": %v", r.Cause)
	}
	if r.Advice != "" {
		b.WriteString(". ")
		b.WriteString(r.Advice)
	}
	return b.String()
}

// Unwrap gives the cause, nil when the directory itself was the reason.
func (r *Refused) Unwrap() error { return r.Cause }
