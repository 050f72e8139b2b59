package shares

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/share"
	"ottla/internal/wire"
	"ottla/internal/wire/shape"
)

// ShareAcknowledge (79), versions 1-2: what a member says of records. The
// answer leaves when it is durable.
//
// v2 brings the renewal of locks (KIP-1222) and tells how long they are.
func (f *Family) shareAcknowledgeRow() api.API {
	return api.API{
		Key: kmsg.ShareAcknowledge.Int16(), Min: 1, Max: 2, ListedMin: 1, Serve: f.shareAcknowledge,
		Differences: []string{
			"A second acknowledgement of a record is INVALID_RECORD_STATE however long ago the first was; Kafka passes over it once the start offset has moved past the record.",
		},
	}
}

// shareAcknowledge implements api.API.Serve.
func (f *Family) shareAcknowledge(c *api.Conn, r *api.Request) (api.Answer, error) {
	if err := shape.Check(r.Key, r.Version, r.Body); err != nil {
		return nil, err
	}
	req := kmsg.NewPtrShareAcknowledgeRequest()
	req.SetVersion(r.Version)
	if err := req.ReadFrom(r.Body); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	a := &ackAnswer{f: f, conn: c, head: r.Header}
	a.head.ClientID = nil
	if a.problem = a.enter(req); a.problem != nil {
		a.Ready()
		return a, nil
	}
	f.acknowledge(a.key, a.parts, req.IsRenewAck, func() {
		a.settled = true
		a.Ready()
	})
	if req.ShareSessionEpoch == finalEpoch {
		f.left(a.key)
	}
	return a, nil
}

// ackAnswer is one ShareAcknowledge request on its way. settled is written
// before Ready and read after it.
type ackAnswer struct {
	api.Ticket
	f       *Family
	conn    *api.Conn
	head    wire.Header
	key     sessionKey
	parts   []ackPart
	problem error
	settled bool
}

// enter takes the step of the session.
func (a *ackAnswer) enter(req *kmsg.ShareAcknowledgeRequest) error {
	if req.GroupID == nil || *req.GroupID == "" || req.MemberID == nil || *req.MemberID == "" {
		return wire.Errorf(wire.InvalidRequest, "a ShareAcknowledge needs the ids of a group and of a member")
	}
	a.key = sessionKey{*req.GroupID, *req.MemberID}
	for i := range req.Topics {
		t := &req.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			row := ackPart{topic: t.TopicID, index: p.Partition, acks: make([]share.Ack, 0, len(p.AcknowledgementBatches))}
			for k := range p.AcknowledgementBatches {
				b := &p.AcknowledgementBatches[k]
				row.acks = append(row.acks, ackBatch(b.FirstOffset, b.LastOffset, b.AcknowledgeTypes))
			}
			a.parts = append(a.parts, row)
		}
	}
	switch req.ShareSessionEpoch {
	case initialEpoch:
		return wire.Errorf(wire.InvalidShareSessionEpoch, "a share session begins with a ShareFetch, not with acknowledgements")
	case finalEpoch:
		s, err := a.f.sessions.find(a.key)
		if err == nil {
			a.f.sessions.close(s)
		}
		return err
	}
	s, err := a.f.sessions.step(a.key, req.ShareSessionEpoch)
	if err == nil {
		s.mu.Unlock()
	}
	return err
}

// Build implements api.Answer.
func (a *ackAnswer) Build(out *api.Out) (bool, error) {
	if a.problem == nil && !a.settled {
		return false, nil
	}
	resp := kmsg.NewPtrShareAcknowledgeResponse()
	resp.SetVersion(a.head.Version)
	if a.key.group != "" {
		resp.AcquisitionLockTimeoutMillis = int32(min(a.f.settings(a.key.group).LockMs, 1<<31-1))
	}
	if a.problem != nil {
		resp.ErrorCode, resp.ErrorMessage = codeOf(a.problem), messageOf(a.problem)
	} else {
		var nodes leaders
		resp.Topics = a.topics(&nodes)
		for _, at := range nodes.addresses(a.conn) {
			n := kmsg.NewShareAcknowledgeResponseNodeEndpoint()
			n.NodeID, n.Host, n.Port = at.node, at.host, at.port
			resp.NodeEndpoints = append(resp.NodeEndpoints, n)
		}
	}
	start := len(out.Buf)
	out.Buf = wire.BeginFrame(out.Buf)
	out.Buf = wire.AppendResponseHeader(out.Buf, &a.head)
	out.Buf = resp.AppendTo(out.Buf)
	wire.EndFrame(out.Buf, start, 0)
	return true, nil
}

// topics are the rows of the answer; leaders that are told are noted.
func (a *ackAnswer) topics(nodes *leaders) []kmsg.ShareAcknowledgeResponseTopic {
	var out []kmsg.ShareAcknowledgeResponseTopic
	for i := range a.parts {
		p := &a.parts[i]
		if len(out) == 0 || out[len(out)-1].TopicID != p.topic {
			t := kmsg.NewShareAcknowledgeResponseTopic()
			t.TopicID = p.topic
			out = append(out, t)
		}
		row := kmsg.NewShareAcknowledgeResponseTopicPartition()
		row.Partition, row.ErrorCode, row.ErrorMessage = p.index, codeOf(p.err), messageOf(p.err)
		row.CurrentLeader.LeaderID, row.CurrentLeader.LeaderEpoch = a.f.leaderHint(nodes, p.topic, p.index, p.err)
		t := &out[len(out)-1]
		t.Partitions = append(t.Partitions, row)
	}
	return out
}

// Drop implements api.Answer.
func (a *ackAnswer) Drop() {}
