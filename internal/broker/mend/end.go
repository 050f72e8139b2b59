package mend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/partition"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

const (
	// brevity is how long a node may take to tell how far its log goes.
	brevity = 2 * time.Second
	// absence, in ticks, is how long a replica in doubt waits for others that may have
	// more and cannot be asked: as long as a follower may stay away until it is no longer
	// counted on (replica.lag.time.max.ms), and time enough for machines to start after a
	// power cut of all.
	absence = 30
	// arrival, in ticks, is how long it waits for those that nobody counts on and that do
	// not serve: after a power cut of all they may have everything and start a little later.
	arrival = 5
)

// heard is what others told of how far their logs go.
type heard struct {
	// heir is the replica that goes furthest of those that go further than this one,
	// nobody when there is none.
	heir int32
	// away are those that could not be asked and may go further.
	away []int32
	told int // how many others have told
	// sure: one has told that is counted on and not in doubt. It has everything that is
	// committed, and so has whoever goes as far.
	sure bool
}

const nobody = -1

// settleEnd ends the doubt about the end of a replica's log. The replica hears how far
// the others go. Where one goes further nobody counts on this one from then on; where
// none does it has everything that there is. Who cannot be asked is waited for, unless
// somebody who is sure has told, but not for ever where there are enough for records to
// be committed: then the controller is told, so that it is not done in silence.
func (k *Keeper) settleEnd(j *job, at *standing) error {
	if !at.mine {
		k.trust(j)
		return nil
	}
	h, err := k.hear(j, at)
	if err != nil {
		return err
	}
	if len(h.away) > 0 && (j.waited < absence || h.told+1 < j.p.Enough(len(at.others)+1)) {
		return fmt.Errorf("bytes at the end of %s-%d could not be read after the start, and nodes %v, which may have them, do not answer", at.key.Topic, at.key.Index, h.away)
	}
	if h.heir != nobody || len(h.away) > 0 {
		if err := k.settled(at, h); err != nil {
			return err
		}
	}
	k.say(at, h)
	k.trust(j)
	return nil
}

// say logs how a doubt ended.
func (k *Keeper) say(at *standing, h heard) {
	attrs := []slog.Attr{slog.String("topic", at.key.Topic), slog.Int("partition", int(at.key.Index)), slog.Int64("offset", at.key.Offsets.LogEnd)}
	switch {
	case h.heir != nobody:
		k.o.Logger.LogAttrs(k.ctx, slog.LevelWarn, "a replica whose last bytes could not be read after the start is not counted on until it has caught up",
			append(attrs, slog.Int("broker", int(h.heir)))...)
	case len(h.away) > 0:
		k.o.Logger.LogAttrs(k.ctx, slog.LevelWarn, "a replica whose last bytes could not be read after the start is counted on, though others that may have them are away",
			append(attrs, slog.Any("brokers", h.away))...)
	default:
		k.o.Logger.LogAttrs(k.ctx, slog.LevelInfo, "a replica whose last bytes could not be read after the start goes as far as any other", attrs...)
	}
}

// hear asks every other replica how far its log goes. One that has lost something of
// what it held is no measure; one that is not counted on and not there is not waited
// for long, and nobody is once it is sure.
func (k *Keeper) hear(j *job, at *standing) (heard, error) {
	h := heard{heir: nobody}
	most, err := j.p.Tail()
	if err != nil {
		return h, fmt.Errorf("see how far %s-%d goes: %w", at.key.Topic, at.key.Index, err)
	}
	least := 1
	if j.p.Damaged() {
		least = 0 // whoever goes as far has what is missing here
	}
	for _, node := range at.others {
		counts := slices.Contains(at.counted, node)
		t, err := k.tail(node, at)
		switch {
		case err != nil && !errors.Is(err, wire.CorruptMessage):
			if counts || slices.Contains(at.serving, node) || j.waited < arrival {
				h.away = append(h.away, node)
			}
			continue
		case err == nil && t.Compare(most) >= least:
			h.heir, most, least = node, t, 1
		}
		h.told++
		h.sure = h.sure || err == nil && counts && !t.Doubted
	}
	if h.sure {
		h.away = nil
	}
	return h, nil
}

// tail asks a node how far its log goes. One that did not answer is not asked again in
// this round.
func (k *Keeper) tail(node int32, at *standing) (partition.Tail, error) {
	if !slices.Contains(at.serving, node) || k.deaf[node] {
		return partition.Tail{}, wire.BrokerNotAvailable
	}
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	req.ReplicaID = k.o.NodeID
	t := kmsg.NewOffsetForLeaderEpochRequestTopic()
	t.Topic = at.key.Topic
	p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
	p.Partition, p.CurrentLeaderEpoch, p.LeaderEpoch = at.key.Index, -1, math.MaxInt32
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	ctx, cancel := context.WithTimeout(k.ctx, brevity)
	defer cancel()
	got, err := k.o.Ask(ctx, node, req)
	if err != nil {
		k.deaf[node] = true
		return partition.Tail{}, fmt.Errorf("ask node %d how far %s-%d goes: %w", node, at.key.Topic, at.key.Index, err)
	}
	resp, ok := got.(*kmsg.OffsetForLeaderEpochResponse)
	if !ok || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return partition.Tail{}, fmt.Errorf("node %d answers a question about one log's end with %T", node, got)
	}
	row := &resp.Topics[0].Partitions[0]
	if row.ErrorCode != 0 {
		return partition.Tail{}, wire.Code(row.ErrorCode)
	}
	return partition.Tail{Epoch: row.LeaderEpoch, End: row.EndOffset, Doubted: own.Doubts(&row.UnknownTags)}, nil
}

// settled has the controller decide what follows.
func (k *Keeper) settled(at *standing, h heard) error {
	ctx, cancel := context.WithTimeout(k.ctx, patience)
	defer cancel()
	_, err := k.o.Control(ctx, controller.SettleEnd{
		ID: k.o.NodeID, Epoch: at.epoch, TopicID: at.key.ID, Index: at.key.Index, PartitionEpoch: at.partitionEpoch, Heir: h.heir, Away: h.away,
	})
	if err != nil {
		return fmt.Errorf("tell the controller of the end of %s-%d: %w", at.key.Topic, at.key.Index, err)
	}
	return nil
}

// trust tells that the end of a log is no longer in doubt.
func (k *Keeper) trust(j *job) {
	k.mu.Lock()
	was := j.doubt
	j.doubt = false
	k.mu.Unlock()
	if !was {
		return
	}
	j.tries = 0 // what else is to be done begins now
	if k.o.Trust != nil {
		k.o.Trust(j.p)
	}
}
