package relay

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Who is fenced must know, whatever else failed: an abort would fence the other.
func TestWhoIsFencedIsToldAheadOfOtherErrors(t *testing.T) {
	mixed := kgo.ProduceResults{{}, {Err: kgo.ErrRecordTimeout}, {Err: fmt.Errorf("write: %w", kerr.InvalidProducerEpoch)}}
	if got := firstFenced(mixed); got != &mixed[2] {
		t.Errorf("got %v", got)
	}
	if got := firstFenced(mixed[:2]); got != nil {
		t.Errorf("nobody was fenced: %v", got)
	}
}

func FuzzProgress(f *testing.F) {
	f.Add([]byte(`{"version":1,"table":"sqlite:/a outbox","ids":[1,"a",-9223372036854775808],"sums":["x","","y"]}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{"version":1,"ids":[1,2],"sums":["x"]}`))
	f.Add([]byte(`{"version":1,"ids":[1.5,null,[],{}],"sums":["","","",""]}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		p, err := decodeProgress(value)
		if err != nil {
			return
		}
		again, err := p.encode()
		if err != nil {
			t.Fatal(err)
		}
		q, err := decodeProgress(again)
		if err != nil || !reflect.DeepEqual(p, q) {
			t.Fatalf("%+v became %+v, %v", p, q, err)
		}
	})
}
