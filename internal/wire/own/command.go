package own

import "github.com/twmb/franz-go/pkg/kmsg"

// CommandRequest carries a command to the controller; package control writes
// and reads Kind and Body.
type CommandRequest struct {
	message
	// TimeoutMs is how long the asker waits for the answer.
	TimeoutMs int32
	Kind      string
	Body      []byte
}

// CommandResponse is the controller's answer.
type CommandResponse struct {
	message
	// ErrorCode is the refusal of the whole command. NOT_CONTROLLER says that
	// the command was certainly not accepted: it may be sent to another node.
	ErrorCode    int16
	ErrorMessage string
	// Undecided says of an error that the command may have been accepted all
	// the same.
	Undecided bool
	// Leader and LeaderEpoch are who leads as the asked node knows it; -1 when
	// it does not.
	Leader      int32
	LeaderEpoch int32
	// Offset is the metadata offset that the answer rests on, a refusal's
	// included; -1 when it rests on none.
	Offset int64
	Body   []byte
}

// Key is the request's key.
func (*CommandRequest) Key() int16 { return KeyCommand }

// ResponseKind makes an empty answer.
func (r *CommandRequest) ResponseKind() kmsg.Response {
	return &CommandResponse{message: r.message, Leader: -1, LeaderEpoch: -1, Offset: -1}
}

// AppendTo encodes the request.
func (r *CommandRequest) AppendTo(dst []byte) []byte {
	return writer(dst).int32(r.TimeoutMs).string(r.Kind).bytes(r.Body).noTags()
}

// ReadFrom decodes the request.
func (r *CommandRequest) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.TimeoutMs, r.Kind, r.Body = in.Int32(), in.string(), in.bytes()
	})
}

// Key is the request's key.
func (*CommandResponse) Key() int16 { return KeyCommand }

// RequestKind makes an empty request.
func (r *CommandResponse) RequestKind() kmsg.Request { return &CommandRequest{message: r.message} }

// AppendTo encodes the answer.
func (r *CommandResponse) AppendTo(dst []byte) []byte {
	return writer(dst).int16(r.ErrorCode).string(r.ErrorMessage).bool(r.Undecided).
		int32(r.Leader).int32(r.LeaderEpoch).int64(r.Offset).bytes(r.Body).noTags()
}

// ReadFrom decodes the answer.
func (r *CommandResponse) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.ErrorCode, r.ErrorMessage, r.Undecided = in.Int16(), in.string(), in.bool()
		r.Leader, r.LeaderEpoch, r.Offset = in.Int32(), in.Int32(), in.Int64()
		r.Body = in.bytes()
	})
}
