package own

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
)

// ProgressRequest tells a leader how far a follower has synced while the
// follower's fetch is parked there. It gets no answer.
type ProgressRequest struct {
	message
	Replica     int32 // the follower
	BrokerEpoch int64 // of its registration
	Topics      []ProgressTopic
}

// ProgressTopic is the progress in one topic.
type ProgressTopic struct {
	ID         uuid.UUID
	Partitions []ProgressPartition
}

// ProgressPartition is the progress in one partition.
type ProgressPartition struct {
	Index       int32
	LeaderEpoch int32 // that the follower follows
	// SyncedOffset is the end of what the follower has synced.
	SyncedOffset int64
}

// The fewest bytes of an element, which bound the counts.
const (
	minProgressTopic     = 16 + 1 + 1
	minProgressPartition = 4 + 4 + 8 + 1
)

// Key is the request's key.
func (*ProgressRequest) Key() int16 { return KeyReplicaProgress }

// NoAnswer implements Unanswered.
func (*ProgressRequest) NoAnswer() {}

// ResponseKind makes a response, which is never sent.
func (r *ProgressRequest) ResponseKind() kmsg.Response { return &ProgressResponse{message: r.message} }

// AppendTo encodes the request.
func (r *ProgressRequest) AppendTo(dst []byte) []byte {
	w := writer(dst).int32(r.Replica).int64(r.BrokerEpoch).length(len(r.Topics))
	for i := range r.Topics {
		t := &r.Topics[i]
		w = w.uuid(t.ID).length(len(t.Partitions))
		for _, p := range t.Partitions {
			w = w.int32(p.Index).int32(p.LeaderEpoch).int64(p.SyncedOffset).noTags()
		}
		w = w.noTags()
	}
	return w.noTags()
}

// ReadFrom decodes the request.
func (r *ProgressRequest) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.Replica, r.BrokerEpoch = in.Int32(), in.Int64()
		r.Topics = list(in, minProgressTopic, (*reader).progressTopic)
	})
}

func (r *reader) progressTopic() ProgressTopic {
	return ProgressTopic{ID: r.UUID(), Partitions: list(r, minProgressPartition, (*reader).progressPartition)}
}

func (r *reader) progressPartition() ProgressPartition {
	return ProgressPartition{Index: r.Int32(), LeaderEpoch: r.Int32(), SyncedOffset: r.Int64()}
}

// ProgressResponse exists since every request has a kind of answer.
type ProgressResponse struct{ message }

// Key is the request's key.
func (*ProgressResponse) Key() int16 { return KeyReplicaProgress }

// RequestKind makes an empty request.
func (r *ProgressResponse) RequestKind() kmsg.Request { return &ProgressRequest{message: r.message} }

// AppendTo encodes it.
func (r *ProgressResponse) AppendTo(dst []byte) []byte { return writer(dst).noTags() }

// ReadFrom decodes it.
func (r *ProgressResponse) ReadFrom(src []byte) error { return read(src, func(*reader) {}) }
