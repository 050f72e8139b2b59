package delivery

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/plan"
)

func sample() (*plan.Target, *plan.Event) {
	t := &plan.Target{Key: "rule/1/eu/orders/big#7/hook", ID: "hook"}
	e := &plan.Event{
		Event: &envelope.Event{ID: "e-1", Type: "T"}, Doc: []byte(`{"id":"e-1"}`), Topic: "orders", Partition: 2, Offset: 41, Replay: "again",
		Source: &plan.Source{Ref: name.Of(name.Bus, "orders")}, Rule: &plan.Rule{Ref: name.Of(name.Rule, "orders/big")},
	}
	return t, e
}

func TestAParcelIsReadAsItWasWritten(t *testing.T) {
	to, e := sample()
	payload := plan.Payload{
		Body: []byte("<x/>"), ContentType: "text/xml", Key: []byte{0xff, 0}, Headers: []plan.Header{{Name: "a", Value: "b"}},
		Method: "PUT", Path: []string{"x/y"}, Query: []plan.Header{{Name: "q", Value: "&"}},
	}
	r, err := Record(to, e, payload)
	if err != nil {
		t.Fatal(err)
	}
	r.Timestamp, r.Offset = time.UnixMilli(77), 9
	got, err := readParcel(r)
	if err != nil {
		t.Fatal(err)
	}
	want := &parcel{
		note: note{
			ID: e.DeliveryID(to), Event: "e-1", Rule: e.Rule.Ref.Key(), Source: e.Source.Ref.Key(), Topic: "orders", Partition: 2, Offset: 41, Replay: "again",
			ContentType: "text/xml", Key: payload.Key, Keyed: true, Headers: payload.Headers, Method: "PUT", Path: payload.Path, Query: payload.Query,
		},
		target: to.Key, putMs: 77, offset: 9, body: payload.Body, doc: e.AppendEnvelope(nil),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestAnEventThatIsSentAsItIsLiesThereOnce(t *testing.T) {
	to, e := sample()
	e.Data = []byte(`"` + strings.Repeat("x", 10_000) + `"`)
	body := e.AppendEnvelope(nil)
	r, err := Record(to, e, plan.Payload{Body: body})
	if err != nil {
		t.Fatal(err)
	}
	got, err := readParcel(r)
	if err != nil || !bytes.Equal(got.doc, body) || !bytes.Equal(got.body, body) || len(r.Value) > 11_000 {
		t.Errorf("%d bytes for an event of 10000: %v", len(r.Value), err)
	}
	if got.Key != nil {
		t.Errorf("a payload without a key has %q", got.Key)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	to, e := sample()
	for _, p := range []plan.Payload{{Body: make([]byte, MostRecord)}, {Path: []string{strings.Repeat("x", mostNote)}}} {
		if _, err := Record(to, e, p); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v", err)
		}
	}
}

// Whatever is in the topic, it is read or refused.
func FuzzReadParcel(f *testing.F) {
	to, e := sample()
	r, err := Record(to, e, plan.Payload{Body: []byte("body"), Key: []byte{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(r.Key, r.Value)
	f.Add([]byte("k"), []byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte("k"), []byte{1, 2, '{', '}'})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		p, err := readParcel(&kgo.Record{Key: key, Value: value})
		if err != nil && !errors.Is(err, errParcel) {
			t.Errorf("%v", err)
		}
		if err == nil && len(p.body)+len(p.doc) > 2*len(value) {
			t.Errorf("%d bytes of %d", len(p.body)+len(p.doc), len(value))
		}
	})
}

// What is in memory of a delivery is its own: a record is part of all that was read with it.
func TestAParcelSharesNothingWithItsRecord(t *testing.T) {
	to, e := sample()
	r, err := Record(to, e, plan.Payload{Body: []byte("a body")})
	if err != nil {
		t.Fatal(err)
	}
	p, err := readParcel(r)
	if err != nil {
		t.Fatal(err)
	}
	clear(r.Value)
	if string(p.body) != "a body" || !bytes.Contains(p.doc, []byte("e-1")) {
		t.Errorf("with its record, it became %q, %q", p.body, p.doc)
	}
}
