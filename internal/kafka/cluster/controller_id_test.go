package cluster

import (
	"testing"

	"ottla/internal/metadata"
)

// Clients ignore a controller that is not among the brokers of an answer.
func TestTheControllerIsABrokerThatIsListed(t *testing.T) {
	var records []metadata.Record
	for id := range int32(3) {
		records = append(records, &metadata.RegisterBrokerRecord{BrokerID: id + 1, BrokerEpoch: int64(id), Fenced: id == 2})
	}
	img, _, err := metadata.Empty().With(3, 1, records...)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ leads, me, want int32 }{
		{2, 1, 2},
		{3, 1, 1}, // it is fenced
		{9, 1, 1}, // it is no broker
		{-1, 2, 2},
		{-1, 3, -1},
	} {
		h := &handlers{Deps{NodeID: tc.me, ControllerID: func() int32 { return tc.leads }}}
		if got := h.controllerID(img); got != tc.want {
			t.Errorf("node %d, with %d at the head of the quorum, names %d, want %d", tc.me, tc.leads, got, tc.want)
		}
	}
}
