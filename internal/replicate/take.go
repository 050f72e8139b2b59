package replicate

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"time"

	"ottla/internal/partition"
	"ottla/internal/wire"
	"ottla/internal/wire/pull"
)

// takeAll takes answers off a connection until it ends, or is not needed any more.
func (n *fetcher) takeAll(conn net.Conn) error {
	in := bufio.NewReaderSize(conn, 64<<10)
	var buf []byte
	var resp pull.Response
	for n.wanted() {
		o := n.all.o.Settings()
		_ = conn.SetReadDeadline(time.Now().Add(o.Wait + o.Silence))
		frame, err := readFrame(in, &buf)
		if err != nil {
			return fmt.Errorf("fetch from node %d: %w", n.node, err)
		}
		body, err := n.match(frame)
		if err == nil {
			err = resp.Parse(body)
		}
		if err == nil && resp.Code != wire.None {
			err = resp.Code
		}
		if err != nil {
			return fmt.Errorf("answer of node %d: %w", n.node, err)
		}
		n.begun(&resp)
		for i := range resp.Rows {
			n.take(&resp.Rows[i])
		}
		if n.send() < longest {
			n.stir() // the writer watches the clock
		}
		if cap(buf) > keepBuffer {
			buf = nil
		}
	}
	return errNothing
}

// match takes an answer's header off: answers come in the order of the fetches.
func (n *fetcher) match(frame []byte) ([]byte, error) {
	correlation, body, err := parseHeader(frame)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.underWay) == 0 || n.underWay[0] != correlation {
		return nil, fmt.Errorf("it is to request %d, which is not the next one under way", correlation)
	}
	n.underWay = append(n.underWay[:0], n.underWay[1:]...)
	return body, nil
}

// begun notes the session, and that the node answers.
func (n *fetcher) begun(r *pull.Response) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sessionID = r.SessionID
	if n.failures > 0 {
		n.failures = 0
		n.all.o.Logger.Info("replicas reach their leader's node again", slog.Int("broker", int(n.node)), slog.Int("count", len(n.parts)))
	}
}

// take hands a row to its partition. A row that nobody waits for is of a question
// that was given up.
func (n *fetcher) take(row *pull.Row) {
	n.mu.Lock()
	x := n.parts[row.Key]
	waits := x != nil && x.asked
	n.mu.Unlock()
	if !waits {
		return
	}
	again, err := n.apply(x, row)
	if err != nil {
		n.failed(x, row, err)
		return
	}
	level := row.Code == wire.None && row.High >= 0 && row.High <= x.partition.Offsets().LogEnd
	n.mu.Lock()
	defer n.mu.Unlock()
	x.well()
	x.level = level
	if again {
		n.list(x)
	}
}

// apply does what an answer asks for; again says that the partition asks anew.
func (n *fetcher) apply(x *part, row *pull.Row) (again bool, err error) {
	switch {
	case row.Code == wire.OffsetOutOfRange && row.LogStart >= 0:
		return true, x.partition.StartOver(x.leaderEpoch, row.LogStart)
	case row.Code != wire.None:
		return false, row.Code
	case row.Diverging:
		_, err := x.partition.TruncateTo(x.leaderEpoch, row.DivergingEpoch, row.DivergingEnd)
		return true, err
	}
	n.all.o.Metrics.Fetched.Add(len(row.Records))
	if n.all.o.Quota.Limited() && x.partition.ThrottledFollower() {
		n.all.o.Quota.Take(len(row.Records))
	}
	start := x.partition.Offsets().LogStart
	_, err = x.partition.AppendFollower(row.Records, &partition.FollowerArgs{
		LeaderEpoch: x.leaderEpoch, HighWatermark: row.High, LogStart: row.LogStart,
	})
	// That records are gone here too the leader shall hear at once (KIP-107).
	return len(row.Records) > 0 || x.partition.Offsets().LogStart != start, err
}

// failed has a partition wait. What passes by itself, since somebody does not know
// the newest metadata yet, is no news; the rest is said once.
func (n *fetcher) failed(x *part, row *pull.Row, err error) {
	n.mu.Lock()
	first := x.pause == 0
	if row.Code == wire.None { // else it is the leader that fails
		x.stuck = wire.CodeOf(err) == wire.KafkaStorageError
	}
	n.mu.Unlock()
	n.later(x, err)
	switch wire.CodeOf(err) {
	case wire.NotLeaderOrFollower, wire.FencedLeaderEpoch, wire.UnknownLeaderEpoch, wire.UnknownTopicID, wire.UnknownTopicOrPartition:
		return
	}
	if first {
		n.all.o.Logger.Warn("replica cannot follow its leader, and tries again",
			slog.String("topic", x.partition.Topic()), slog.Int("partition", int(row.Index)),
			slog.Int("broker", int(n.node)), slog.Int("leader_epoch", int(x.leaderEpoch)), slog.Any("err", err))
	}
}
