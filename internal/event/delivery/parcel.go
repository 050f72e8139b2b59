package delivery

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/place"
	"ottla/internal/event/plan"
)

// Bounds of what lies in Topic. MostRecord is what the topic's max.message.bytes and
// the batches of who writes must let pass.
const (
	MostRecord = 4 << 20
	mostNote   = 256 << 10
	// usualNote is what most notes have room in.
	usualNote = 512
	// version begins every value.
	version = 1
)

// ErrTooLarge says that an event will never be delivered: it does not fit.
var ErrTooLarge = errors.New("what is to be delivered is too large")

// errParcel says that a record is none of ours.
var errParcel = errors.New("that is no delivery")

// note is what a parcel says of itself, beside its bytes. It is kept as JSON: names
// of fields stay.
type note struct {
	ID          string        `json:"id"` // the same at every attempt
	Event       string        `json:"event"`
	Rule        string        `json:"rule,omitempty"` // keys of objects
	Source      string        `json:"source,omitempty"`
	Topic       string        `json:"topic"` // where the event lies
	Partition   int32         `json:"partition"`
	Offset      int64         `json:"offset"`
	Replay      string        `json:"replay,omitempty"`
	ContentType string        `json:"content_type,omitempty"`
	Key         []byte        `json:"key,omitempty"`
	Keyed       bool          `json:"keyed,omitempty"` // there is a Key, be it empty
	Headers     []plan.Header `json:"headers,omitempty"`
	Method      string        `json:"method,omitempty"`
	Path        []string      `json:"path,omitempty"`
	Query       []plan.Header `json:"query,omitempty"`
	// What a dead letter says beside why.
	LetterHeaders    []plan.Header    `json:"letter_headers,omitempty"`
	LetterAttributes []plan.Attribute `json:"letter_attributes,omitempty"`
}

// parcel is one event for one target.
type parcel struct {
	note
	target string
	putMs  int64  // when it was put into Topic, by the domain clock
	offset int64  // in Topic
	body   []byte // what is sent
	doc    []byte // the body of a dead letter
}

// size is what a parcel has in memory.
func (p *parcel) size() int { return len(p.body) + len(p.doc) + 512 }

// Record makes the record of Topic that has an event delivered to a target of Kind
// Call. The caller dates it (Timestamp) by the domain clock: age counts from there. Its
// key is the target's, and its partition what that says to any producer. An error is
// final.
func Record(t *plan.Target, e *plan.Event, p plan.Payload) (*kgo.Record, error) {
	n := note{
		ID: e.DeliveryID(t), Topic: e.Topic, Partition: e.Partition, Offset: e.Offset, Replay: e.Replay, ContentType: p.ContentType,
		Key: p.Key, Keyed: p.Key != nil, Headers: p.Headers, Method: p.Method, Path: p.Path, Query: p.Query,
	}
	if e.Event != nil {
		n.Event = e.Event.ID
	}
	if e.Rule != nil {
		n.Rule = e.Rule.Ref.Key()
	}
	if e.Source != nil {
		n.Source = e.Source.Ref.Key()
	}
	doc := e.Doc
	switch {
	case t.Letter != nil:
		l := t.Letter(e)
		doc, n.LetterHeaders, n.LetterAttributes = l.Body, l.Headers, l.Attributes
	case e.Event != nil && e.Type != "" && (e.Source == nil || e.Source.Document == nil):
		doc = e.Envelope() // without what patterns see beside it
	}
	if string(doc) == string(p.Body) {
		doc = nil // what is sent is the event itself
	}
	var front [1 + binary.MaxVarintLen32]byte // of how many bytes is known behind the note
	value, err := n.append(make([]byte, len(front), len(front)+usualNote+binary.MaxVarintLen32+len(p.Body)+len(doc)))
	if err != nil {
		return nil, fmt.Errorf("deliver event %s: %w", n.Event, err)
	}
	text := len(value) - len(front)
	if text > mostNote {
		return nil, fmt.Errorf("%w: headers, path, query and key of event %s have %d bytes, %d are possible", ErrTooLarge, n.Event, text, mostNote)
	}
	begin := append(front[:0], version)
	begin = binary.AppendUvarint(begin, uint64(text))
	value = value[len(front)-len(begin):]
	copy(value, begin)
	value = append(binary.AppendUvarint(value, uint64(len(p.Body))), p.Body...)
	value = append(value, doc...)
	if most := MostRecord - 4096 - len(t.Key); len(value) > most {
		return nil, fmt.Errorf("%w: event %s and what is sent of it have %d bytes, %d are possible", ErrTooLarge, n.Event, len(value), most)
	}
	return &kgo.Record{Topic: Topic, Partition: place.Anywhere, Key: []byte(t.Key), Value: value}, nil
}

// readParcel reads a record of Topic. It shares no bytes with that, which are part of all
// that came with it: who keeps one would keep those as well.
func readParcel(r *kgo.Record) (*parcel, error) {
	p := &parcel{target: string(r.Key), putMs: r.Timestamp.UnixMilli(), offset: r.Offset}
	if len(r.Value) == 0 || r.Value[0] != version || len(r.Key) == 0 {
		return nil, fmt.Errorf("%w: it does not begin as one", errParcel)
	}
	text, rest, ok := cut(bytes.Clone(r.Value[1:]), mostNote)
	if !ok {
		return nil, fmt.Errorf("%w: its note is longer than it", errParcel)
	}
	if err := readNote(text, &p.note); err != nil {
		return nil, fmt.Errorf("%w: %w", errParcel, err)
	}
	if p.body, p.doc, ok = cut(rest, MostRecord); !ok {
		return nil, fmt.Errorf("%w: its body is longer than it", errParcel)
	}
	if len(p.doc) == 0 {
		p.doc = p.body
	}
	if !p.Keyed {
		p.Key = nil
	}
	return p, nil
}

// cut takes bytes off that begin with how many they are.
func cut(b []byte, most uint64) (first, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > most || n > uint64(len(b)-k) {
		return nil, nil, false
	}
	return b[k : k+int(n)], b[k+int(n):], true
}
