package relay

import (
	"reflect"
	"testing"
)

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
