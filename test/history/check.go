package history

import (
	"fmt"
	"slices"
	"strings"
)

// Options say what the clients of a history were promised.
type Options struct {
	// Idempotent: all producers were, so that a value at two offsets is an error
	// and not only counted.
	Idempotent bool
	// ExactMarks: the marks and records of a fetch are of one moment. Kafka takes
	// the high watermark first, then the last stable offset, then reads, so there
	// each may be a little older than the next.
	ExactMarks bool
	// Pipeline is held to exactly once; nil where there is none.
	Pipeline *Pipeline
}

// Anomaly is one broken promise.
type Anomaly struct {
	Rule string
	Text string
}

// Report is what Check found.
type Report struct {
	Ops, Sends, Acked, Polled int64
	// Effects are those of a pipeline that were seen at read_committed.
	Effects int64
	// Found counts anomalies by rule, Noted what is legal and worth a number.
	Found, Noted map[string]int64
	// Examples are the first few of each rule.
	Examples []Anomaly
}

// OK tells whether no promise is broken.
func (r *Report) OK() bool { return len(r.Found) == 0 }

// String is the report for people, one line a rule.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d operations, %d sends, %d acknowledged, %d records polled", r.Ops, r.Sends, r.Acked, r.Polled)
	if r.Effects > 0 {
		fmt.Fprintf(&b, ", %d effects", r.Effects)
	}
	b.WriteString(": ")
	if r.OK() {
		b.WriteString("clean")
	} else {
		b.WriteString(counts(r.Found))
	}
	if len(r.Noted) > 0 {
		fmt.Fprintf(&b, " (legal: %s)", counts(r.Noted))
	}
	for _, e := range r.Examples {
		fmt.Fprintf(&b, "\n  %s: %s", e.Rule, e.Text)
	}
	return b.String()
}

func counts(m map[string]int64) string {
	var parts []string
	for rule, n := range m {
		parts = append(parts, fmt.Sprintf("%s %d", rule, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// maxExamples bounds the examples of one rule.
const maxExamples = 5

// rules are all of them; each adds what it finds to the report.
var rules = []func(v *view, r *Report){
	phantom, inconsistentOffsets, lostWrite, unseen, duplicate,
	abortedRead, precommittedRead, tornTxn,
	nonmonotonicPoll, pollSkip, nonmonotonicSend, cycles,
	committedOffsets, groupOwners, groupResume, watermarks, effects,
}

// Check judges a history. It keeps no reference to ops and does not change them.
func Check(ops []Op, o Options) *Report {
	r := &Report{Ops: int64(len(ops)), Found: map[string]int64{}, Noted: map[string]int64{}}
	v := newView(ops, o)
	r.Sends = int64(len(v.writes))
	for _, w := range v.writes {
		if w.outcome == OK {
			r.Acked++
		}
	}
	r.Polled = v.polled
	for _, rule := range rules {
		rule(v, r)
	}
	return r
}

// add notes one anomaly.
func (r *Report) add(rule, format string, args ...any) {
	r.Found[rule]++
	if r.Found[rule] <= maxExamples {
		r.Examples = append(r.Examples, Anomaly{rule, fmt.Sprintf(format, args...)})
	}
}
