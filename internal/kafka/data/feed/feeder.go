package feed

import (
	"log/slog"
	"sync"
	"time"

	"ottla/internal/kafka/api"
	"ottla/internal/kafka/wheel"
	"ottla/internal/metric"
	"ottla/internal/partition"
	"ottla/internal/quota"
	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
	"ottla/internal/wire/pull"
)

// Partitions finds a partition that is led here, or says with a code why there is
// none.
type Partitions interface {
	ByID(id uuid.UUID, index int32) (*partition.Partition, wire.Code)
}

// Options make a Feeder.
type Options struct {
	Partitions Partitions
	Wheel      *wheel.Wheel
	Logger     *slog.Logger
	Fed        *metric.Counter // bytes of records; nil: not measured
	Throttle   *quota.Quota    // of throttled replicas that are not in sync; nil: none is
}

// Feeder holds the sessions of the nodes that follow this one. Its methods may be
// called from any goroutine.
type Feeder struct {
	o Options

	mu       sync.Mutex
	sessions map[uint64]*session // by connection
	last     int32               // session id given out
}

// New makes a Feeder without sessions.
func New(o Options) *Feeder { return &Feeder{o: o, sessions: map[uint64]*session{}} }

// mostWait bounds how long a follower may have its fetch parked.
const mostWait = 30 * time.Second

// Fetch serves a fetch of a replica: Fetch v18 on the connection of a node. False
// tells that it is none: nodes are clients of each other as well.
func (f *Feeder) Fetch(c *api.Conn, r *api.Request) (api.Answer, bool, error) {
	if c.Node < 0 || r.Version != pull.Version {
		return nil, false, nil
	}
	var req pull.Request
	if err := req.Parse(r.Body); err != nil {
		return nil, true, err
	}
	if req.Replica < 0 {
		return nil, false, nil
	}
	return f.fetch(c, r, &req), true, nil
}

func (f *Feeder) fetch(c *api.Conn, r *api.Request, req *pull.Request) api.Answer {
	a := &answer{head: r.Header, feeder: f, maxBytes: int(max(req.MaxBytes, 0)), sessionID: req.SessionID}
	a.head.ClientID = nil // a view
	a.wait = min(time.Duration(max(req.MaxWaitMs, 0))*time.Millisecond, mostWait)
	if req.SessionEpoch == 0 {
		a.wait = 0 // the follower may add to the session once it knows of it
	}
	a.timer.Fire = a.expire
	if req.Replica != c.Node {
		a.code = wire.ClusterAuthorizationFailed
		a.Ready()
		return a
	}
	s, code := f.enter(c, req)
	if a.code = code; code == wire.None {
		a.session, a.sessionID = s, s.id
		s.take(req)
		s.hurry()
	}
	a.Ready()
	return a
}

// enter finds the session of a request, or opens one.
func (f *Feeder) enter(c *api.Conn, req *pull.Request) (*session, wire.Code) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.sessions[c.ID]
	switch {
	case req.SessionEpoch == 0:
		if s != nil {
			s.end()
		}
		f.last = max(f.last+1, 1)
		s = newSession(f, f.last, req)
		f.sessions[c.ID] = s
		id := c.ID
		c.AtClose(f, func() { f.close(id) })
		return s, wire.None
	case s == nil || s.id != req.SessionID:
		return nil, wire.FetchSessionIDNotFound
	case req.SessionEpoch != s.epoch:
		return nil, wire.InvalidFetchSessionEpoch
	}
	s.epoch++
	return s, wire.None
}

// close ends the session of a connection that has ended.
func (f *Feeder) close(conn uint64) {
	f.mu.Lock()
	s := f.sessions[conn]
	delete(f.sessions, conn)
	f.mu.Unlock()
	if s != nil {
		s.end()
	}
}

// Progress serves ReplicaProgress: how far a follower has synced what it fetched.
// It gets no answer; what cannot be used is left out, the next fetch tells it.
func (f *Feeder) Progress(c *api.Conn, r *api.Request) (api.Answer, error) {
	var req own.ProgressRequest
	if err := req.ReadFrom(r.Body); err != nil {
		return nil, err
	}
	if req.Replica != c.Node {
		return nil, wire.Errorf(wire.ClusterAuthorizationFailed, "node %d tells the progress of node %d", c.Node, req.Replica)
	}
	f.mu.Lock()
	s := f.sessions[c.ID]
	f.mu.Unlock()
	if s == nil {
		return nil, nil
	}
	for i := range req.Topics {
		t := &req.Topics[i]
		for _, p := range t.Partitions {
			s.progress(pull.Key{Topic: t.ID, Index: p.Index}, p.LeaderEpoch, p.SyncedOffset)
		}
	}
	return nil, nil
}
