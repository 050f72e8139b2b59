package place_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/envelope"
	"ottla/internal/event/place"
)

// An event that is stored is the event that is read, and a record that is none is one, too.
func TestAnEventIsTheRecordThatItBecame(t *testing.T) {
	e := &envelope.Event{ID: "1", Source: "shop", Type: "OrderPlaced", Data: []byte(`{"id":1}`)}
	e.Set(envelope.PartitionKey, "c-1")
	rec := place.Record("orders", e)
	if rec.Topic != "orders" || rec.Partition != place.Anywhere || string(rec.Value) != `{"id":1}` {
		t.Errorf("the record is %+v", rec)
	}
	rec.Partition, rec.Offset, rec.Timestamp = 2, 7, time.UnixMilli(5)
	got := place.Event(rec)
	if got.ID != "1" || got.Source != "shop" || got.Type != "OrderPlaced" || got.Extension(envelope.PartitionKey) != "c-1" || string(got.Data) != `{"id":1}` {
		t.Errorf("the event is %+v", got)
	}
	if foreign := place.Event(&kgo.Record{Topic: "t", Partition: 2, Offset: 7, Value: []byte("x")}); foreign.ID != "t-2-7" || foreign.Source != "kafka:t" {
		t.Errorf("a record of somebody else is %+v", foreign)
	}
}
