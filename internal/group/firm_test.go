package group

import (
	"testing"

	"ottla/internal/coordinator"
	"ottla/internal/wire"
)

// A coordinator whose place another may have taken tells nobody for good that it is
// fenced or unknown, also where the reply has the code and not an error; what a member
// comes again on at once is told.
func TestWhatIsTheLastWordInAGroup(t *testing.T) {
	for _, c := range []struct {
		of    coordinator.Firm
		reply any
		want  bool
	}{
		{Join{}, JoinReply{Code: wire.FencedInstanceID}, true},
		{Join{}, JoinReply{Code: wire.UnknownMemberID}, true},
		{Join{}, JoinReply{Code: wire.MemberIDRequired}, false},
		{Join{}, JoinReply{}, false},
		{Sync{}, SyncReply{Code: wire.FencedInstanceID}, true},
		{Sync{}, SyncReply{Code: wire.RebalanceInProgress}, false},
		{Sync{}, SyncReply{}, false},
		{Leave{}, LeaveReply{Codes: []wire.Code{wire.None, wire.UnknownMemberID}}, true},
		{Leave{}, LeaveReply{Codes: []wire.Code{wire.None}}, false},
	} {
		if got := c.of.Firm(c.reply); got != c.want {
			t.Errorf("%T: %+v: got %v, want %v", c.of, c.reply, got, c.want)
		}
	}
}
