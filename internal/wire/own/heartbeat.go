package own

import "github.com/twmb/franz-go/pkg/kmsg"

// HeartbeatRequest tells the controller that a node is alive and how far it
// has followed the metadata.
type HeartbeatRequest struct {
	message
	Node          int32
	BrokerEpoch   int64 // of its registration
	AppliedOffset int64 // of the metadata that it serves by
	WantShutDown  bool
	WantFence     bool
}

// HeartbeatResponse tells a node how the controller sees it.
type HeartbeatResponse struct {
	message
	ErrorCode    int16 // NOT_CONTROLLER: ask Leader; STALE_BROKER_EPOCH: register anew
	ErrorMessage string
	Fenced       bool
	// CaughtUp: the node has applied the metadata up to its registration.
	CaughtUp       bool
	ShouldShutDown bool
	Leader         int32 // -1 when not known
	LeaderEpoch    int32
	// StandingMs is how long ago the one who answers was last known to lead: when
	// most of the voters had been heard.
	StandingMs int32
	// MetadataOffset is how far the one who answers has applied the metadata.
	MetadataOffset int64
}

// Key is the request's key.
func (*HeartbeatRequest) Key() int16 { return KeyNodeHeartbeat }

// ResponseKind makes an empty answer.
func (r *HeartbeatRequest) ResponseKind() kmsg.Response {
	return &HeartbeatResponse{message: r.message, Leader: -1, LeaderEpoch: -1}
}

// AppendTo encodes the request.
func (r *HeartbeatRequest) AppendTo(dst []byte) []byte {
	return writer(dst).int32(r.Node).int64(r.BrokerEpoch).int64(r.AppliedOffset).bool(r.WantShutDown).bool(r.WantFence).noTags()
}

// ReadFrom decodes the request.
func (r *HeartbeatRequest) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.Node, r.BrokerEpoch, r.AppliedOffset = in.Int32(), in.Int64(), in.Int64()
		r.WantShutDown, r.WantFence = in.bool(), in.bool()
	})
}

// Key is the request's key.
func (*HeartbeatResponse) Key() int16 { return KeyNodeHeartbeat }

// RequestKind makes an empty request.
func (r *HeartbeatResponse) RequestKind() kmsg.Request { return &HeartbeatRequest{message: r.message} }

// AppendTo encodes the answer.
func (r *HeartbeatResponse) AppendTo(dst []byte) []byte {
	return writer(dst).int16(r.ErrorCode).string(r.ErrorMessage).bool(r.Fenced).bool(r.CaughtUp).bool(r.ShouldShutDown).
		int32(r.Leader).int32(r.LeaderEpoch).int32(r.StandingMs).int64(r.MetadataOffset).noTags()
}

// ReadFrom decodes the answer.
func (r *HeartbeatResponse) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.ErrorCode, r.ErrorMessage = in.Int16(), in.string()
		r.Fenced, r.CaughtUp, r.ShouldShutDown = in.bool(), in.bool(), in.bool()
		r.Leader, r.LeaderEpoch, r.StandingMs = in.Int32(), in.Int32(), in.Int32()
		r.MetadataOffset = in.Int64()
	})
}
