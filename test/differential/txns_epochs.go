package main

import (
	"fmt"
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// lastEpoch is the highest that a producer gets: at the one above, the fence,
// it is given a new id.
const lastEpoch = math.MaxInt16 - 1

// txnEpochsRunOut brings producers to their last epochs, by beginning anew, and
// ends transactions there.
func txnEpochsRunOut(s *scene) {
	t := s.create("t", 2)
	for i, d := range []dialect{dialects[1], dialects[6]} {
		x := s.transactional(fmt.Sprintf("x%d", i))
		s.bumpTo(x, lastEpoch-3)
		for step := range 5 {
			x.write(d, t, 0)
			x.finish(d, step%2 == 0)
			s.decided(t)
			s.lines.add(fmt.Sprintf("%d, step %d", d.end, step), "epoch", fmt.Sprint(x.epoch))
			if d.end < 5 {
				before := x.producer
				x.call(fmt.Sprintf("begins anew (%v)", d), x.init(5, nil))
				s.lines.add(fmt.Sprintf("%d, step %d", d.end, step), "the same producer", fmt.Sprint(before == x.producer))
			}
		}
		s.whole(fmt.Sprintf("then (%v)", d), t)
	}
}

// bumpTo lets a producer begin anew until it has an epoch, many requests at a
// time.
func (s *scene) bumpTo(x *txn, epoch int16) {
	const atOnce = 50
	for x.epoch < epoch {
		n := min(atOnce, int(epoch-x.epoch))
		req := x.init(4, nil)
		first := s.corr + 1
		for range n {
			s.corr++
			if _, err := s.dial().Write(frameOf(req, s.corr)); err != nil {
				panic(broken{fmt.Errorf("begin anew: %w", err)})
			}
		}
		for i := range n {
			frame, err := readFrame(s.conn, patience)
			if err != nil {
				panic(broken{fmt.Errorf("begin anew: %w", err)})
			}
			resp, err := decode(req, frame, first+int32(i))
			if err != nil {
				panic(broken{fmt.Errorf("begin anew: %w", err)})
			}
			if r := resp.(*kmsg.InitProducerIDResponse); r.ErrorCode == 0 { // else 51: one at a time
				x.learn(r)
			}
		}
	}
}
