package pull

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/field"
)

func someRequest(r *rand.Rand) *Request {
	q := &Request{
		Replica: r.Int32(), BrokerEpoch: r.Int64(), MaxWaitMs: r.Int32(), MinBytes: 1, MaxBytes: r.Int32(),
		SessionID: r.Int32(), SessionEpoch: r.Int32N(9),
	}
	for range r.IntN(12) {
		q.Asks = append(q.Asks, Ask{
			Key: Key{uuid.UUID{byte(r.IntN(3))}, r.Int32N(9)}, LeaderEpoch: r.Int32N(99), Offset: r.Int64(),
			LastEpoch: r.Int32N(99) - 1, LogStart: r.Int64(), MaxBytes: r.Int32(), High: r.Int64() - 1, Synced: r.Int64() - 1, Stuck: r.IntN(4) == 0,
		})
	}
	for range r.IntN(5) {
		q.Forgotten = append(q.Forgotten, Key{uuid.UUID{byte(r.IntN(3))}, r.Int32N(9)})
	}
	return q
}

func TestRequestsComeOutAsTheyWentIn(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var got Request
	for range 500 {
		want := someRequest(r)
		if err := got.Parse(want.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if len(got.Asks) == 0 {
			got.Asks = nil
		}
		if len(got.Forgotten) == 0 {
			got.Forgotten = nil
		}
		if !reflect.DeepEqual(&got, want) {
			t.Fatalf("got %+v, want %+v", &got, want)
		}
	}
}

// TestARequestIsKafkas: what followers send is a Fetch of Kafka's to whoever does not
// know the field of ours.
func TestARequestIsKafkas(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		want := someRequest(r)
		got := kmsg.NewPtrFetchRequest()
		got.SetVersion(Version)
		if err := got.ReadFrom(want.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if got.ReplicaState.ID != want.Replica || got.ReplicaState.Epoch != want.BrokerEpoch || got.MaxWaitMillis != want.MaxWaitMs ||
			got.MinBytes != want.MinBytes || got.MaxBytes != want.MaxBytes || got.SessionID != want.SessionID || got.SessionEpoch != want.SessionEpoch {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		var asks []Ask
		for _, x := range got.Topics {
			for _, p := range x.Partitions {
				a := Ask{Key: Key{x.TopicID, p.Partition}, LeaderEpoch: p.CurrentLeaderEpoch, Offset: p.FetchOffset, LastEpoch: p.LastFetchedEpoch, LogStart: p.LogStartOffset, MaxBytes: p.PartitionMaxBytes, High: -2, Synced: -2}
				p.UnknownTags.Each(func(tag uint32, b []byte) {
					in := field.Reader{Rest: b}
					switch tag {
					case tagSynced:
						a.Synced = in.Int64()
					case tagStuck:
						a.Stuck = true
					default:
						a.High = in.Int64()
					}
				})
				if a.High == -2 { // a codec that knows the field
					a.High = want.Asks[len(asks)].High
				}
				asks = append(asks, a)
			}
		}
		if !reflect.DeepEqual(asks, want.Asks) {
			t.Fatalf("got %+v, want %+v", asks, want.Asks)
		}
	}
}

func someResponse(r *rand.Rand) *Response {
	out := &Response{SessionID: r.Int32(), Code: wire.Code(r.IntN(3))}
	for range r.IntN(10) {
		row := Row{Key: Key{uuid.UUID{byte(r.IntN(3))}, r.Int32N(9)}, Code: wire.Code(r.IntN(90)), High: r.Int64() - 1, LogStart: r.Int64() - 1}
		if r.IntN(3) == 0 {
			row.Diverging, row.DivergingEpoch, row.DivergingEnd = true, r.Int32(), r.Int64()
		} else if n := r.IntN(30); n > 0 {
			row.Records = make([]byte, n)
			row.Records[0] = 7
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func appendResponse(b []byte, r *Response) []byte {
	b = AppendHead(b, r.Code, r.SessionID, Runs(r.Rows))
	for i := 0; i < len(r.Rows); {
		n := Run(r.Rows, i)
		b = AppendTopic(b, r.Rows[i].Topic, n)
		for ; n > 0; n-- {
			row := &r.Rows[i]
			b = AppendRowEnd(append(AppendRow(b, row, len(row.Records)), row.Records...), row)
			i++
		}
		b = AppendEnd(b)
	}
	return AppendEnd(b)
}

func TestResponsesComeOutAsTheyWentIn(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var got Response
	for range 500 {
		want := someResponse(r)
		b := appendResponse(nil, want)
		if err := got.Parse(b); err != nil {
			t.Fatal(err)
		}
		if len(got.Rows) != len(want.Rows) || len(want.Rows) > 0 && !reflect.DeepEqual(got.Rows, want.Rows) || got.Code != want.Code || got.SessionID != want.SessionID {
			t.Fatalf("got %+v, want %+v", &got, want)
		}
		theirs := kmsg.NewPtrFetchResponse()
		theirs.SetVersion(Version)
		if err := theirs.ReadFrom(b); err != nil {
			t.Fatalf("Kafka's codec: %v", err)
		}
		n := 0
		for _, topic := range theirs.Topics {
			for _, p := range topic.Partitions {
				w := want.Rows[n]
				if p.Partition != w.Index || p.HighWatermark != w.High || p.LogStartOffset != w.LogStart || string(p.RecordBatches) != string(w.Records) ||
					w.Diverging && (p.DivergingEpoch.Epoch != w.DivergingEpoch || p.DivergingEpoch.EndOffset != w.DivergingEnd) {
					t.Fatalf("Kafka's codec reads %+v, want %+v", p, w)
				}
				n++
			}
		}
		if n != len(want.Rows) {
			t.Fatalf("Kafka's codec reads %d rows, want %d", n, len(want.Rows))
		}
	}
}

// FuzzParse: no bytes panic, and what is accepted comes out of its encoding again.
func FuzzParse(f *testing.F) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 8 {
		f.Add(someRequest(r).Append(nil))
		f.Add(appendResponse(nil, someResponse(r)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var q, again Request
		if q.Parse(b) == nil {
			if err := again.Parse(q.Append(nil)); err != nil || len(again.Asks) != len(q.Asks) || len(again.Forgotten) != len(q.Forgotten) {
				t.Errorf("a request does not come out of its encoding: %v, %+v, %+v", err, q, again)
			}
		}
		var p, back Response
		if p.Parse(b) == nil {
			if err := back.Parse(appendResponse(nil, &p)); err != nil || len(back.Rows) != len(p.Rows) {
				t.Errorf("a response does not come out of its encoding: %v, %+v, %+v", err, p, back)
			}
		}
	})
}
