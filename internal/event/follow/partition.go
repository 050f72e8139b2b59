package follow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
)

// Options say what is read.
type Options struct {
	// Client makes a client of a Kafka door.
	Client func(opts ...kgo.Opt) (*kgo.Client, error)
	// Shared is used instead where it is set, and not closed. Who shares it waits
	// for what others wait for: Wait should be nothing then.
	Shared    *kgo.Client
	Topic     string
	Partition int32
	// From is the offset to begin at; what is below the log's beginning is not
	// there, and is skipped.
	From int64
	// Wait is how long Next waits at the end of the log before it gives nothing.
	Wait time.Duration
	// Moved is told when the log does not have what is to be read next: reading goes
	// on at its beginning, which is behind that where retention was faster, and before
	// it where the log lost its end. nil for nobody.
	Moved func(from, to int64)
	// Bytes is how much Next asks for at once; 0 is 1 MiB. A batch is given whole.
	Bytes int32
}

// Partition reads one partition. Close must follow.
type Partition struct {
	o      Options
	c      *kgo.Client
	unpack kgo.Decompressor
	at     int64

	// led is who answers fetches; its leader is -1 when he must be asked for.
	led lead
	// stable is the last stable offset that the leader told in this epoch, -1
	// before it told one.
	stable int64
}

// lead is who leads the partition, in which epoch, and the topic's id.
type lead struct {
	leader, epoch int32
	topic         uuid.UUID
}

// Open begins to read. It asks nobody yet.
func Open(o Options) (*Partition, error) {
	c := o.Shared
	if c == nil {
		var err error
		if c, err = o.Client(kgo.MetadataMinAge(10 * time.Millisecond)); err != nil {
			return nil, fmt.Errorf("read %s-%d: %w", o.Topic, o.Partition, err)
		}
	}
	if o.Bytes <= 0 {
		o.Bytes = mostBytes
	}
	p := &Partition{o: o, c: c, unpack: kgo.DefaultDecompressor(), at: max(0, o.From)}
	p.forget()
	return p, nil
}

// Close lets go of what the reader holds.
func (p *Partition) Close() {
	if p.c != p.o.Shared {
		p.c.Close()
	}
}

// At is the offset to read next: everything below it has been given, or is not
// there.
func (p *Partition) At() int64 { return p.at }

// GoTo has Next go on at an offset, wherever that is.
func (p *Partition) GoTo(offset int64) { p.at = max(0, offset) }

const (
	// answerWithin is how long Next tries while nobody answers.
	answerWithin = 5 * time.Second
	// pause is how long it rests in between.
	pause = 50 * time.Millisecond
)

// Next gives records, or none: those that follow At, which it moves. It gives none
// where there is nothing at At that is committed, and after Wait at the end of the
// log. An error tells that nobody has answered for some seconds, or that the answer
// is beyond repair; the next call tries again.
func (p *Partition) Next(ctx context.Context) ([]*kgo.Record, error) {
	for begun := time.Now(); ; {
		records, err := p.fetch(ctx)
		if err == nil {
			return records, nil
		}
		p.forget()
		if ctx.Err() != nil || errors.Is(err, kgo.ErrClientClosed) || time.Since(begun) > answerWithin {
			return nil, fmt.Errorf("read %s-%d from offset %d: %w", p.o.Topic, p.o.Partition, p.at, err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// End tells where what is committed ends: everything below is at rest. It asks again
// for some seconds where nobody can tell, as a leader that was just elected. Any goroutine
// may call it, also while another reads.
func (p *Partition) End(ctx context.Context) (int64, error) {
	for begun := time.Now(); ; {
		end, err := p.ask(ctx, atEnd)
		if err == nil {
			return end, nil
		}
		if ctx.Err() != nil || errors.Is(err, kgo.ErrClientClosed) || time.Since(begun) > answerWithin {
			return 0, fmt.Errorf("look where %s-%d ends: %w", p.o.Topic, p.o.Partition, err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// begin tells where the log begins.
func (p *Partition) begin(ctx context.Context) (int64, error) {
	begin, err := p.ask(ctx, atBegin)
	if err != nil {
		return 0, fmt.Errorf("look where it begins: %w", err)
	}
	return begin, nil
}

// The timestamps that ask for a log's beginning and its end.
const (
	atBegin = -2
	atEnd   = -1
)

// ask asks the leader for an offset. Of the topic's other partitions nothing is asked:
// they may be without a leader.
func (p *Partition) ask(ctx context.Context, timestamp int64) (int64, error) {
	at, err := p.find(ctx)
	if err != nil {
		return 0, err
	}
	row := kmsg.NewListOffsetsRequestTopicPartition()
	row.Partition, row.CurrentLeaderEpoch, row.Timestamp = p.o.Partition, at.epoch, timestamp
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic, topic.Partitions = p.o.Topic, append(topic.Partitions, row)
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.IsolationLevel, req.Topics = -1, 1, append(req.Topics, topic)
	raw, err := p.c.Broker(int(at.leader)).Request(ctx, req)
	if err != nil {
		return 0, err
	}
	resp := raw.(*kmsg.ListOffsetsResponse)
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return 0, errors.New("the answer is not of the partition")
	}
	got := &resp.Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
		return 0, err
	}
	return got.Offset, nil
}
