package replicate

import (
	"net"
	"time"

	"ottla/internal/partition"
	"ottla/internal/wire/own"
	"ottla/internal/wire/pull"
)

// send sends what there is to send, and tells when to look again.
func (n *fetcher) send() time.Duration {
	n.sending.Lock()
	defer n.sending.Unlock()
	conn, next, fetch := n.gather(time.Now())
	if conn == nil {
		return next
	}
	n.out = n.out[:0]
	if fetch {
		n.ask()
	}
	n.progress()
	if len(n.out) == 0 {
		return next
	}
	_ = conn.SetWriteDeadline(time.Now().Add(n.all.o.Settings().Silence))
	if _, err := conn.Write(n.out); err != nil {
		_ = conn.Close() // the reader sees it
	}
	if cap(n.out) > keepBuffer {
		n.out = nil
	}
	return next
}

// longest is how long the writer sleeps when nothing is due.
const longest = time.Minute

// gather takes the partitions to ask about, and those whose syncs the leader is to
// hear of, and tells whether a fetch is due.
func (n *fetcher) gather(now time.Time) (conn net.Conn, next time.Duration, fetch bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	next = longest
	if n.conn == nil {
		return nil, next, false
	}
	n.batch, n.syncs = n.batch[:0], append(n.syncs[:0], n.synced...)
	for _, x := range n.synced {
		x.news = false
	}
	n.synced = n.synced[:0]
	room := len(n.underWay) < mostUnderWay
	if len(n.underWay) > 0 && n.sessionID == 0 {
		room = false // the session is not known yet
	}
	holds := false
	if room {
		n.idle, next, holds = n.takeDue(now)
	}
	// With nothing but partitions that are held back a session is opened too: the
	// connection is not silent for as long as they wait.
	fetch = room && (len(n.batch) > 0 || len(n.forgotten) > 0 || len(n.underWay) == 0 && (n.sessionID != 0 || holds))
	if !fetch {
		return n.conn, next, false
	}
	n.request = pull.Request{
		Asks: n.request.Asks[:0], Forgotten: append(n.request.Forgotten[:0], n.forgotten...),
		SessionID: n.sessionID, SessionEpoch: n.sessionEpoch,
	}
	n.forgotten = n.forgotten[:0]
	n.sessionEpoch++
	n.correlation++
	n.underWay = append(n.underWay, n.correlation)
	return n.conn, next, true
}

// takeDue moves the partitions that are due from idle to batch, and tells when the
// next one is, and whether some are held back by the rate of throttled replicas. mu
// is held.
func (n *fetcher) takeDue(now time.Time) (rest []*part, next time.Duration, holds bool) {
	rest, next = n.idle[:0], longest
	again := n.reached()
	for _, x := range n.idle {
		switch {
		case x.gone:
		case now.Before(x.due):
			rest = append(rest, x)
			next = min(next, x.due.Sub(now))
		case again > 0 && !x.level && x.partition.ThrottledFollower():
			rest, holds = append(rest, x), true
			next = min(next, again)
			if !x.held {
				x.held = true
				n.all.o.Quota.Refused()
			}
		default:
			x.listed, x.asked, x.held = false, true, false
			n.batch = append(n.batch, x)
		}
	}
	clear(n.idle[len(rest):])
	return rest, next, holds
}

// reached tells when to look again at throttled replicas that are not in sync,
// where they may fetch nothing now (KIP-73).
func (n *fetcher) reached() time.Duration {
	if !n.all.o.Quota.Limited() {
		return 0
	}
	_, again := n.all.o.Quota.Room()
	return again
}

// ask appends a fetch to out.
func (n *fetcher) ask() {
	o := n.all.o.Settings()
	r := &n.request
	r.Replica, r.BrokerEpoch = n.all.o.NodeID, n.all.o.BrokerEpoch()
	r.MaxWaitMs, r.MinBytes, r.MaxBytes = int32(o.Wait/time.Millisecond), 1, o.ResponseBytes
	for _, x := range n.batch {
		pos, err := n.stand(x)
		if err != nil {
			n.later(x, err)
			continue
		}
		r.Asks = append(r.Asks, pull.Ask{
			Key: x.key, LeaderEpoch: pos.LeaderEpoch, Offset: pos.End, LastEpoch: pos.LastEpoch,
			LogStart: pos.LogStart, MaxBytes: o.PartitionBytes, High: pos.HighWatermark, Synced: pos.Synced, Stuck: n.isStuck(x),
		})
		x.told = pos.Synced
	}
	clear(n.batch)
	n.all.o.Metrics.Requests.Inc()
	start := len(n.out)
	n.mu.Lock()
	correlation := n.correlation
	n.mu.Unlock()
	n.out = r.Append(appendHeader(n.out, keyFetch, pull.Version, correlation))
	endFrame(n.out, start)
}

func (n *fetcher) isStuck(x *part) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return x.stuck
}

// stand tells where a partition stands; one that has lost what it had begins again.
func (n *fetcher) stand(x *part) (partition.Following, error) {
	pos, err := x.partition.Follow()
	if err != nil || !pos.Lost {
		return pos, err
	}
	if err := x.partition.StartOver(pos.LeaderEpoch, 0); err != nil {
		return pos, err
	}
	return x.partition.Follow()
}

// later has a partition asked about again after a pause.
func (n *fetcher) later(x *part, _ error) {
	most := n.all.o.Settings().Backoff
	n.mu.Lock()
	defer n.mu.Unlock()
	x.rest(time.Now(), most)
	n.list(x)
}

// progress appends what partitions have synced since the leader was told: of those
// whose question is there, the others tell with the next one.
func (n *fetcher) progress() {
	r := own.ProgressRequest{Replica: n.all.o.NodeID, BrokerEpoch: n.all.o.BrokerEpoch()}
	for _, x := range n.syncs {
		synced := x.partition.Synced()
		if synced <= x.told || !n.waits(x) {
			continue
		}
		x.told = synced
		if k := len(r.Topics); k == 0 || r.Topics[k-1].ID != x.key.Topic {
			r.Topics = append(r.Topics, own.ProgressTopic{ID: x.key.Topic})
		}
		t := &r.Topics[len(r.Topics)-1]
		t.Partitions = append(t.Partitions, own.ProgressPartition{Index: x.key.Index, LeaderEpoch: x.leaderEpoch, SyncedOffset: synced})
	}
	clear(n.syncs)
	if len(r.Topics) == 0 {
		return
	}
	start := len(n.out)
	n.mu.Lock()
	n.correlation++
	correlation := n.correlation
	n.mu.Unlock()
	n.out = r.AppendTo(appendHeader(n.out, own.KeyReplicaProgress, 0, correlation))
	endFrame(n.out, start)
}

// waits tells whether the leader has a partition's question.
func (n *fetcher) waits(x *part) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return x.asked && !x.gone
}
