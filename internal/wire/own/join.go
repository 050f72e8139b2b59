package own

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
)

// JoinQuorumRequest asks the quorum's leader to take a node in: as a learner
// first, as a voter when the quorum wants one.
type JoinQuorumRequest struct {
	message
	ClusterID string
	Node      int32
	Directory uuid.UUID // of the metadata log: a wiped one is another member
	Endpoints []Endpoint
	// NoVote asks for a learner's place for good.
	NoVote bool
}

// Endpoint is where a node listens.
type Endpoint struct {
	Name, Host string
	Port       uint16
}

// JoinQuorumResponse tells what became of it.
type JoinQuorumResponse struct {
	message
	ErrorCode    int16 // NOT_CONTROLLER: ask Leader
	ErrorMessage string
	Leader       int32 // -1 when not known
	LeaderEpoch  int32
	Voters       []QuorumMember
}

// QuorumMember is a voter as the answering node knows it.
type QuorumMember struct {
	Node      int32
	Directory uuid.UUID
	Endpoints []Endpoint
}

// The fewest bytes of an element, which bound the counts.
const (
	minEndpoint     = 1 + 1 + 2 + 1
	minQuorumMember = 4 + 16 + 1 + 1
)

// Key is the request's key.
func (*JoinQuorumRequest) Key() int16 { return KeyJoinQuorum }

// ResponseKind makes an empty answer.
func (r *JoinQuorumRequest) ResponseKind() kmsg.Response {
	return &JoinQuorumResponse{message: r.message, Leader: -1, LeaderEpoch: -1}
}

// AppendTo encodes the request.
func (r *JoinQuorumRequest) AppendTo(dst []byte) []byte {
	return writer(dst).string(r.ClusterID).int32(r.Node).uuid(r.Directory).endpoints(r.Endpoints).bool(r.NoVote).noTags()
}

// ReadFrom decodes the request.
func (r *JoinQuorumRequest) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.ClusterID, r.Node, r.Directory = in.string(), in.Int32(), in.UUID()
		r.Endpoints, r.NoVote = list(in, minEndpoint, (*reader).endpoint), in.bool()
	})
}

// Key is the request's key.
func (*JoinQuorumResponse) Key() int16 { return KeyJoinQuorum }

// RequestKind makes an empty request.
func (r *JoinQuorumResponse) RequestKind() kmsg.Request {
	return &JoinQuorumRequest{message: r.message}
}

// AppendTo encodes the answer.
func (r *JoinQuorumResponse) AppendTo(dst []byte) []byte {
	w := writer(dst).int16(r.ErrorCode).string(r.ErrorMessage).int32(r.Leader).int32(r.LeaderEpoch).length(len(r.Voters))
	for i := range r.Voters {
		v := &r.Voters[i]
		w = w.int32(v.Node).uuid(v.Directory).endpoints(v.Endpoints).noTags()
	}
	return w.noTags()
}

// ReadFrom decodes the answer.
func (r *JoinQuorumResponse) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.ErrorCode, r.ErrorMessage, r.Leader, r.LeaderEpoch = in.Int16(), in.string(), in.Int32(), in.Int32()
		r.Voters = list(in, minQuorumMember, (*reader).quorumMember)
	})
}

func (w writer) endpoints(all []Endpoint) writer {
	w = w.length(len(all))
	for _, e := range all {
		w = w.string(e.Name).string(e.Host).int16(int16(e.Port)).noTags()
	}
	return w
}

func (r *reader) endpoint() Endpoint {
	return Endpoint{Name: r.string(), Host: r.string(), Port: uint16(r.Int16())}
}

func (r *reader) quorumMember() QuorumMember {
	return QuorumMember{Node: r.Int32(), Directory: r.UUID(), Endpoints: list(r, minEndpoint, (*reader).endpoint)}
}
