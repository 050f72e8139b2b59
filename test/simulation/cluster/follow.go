package cluster

import (
	"time"

	"ottla/internal/partition"
	"ottla/internal/wire"
)

// fetchers keep the followers of a node up with their leaders: what package
// replicate does, as events; one request for each partition.
type fetchers struct {
	p     *process
	all   map[*partition.Partition]*follower
	next  int
	pipes map[int32]*pipe // to other nodes
}

func newFetchers(p *process) *fetchers {
	return &fetchers{p: p, all: map[*partition.Partition]*follower{}, pipes: map[int32]*pipe{}}
}

// pipe is the connection to a node.
func (f *fetchers) pipe(to int32) *pipe {
	if f.pipes[to] == nil {
		f.pipes[to] = new(pipe)
	}
	return f.pipes[to]
}

// follower is a partition that follows. It implements partition.Reporter.
type follower struct {
	f             *fetchers
	part          *partition.Partition
	at            partition.Describe
	leader, epoch int32
	asked         int // the number of the question that counts
	waits         bool
	pause         time.Duration
	told          int64
	telling       bool
	stuck         bool
}

// Follow implements broker.Followers.
func (f *fetchers) Follow(p *partition.Partition, leader, leaderEpoch int32) {
	if x := f.all[p]; x != nil && x.leader == leader && x.epoch == leaderEpoch {
		return
	}
	x := &follower{f: f, part: p, at: p.Describe(), leader: leader, epoch: leaderEpoch, told: -1}
	f.all[p] = x
	p.Report(x)
	f.p.after(0, x.ask)
}

// Unfollow implements broker.Followers.
func (f *fetchers) Unfollow(p *partition.Partition) {
	if f.all[p] != nil {
		delete(f.all, p)
		p.Report(nil)
	}
}

// Following implements broker.Followers.
func (f *fetchers) Following() int { return len(f.all) }

// Close implements broker.Followers.
func (f *fetchers) Close() { clear(f.all) }

func (x *follower) gone() bool { return x.f.all[x.part] != x }

// ask sends the leader the next question.
func (x *follower) ask() {
	p := x.f.p
	if x.gone() || x.waits {
		return
	}
	pos, err := x.part.Follow()
	if err == nil && pos.Lost {
		p.w.hit("replica lost what was durable")
		p.w.rules.begunAgain(p, x.part)
		if err = x.part.StartOver(pos.LeaderEpoch, 0); err == nil {
			pos, err = x.part.Follow()
		}
	}
	if err != nil {
		x.later()
		return
	}
	x.f.next++
	x.asked, x.waits, x.told = x.f.next, true, pos.Synced
	q := question{
		part: x.at, epoch: x.epoch, replica: p.n.id, pos: pos, brokerEpoch: -1,
		most: 50 + p.w.work.IntN(4000), stuck: x.stuck,
	}
	if me := p.broker.Image().Broker(p.n.id); me != nil {
		q.brokerEpoch = me.Epoch
	}
	asked := x.asked
	p.ask(request{
		to: x.leader, pipe: x.f.pipe(x.leader), timeout: fetchWait + 1500*time.Millisecond,
		serve: func(q2 *process, answer func(any)) { q2.serveFetch(q, answer) },
		done: func(answer any, _ bool) {
			if x.gone() || x.asked != asked {
				return
			}
			x.waits = false
			row, ok := answer.(row)
			if !ok {
				x.later()
				return
			}
			x.take(row)
		},
	})
}

// take does what an answer asks for, as package replicate does.
func (x *follower) take(r row) {
	w := x.f.p.w
	var err error
	switch {
	case r.code == wire.OffsetOutOfRange && r.start >= 0:
		w.hit("replica starts over")
		w.rules.begunAgain(x.f.p, x.part)
		err = x.part.StartOver(x.epoch, r.start)
	case r.code == wire.CorruptMessage && (w.o.Rot || w.ruined): // the leader says that it cannot read what it has
		w.hit("damage said to a follower")
		x.later()
		return
	case r.code != wire.None:
		err = r.code
	case r.diverging:
		w.hit("replica truncates")
		if w.o.Rot && x.f.p.n.id == w.rotter {
			// A batch that cannot be read goes whole, even where some of it is committed:
			// whoever has to truncate is not in sync.
			w.rules.begunAgain(x.f.p, x.part)
		}
		_, err = x.part.TruncateTo(x.epoch, r.divergingEpoch, r.divergingEnd)
	default:
		_, err = x.part.AppendFollower(r.records, &partition.FollowerArgs{LeaderEpoch: x.epoch, HighWatermark: r.high, LogStart: r.start})
	}
	if err != nil {
		if x.stuck = r.code == wire.None && wire.CodeOf(err) == wire.KafkaStorageError; x.stuck {
			w.hit("follower stuck")
		}
		x.f.p.suspect("follow "+x.at.Topic, err)
		x.later()
		return
	}
	x.pause, x.stuck = 0, false
	x.f.p.after(time.Millisecond, x.ask)
}

// later asks again after a pause, longer each time.
func (x *follower) later() {
	x.pause = min(max(2*x.pause, 20*time.Millisecond), time.Second)
	x.f.p.after(x.pause, x.ask)
}

// Synced implements partition.Reporter: the leader hears of it at once.
func (x *follower) Synced() {
	if x.telling {
		return
	}
	x.telling = true
	p := x.f.p
	p.after(0, func() {
		x.telling = false
		synced := x.part.Synced()
		if x.gone() || !x.waits || synced <= x.told {
			return
		}
		x.told = synced
		p.w.carryIn(x.f.pipe(x.leader), p.n.id, x.leader, func() {
			p.w.arrive(x.leader, func(q *process) { q.serveProgress(p.n.id, x.at, x.epoch, synced) })
		})
	})
}

// suspect fails on an error that no fault explains.
func (p *process) suspect(what string, err error) {
	switch wire.CodeOf(err) {
	case wire.NotLeaderOrFollower, wire.FencedLeaderEpoch, wire.UnknownLeaderEpoch, wire.UnknownTopicID, wire.UnknownTopicOrPartition,
		wire.KafkaStorageError, wire.NotEnoughReplicas, wire.NotEnoughReplicasAfterAppend, wire.OffsetOutOfRange:
		return
	case wire.CorruptMessage:
		if p.w.o.Rot && p.n.id == p.w.rotter || p.w.ruined {
			p.w.hit("damage said to a reader")
			return
		}
	}
	if p.n.cut || p.n.failing || p.dir.Err() != nil || full(err) {
		return
	}
	p.w.fail("%v: %s: %v", p.n, what, err)
}
