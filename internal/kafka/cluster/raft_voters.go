package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/quorum"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Members is how requests reach the leader of the metadata quorum.
type Members interface {
	// Change carries out a change of the quorum where this node leads it; else
	// its error has quorum.NotLeading in the chain.
	Change(ctx context.Context, c quorum.MembershipChange) error
	// Forward gives a request to another node and returns its answer.
	Forward(ctx context.Context, node int32, req kmsg.Request) (kmsg.Response, error)
}

// replicaKey is a voter as Kafka's texts name one.
func replicaKey(id int32, directory uuid.UUID) string {
	return fmt.Sprintf("ReplicaKey(id=%d, directoryId=%s)", id, directory)
}

// voterKeys is the set of voters in Kafka's texts.
func voterKeys(q Quorum) string {
	var all []string
	for _, v := range q.Voters {
		all = append(all, replicaKey(v.ID, v.DirectoryID))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// AddRaftVoter (80), versions 0 to 1 (KIP-853): an observer that has caught up
// gets a vote.
//
//	v1  the answer may come before the change is committed
//
// It is waited for in any case.
func (h *handlers) addRaftVoter() api.API {
	return api.Row(0, 1, func(ctx context.Context, c *api.Conn, req *kmsg.AddRaftVoterRequest) (kmsg.Response, error) {
		return h.atLeader(ctx, c, req, func(ctx context.Context) (wire.Code, kmsg.Response) {
			resp := req.ResponseKind().(*kmsg.AddRaftVoterResponse)
			code, text := h.addVoter(ctx, req)
			resp.ErrorCode, resp.ErrorMessage = int16(code), text
			return code, resp
		})
	}, "A node becomes an observer by joining the cluster, never by this request; the id of its first data directory stands for that of its metadata log; the answer always waits for the commit.")
}

// RemoveRaftVoter (81), version 0 (KIP-853): a voter loses its vote and goes on
// as an observer.
func (h *handlers) removeRaftVoter() api.API {
	return api.Row(0, 0, func(ctx context.Context, c *api.Conn, req *kmsg.RemoveRaftVoterRequest) (kmsg.Response, error) {
		return h.atLeader(ctx, c, req, func(ctx context.Context) (wire.Code, kmsg.Response) {
			resp := req.ResponseKind().(*kmsg.RemoveRaftVoterResponse)
			code, text := h.removeVoter(ctx, req)
			resp.ErrorCode, resp.ErrorMessage = int16(code), text
			return code, resp
		})
	}, "Refused while those that would be left have no majority that answers; a leader hands its leadership on before it loses its vote.")
}

// UpdateRaftVoter (82), version 0 (KIP-853): a voter listens elsewhere.
func (h *handlers) updateRaftVoter() api.API {
	row := api.Row(0, 0, func(ctx context.Context, c *api.Conn, req *kmsg.UpdateRaftVoterRequest) (kmsg.Response, error) {
		return h.atLeader(ctx, c, req, func(ctx context.Context) (wire.Code, kmsg.Response) {
			resp := req.ResponseKind().(*kmsg.UpdateRaftVoterResponse)
			code := h.updateVoter(ctx, req)
			resp.ErrorCode = int16(code)
			q := h.d.Quorum()
			resp.CurrentLeader.LeaderID, resp.CurrentLeader.LeaderEpoch = q.Leader, q.Epoch
			if b := h.d.Cluster.Image().Broker(q.Leader); b != nil {
				resp.CurrentLeader.Host, resp.CurrentLeader.Port = address(c, b)
			}
			return code, resp
		})
	}, "Kafka's controllers serve it to each other alone; one port serves both here.")
	row.Unlisted = true
	return row
}

// leaderPause is between two looks for the quorum's leader.
const leaderPause = 50 * time.Millisecond

// atLeader has the quorum's leader carry a request out: here, or at the node
// that leads. While the leadership moves it looks again. A node that was asked
// by another one answers and forwards no more.
func (h *handlers) atLeader(ctx context.Context, c *api.Conn, req kmsg.Request, here func(context.Context) (wire.Code, kmsg.Response)) (kmsg.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	asked := c != nil && c.Node >= 0
	for {
		code, resp := wire.NotLeaderOrFollower, kmsg.Response(nil)
		if leader := h.d.Quorum().Leader; asked || leader < 0 || leader == h.d.NodeID {
			code, resp = here(ctx)
		} else if answer, err := h.d.Members.Forward(ctx, leader, req); err == nil {
			code, resp = answerCode(answer), answer
		}
		if asked || resp != nil && code != wire.NotLeaderOrFollower {
			return resp, nil
		}
		select {
		case <-time.After(leaderPause):
		case <-ctx.Done():
			if resp == nil {
				_, resp = here(ctx)
			}
			return resp, nil
		}
	}
}

// answerCode is what another node answered.
func answerCode(resp kmsg.Response) wire.Code {
	switch r := resp.(type) {
	case *kmsg.AddRaftVoterResponse:
		return wire.Code(r.ErrorCode)
	case *kmsg.RemoveRaftVoterResponse:
		return wire.Code(r.ErrorCode)
	case *kmsg.UpdateRaftVoterResponse:
		return wire.Code(r.ErrorCode)
	}
	return wire.UnknownServerError
}

func (h *handlers) otherCluster(id *string) (wire.Code, *string) {
	if id == nil || *id == h.d.ClusterID {
		return wire.None, nil
	}
	return wire.InconsistentClusterID, kmsg.StringPtr(fmt.Sprintf("The given id %q doesn't match the cluster id %q", *id, h.d.ClusterID))
}

func (h *handlers) addVoter(ctx context.Context, req *kmsg.AddRaftVoterRequest) (wire.Code, *string) {
	if code, text := h.otherCluster(req.ClusterID); code != wire.None {
		return code, text
	}
	directory := uuid.UUID(req.VoterDirectoryID)
	if req.VoterID < 0 || directory.IsZero() {
		return wire.InvalidRequest, kmsg.StringPtr("Add voter request didn't include a valid voter")
	}
	key := replicaKey(req.VoterID, directory)
	q := h.d.Quorum()
	for _, v := range q.Voters {
		if v.ID == req.VoterID {
			return wire.DuplicateVoter, kmsg.StringPtr(fmt.Sprintf("The voter id for %s is already part of the set of voters %s.", key, voterKeys(q)))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(max(req.TimeoutMillis, 0))*time.Millisecond)
	defer cancel()
	err := h.d.Members.Change(ctx, quorum.MembershipChange{Kind: quorum.Promote, Voter: quorum.Voter{ID: req.VoterID, DirectoryID: h.takesPartAs(q, req.VoterID, directory)}})
	switch {
	case errors.Is(err, quorum.ErrUnknownMember):
		return wire.RequestTimedOut, kmsg.StringPtr(fmt.Sprintf("New voter %s is not ready to receive requests", key))
	case errors.Is(err, quorum.ErrNotCaughtUp):
		return wire.RequestTimedOut, kmsg.StringPtr(fmt.Sprintf("Aborted add voter operation for %s since it is lagging behind", key))
	}
	return changed(err)
}

// takesPartAs is the directory under which a node takes part in the quorum, where
// it was named by its data directory: that is what Kafka's add-controller finds in
// meta.properties, but the metadata log of a node that joined has an id of its own.
func (h *handlers) takesPartAs(q Quorum, id int32, named uuid.UUID) uuid.UUID {
	b := h.d.Cluster.Image().Broker(id)
	if b == nil || !slices.Contains(b.Directories, named) {
		return named
	}
	for _, r := range q.Observers {
		if r.ID == id {
			return r.DirectoryID
		}
	}
	return named
}

func (h *handlers) removeVoter(ctx context.Context, req *kmsg.RemoveRaftVoterRequest) (wire.Code, *string) {
	if code, text := h.otherCluster(req.ClusterID); code != wire.None {
		return code, text
	}
	directory := uuid.UUID(req.VoterDirectoryID)
	if req.VoterID < 0 || directory.IsZero() {
		return wire.InvalidRequest, kmsg.StringPtr("Remove voter request didn't include a valid voter")
	}
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	err := h.d.Members.Change(ctx, quorum.MembershipChange{Kind: quorum.Demote, Voter: quorum.Voter{ID: req.VoterID, DirectoryID: directory}})
	if errors.Is(err, quorum.ErrUnknownMember) || errors.Is(err, quorum.ErrLastVoter) {
		return wire.VoterNotFound, kmsg.StringPtr(fmt.Sprintf("Cannot remove voter %s from the set of voters %s", replicaKey(req.VoterID, directory), voterKeys(h.d.Quorum())))
	}
	if err == nil && h.d.Cluster.Image().Broker(req.VoterID) == nil { // nobody will look after it as an observer
		if err := h.d.Members.Change(ctx, quorum.MembershipChange{Kind: quorum.Remove, Voter: quorum.Voter{ID: req.VoterID, DirectoryID: directory}}); err != nil && !errors.Is(err, quorum.ErrUnknownMember) {
			return changed(err)
		}
	}
	return changed(err)
}

func (h *handlers) updateVoter(ctx context.Context, req *kmsg.UpdateRaftVoterRequest) wire.Code {
	if code, _ := h.otherCluster(req.ClusterID); code != wire.None {
		return code
	}
	q := h.d.Quorum()
	switch {
	case q.Leader != h.d.NodeID:
		return wire.NotLeaderOrFollower
	case req.CurrentLeaderEpoch >= 0 && req.CurrentLeaderEpoch < q.Epoch:
		return wire.FencedLeaderEpoch
	case req.CurrentLeaderEpoch > q.Epoch:
		return wire.UnknownLeaderEpoch
	}
	directory := uuid.UUID(req.VoterDirectoryID)
	// Dynamic voters are version 1 of Kafka's quorum protocol.
	if r := req.KRaftVersionFeature; req.VoterID < 0 || directory.IsZero() || len(req.Listeners) == 0 || r.MinSupportedVersion > 1 || r.MaxSupportedVersion < 1 {
		return wire.InvalidRequest
	}
	v := quorum.Voter{ID: req.VoterID, DirectoryID: directory}
	known := false
	for _, m := range q.Voters {
		known = known || m.ID == v.ID && m.DirectoryID == directory
	}
	if !known {
		return wire.VoterNotFound
	}
	for _, l := range req.Listeners {
		v.Endpoints = append(v.Endpoints, quorum.VoterEndpoint{Name: l.Name, Host: l.Host, Port: l.Port})
	}
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	code, _ := changed(h.d.Members.Change(ctx, quorum.MembershipChange{Kind: quorum.Update, Voter: v}))
	return code
}

// changeTimeout bounds changes that name no time of their own.
const changeTimeout = createTimeout

// changed maps what a change ended with, as Kafka's clients know it.
func changed(err error) (wire.Code, *string) {
	switch {
	case err == nil:
		return wire.None, nil
	case errors.Is(err, quorum.ErrUndecided), errors.Is(err, context.DeadlineExceeded):
		return wire.RequestTimedOut, kmsg.StringPtr("Request timed out waiting for voters to commit the latest voter change")
	case errors.As(err, new(*quorum.NotLeading)):
		return wire.NotLeaderOrFollower, kmsg.StringPtr(api.KafkaText(wire.NotLeaderOrFollower))
	}
	return wire.CodeOf(err), kmsg.StringPtr(wire.MessageOf(err))
}
