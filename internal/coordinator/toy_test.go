package coordinator

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ottla/internal/wire"
)

// toy is a machine for tests: a map of texts. Its commands are lines:
//
//	put K V         a record; the reply is the old value
//	put2 K V K V    two records
//	lput K V        a record in no hurry; the reply tells nothing, at once
//	get K           a read
//	wait K          a reply that is put off until somebody puts K
//	note K V        soft state; the reply is the old note
//	notes K         a read of soft state
//	at D LINE       a timer under LINE that puts, after the duration D
//	cancel LINE     takes it away
//	work LINE       does LINE in the background
//	no              a refusal of the machine's own
//	big N           a record of N bytes
//	txn ID K V      a record in producer ID's transaction
//	commit ID, abort ID
type toy struct {
	// Durable.
	data    map[string]string
	pending map[int64][]string // K, V, K, V of open transactions
	foreign int                // records passed over

	// Soft.
	waits map[string][]Token
	notes map[string]string

	loads int
}

func newToy() *toy {
	t := &toy{}
	t.Reset()
	return t
}

func (m *toy) Reset() {
	*m = toy{data: map[string]string{}, pending: map[int64][]string{}, waits: map[string][]Token{}, notes: map[string]string{}, loads: m.loads}
}

func (m *toy) Step(now time.Time, cmd Command) (Output, error) {
	if _, ok := cmd.Body.(Loaded); ok {
		return Output{Accepted: func() { m.loads++ }}, nil
	}
	line, _ := cmd.Body.(string)
	if f, ok := cmd.Body.(firmly); ok {
		line = f.line
	}
	verb, rest, _ := strings.Cut(line, " ")
	f := strings.Fields(rest)
	ok := func(body any) Output { return Output{Replies: []Reply{{Token: cmd.Token, Body: body}}} }
	switch verb {
	case "put":
		return m.put(cmd, f), nil
	case "lput":
		out := m.put(cmd, f)
		out.Lazy, out.Replies[0].Now, out.Replies[0].Body = true, true, "0"
		return out, nil
	case "put2":
		out := ok("done")
		out.Records = []Record{put(f[0], f[1]), put(f[2], f[3])}
		return out, nil
	case "get":
		return ok(m.data[f[0]]), nil
	case "wait":
		return Output{Accepted: func() { m.waits[f[0]] = append(m.waits[f[0]], cmd.Token) }}, nil
	case "note":
		out := ok(m.notes[f[0]])
		out.Accepted = func() { m.notes[f[0]] = f[1] }
		return out, nil
	case "notes":
		return ok(m.notes[f[0]]), nil
	case "at":
		d, _ := time.ParseDuration(f[0])
		body := strings.Join(f[1:], " ")
		out := ok("set")
		out.Timers = []Timer{{Key: body, At: now.Add(d), Body: body}}
		return out, nil
	case "cancel":
		out := ok("gone")
		out.Timers = []Timer{{Key: rest}}
		return out, nil
	case "work":
		out := ok("begun")
		out.Work = []Work{{Run: func() any { return rest }}}
		return out, nil
	case "big":
		n, _ := strconv.Atoi(f[0])
		out := ok("done")
		out.Records = []Record{{Key: []byte("big"), Value: make([]byte, n)}}
		return out, nil
	}
	return m.stepTxn(cmd, verb, f)
}

func (m *toy) stepTxn(cmd Command, verb string, f []string) (Output, error) {
	out := Output{Replies: []Reply{{Token: cmd.Token, Body: "done"}}}
	id := func() int64 { n, _ := strconv.ParseInt(f[0], 10, 64); return n }
	switch verb {
	case "txn":
		r := put(f[1], f[2])
		r.Txn = &Txn{ProducerID: id()}
		out.Records = []Record{r}
	case "commit":
		out.Records = []Record{{Txn: &Txn{ProducerID: id(), End: TxnCommit, Version: 1}}}
	case "abort":
		out.Records = []Record{{Txn: &Txn{ProducerID: id(), End: TxnAbort, Version: 1}}}
	default:
		return Output{}, wire.Errorf(wire.InvalidRequest, "no such command")
	}
	return out, nil
}

// put answers everyone who waits for the key, too.
func (m *toy) put(cmd Command, f []string) Output {
	out := Output{Records: []Record{put(f[0], f[1])}, Replies: []Reply{{Token: cmd.Token, Body: m.data[f[0]]}}}
	for _, t := range m.waits[f[0]] {
		out.Replies = append(out.Replies, Reply{Token: t, Body: f[1]})
	}
	out.Accepted = func() { delete(m.waits, f[0]) }
	return out
}

func put(k, v string) Record {
	if v == "-" {
		return Record{Key: []byte(k)}
	}
	return Record{Key: []byte(k), Value: []byte(v)}
}

func (m *toy) Apply(r Record) {
	switch {
	case r.Txn != nil && r.Txn.End != TxnData:
		kv := m.pending[r.Txn.ProducerID]
		delete(m.pending, r.Txn.ProducerID)
		for i := 0; i < len(kv) && r.Txn.End == TxnCommit; i += 2 {
			m.data[kv[i]] = kv[i+1]
		}
	case r.Key == nil:
		m.foreign++
	case r.Txn != nil:
		m.pending[r.Txn.ProducerID] = append(m.pending[r.Txn.ProducerID], string(r.Key), string(r.Value))
	case r.Value == nil:
		delete(m.data, string(r.Key))
	default:
		m.data[string(r.Key)] = string(r.Value)
	}
}

// Records implements Lister.
func (m *toy) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for _, k := range slices.Sorted(maps.Keys(m.data)) {
			if !yield(put(k, m.data[k])) {
				return
			}
		}
		for _, id := range slices.Sorted(maps.Keys(m.pending)) {
			for i := 0; i < len(m.pending[id]); i += 2 {
				r := put(m.pending[id][i], m.pending[id][i+1])
				r.Txn = &Txn{ProducerID: id}
				if !yield(r) {
					return
				}
			}
		}
	}
}

// String tells the durable state.
func (m *toy) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m.data)) {
		v := m.data[k]
		if len(v) > 20 {
			v = fmt.Sprintf("(%d bytes)", len(v))
		}
		fmt.Fprintf(&b, "%s=%s ", k, v)
	}
	for _, id := range slices.Sorted(maps.Keys(m.pending)) {
		fmt.Fprintf(&b, "txn%d:%s ", id, strings.Join(m.pending[id], ","))
	}
	return strings.TrimSpace(b.String())
}
