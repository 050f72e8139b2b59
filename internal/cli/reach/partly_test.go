package reach

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

func TestAnAnswerOfSomeNodesStands(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("broken"), false},
		{fmt.Errorf("asked: %w", &kadm.ShardErrors{}), true},
		{&kadm.ShardErrors{AllFailed: true}, false},
	} {
		if got := Partly(c.err); got != c.want {
			t.Errorf("%v: %t, want %t", c.err, got, c.want)
		}
	}
}
