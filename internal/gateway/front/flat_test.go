package front

import (
	"net/http"
	"reflect"
	"testing"
)

// What an answer's headers were when its poll was parked they are when it is
// answered.
func TestHeadersComeBackFromWhereTheyLayFlat(t *testing.T) {
	for _, h := range []http.Header{{}, {"A": {"1"}}, {"A": {"1", "2"}, "B": {"3"}, "C": {""}}} {
		if got := unflat(flat(h)); !reflect.DeepEqual(got, h) {
			t.Errorf("%v came back as %v", h, got)
		}
	}
}
