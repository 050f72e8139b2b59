package bus_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/event/bus"
	"ottla/internal/event/name"
	"ottla/internal/event/object/hook"
)

// A bus is asked for with other partitions where a node was killed that had made its topic:
// it gets as many, or those that there are already.
func TestABusWhoseMakingWasCutOffHasAsManyPartitionsAsIsAsked(t *testing.T) {
	for _, c := range []struct {
		first, then int32
		gone        bool // somebody deletes what was left at the last moment
		want        int
	}{{1, 3, false, 3}, {3, 0, false, 3}, {1, 3, true, 3}, {3, 1, true, 1}} {
		t.Run(fmt.Sprintf("%d, then %d, gone %v", c.first, c.then, c.gone), func(t *testing.T) {
			r := newRig(t)
			o := r.o
			o.Objects = hook.CutAfter(r.node.Objects(), name.Bus, func() {})
			killed := bus.New(o)
			t.Cleanup(killed.Close)
			if _, err := killed.Create(r.ctx, shop(), bus.Spec{Partitions: c.first}); !errors.Is(err, hook.ErrCut) || r.o.Partitions("shop") != int(c.first) {
				t.Fatalf("%v, with %d partitions", err, r.o.Partitions("shop"))
			}
			o.Objects = hook.Objects{Store: r.node.Objects(), After: hook.Then(name.Bus, func() {
				if c.gone {
					_, err := kadm.NewClient(r.kafka).DeleteTopics(r.ctx, "shop")
					r.must(err)
				}
			})}
			late := bus.New(o)
			t.Cleanup(late.Close)
			b, err := late.Create(r.ctx, shop(), bus.Spec{Partitions: c.then})
			if err != nil || b.Adopted || int(b.Partitions) != c.want || r.o.Partitions("shop") != c.want {
				t.Errorf("made anew: %+v, %v, with %d partitions, want %d", b, err, r.o.Partitions("shop"), c.want)
			}
		})
	}
}
