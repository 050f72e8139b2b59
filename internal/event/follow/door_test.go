package follow_test

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/record"
)

// door is a Kafka door to one partition, "t-0", whose log is what a test says.
type door struct {
	t *testing.T

	mu      sync.Mutex
	start   int64
	end     int64  // of what is committed and stable
	batches []span // in order
	aborted []kmsg.FetchResponseTopicPartitionAbortedTransaction
	refuse  []error // answers to the fetches that come next, nil: a true one
	unsure  int     // questions for an offset that come next, and are told nothing
	hidden  int     // fetches that come next, and are given nothing of the log
	epoch   int32
	fetches []int64 // the offsets that were asked for
	waits   []int32
	lonely  bool // another partition of the topic has no leader
}

// span is a batch.
type span struct {
	first, last int64
	bytes       []byte
}

// put adds a batch with a record at each offset; none: an empty batch.
func (d *door) put(first, last int64, records bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := record.NewBuilder()
	for at := first; at <= last; at++ {
		b.Add(1, nil, []byte{byte(at)})
	}
	bytes := b.Build(first)
	if !records {
		h, err := record.ParseHeader(bytes)
		if err != nil {
			d.t.Fatal(err)
		}
		bytes = record.EmptyBatch(nil, &h)
	}
	d.batches, d.end = append(d.batches, span{first, last, bytes}), last+1
}

// abort has the batch that was put last be of a transaction that was aborted.
func (d *door) abort(producer int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.batches[len(d.batches)-1]
	s.bytes[22] |= 1 << 4 // transactional
	binary.BigEndian.PutUint64(s.bytes[43:], uint64(producer))
	binary.BigEndian.PutUint32(s.bytes[17:], crc32.Checksum(s.bytes[21:], crc32.MakeTable(crc32.Castagnoli)))
	a := kmsg.NewFetchResponseTopicPartitionAbortedTransaction()
	a.ProducerID, a.FirstOffset = producer, s.first
	d.aborted = append(d.aborted, a)
}

// client makes a client that comes to the door.
func (d *door) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers("door:1"), kgo.Dialer(func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go d.serve(far)
		return near, nil
	})}, opts...)...)
}

// serve answers one connection until it ends.
func (d *door) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	for {
		var size [4]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		b := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		r := kbin.Reader{Src: b}
		req := kmsg.RequestForKey(r.Int16())
		req.SetVersion(r.Int16())
		id := r.Int32()
		r.NullableString()
		if req.IsFlexible() {
			kmsg.SkipTags(&r)
		}
		if err := req.ReadFrom(r.Src); err != nil {
			d.t.Errorf("a request of kind %d: %v", req.Key(), err)
			return
		}
		resp := d.answer(req)
		resp.SetVersion(req.GetVersion())
		out := kbin.AppendInt32(make([]byte, 4), id)
		if _, hello := req.(*kmsg.ApiVersionsRequest); req.IsFlexible() && !hello {
			out = append(out, 0)
		}
		out = resp.AppendTo(out)
		binary.BigEndian.PutUint32(out, uint32(len(out)-4))
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

func (d *door) answer(req kmsg.Request) kmsg.Response {
	d.mu.Lock()
	defer d.mu.Unlock()
	resp := req.ResponseKind()
	switch q := req.(type) {
	case *kmsg.ApiVersionsRequest:
		for key, most := range map[int16]int16{1: 16, 2: 7, 3: 12, 18: 3} {
			k := kmsg.NewApiVersionsResponseApiKey()
			k.ApiKey, k.MaxVersion = key, most
			resp.(*kmsg.ApiVersionsResponse).ApiKeys = append(resp.(*kmsg.ApiVersionsResponse).ApiKeys, k)
		}
	case *kmsg.MetadataRequest:
		d.metadata(q, resp.(*kmsg.MetadataResponse))
	case *kmsg.ListOffsetsRequest:
		p := kmsg.NewListOffsetsResponseTopicPartition()
		if p.Offset = d.end; q.Topics[0].Partitions[0].Timestamp == -2 {
			p.Offset = d.start
		}
		if d.unsure > 0 {
			d.unsure--
			p.Offset, p.ErrorCode = -1, kerr.OffsetNotAvailable.Code
		}
		t := kmsg.NewListOffsetsResponseTopic()
		t.Topic, t.Partitions = "t", append(t.Partitions, p)
		resp.(*kmsg.ListOffsetsResponse).Topics = append(resp.(*kmsg.ListOffsetsResponse).Topics, t)
	case *kmsg.FetchRequest:
		d.fetch(q, resp.(*kmsg.FetchResponse))
	}
	return resp
}

func (d *door) metadata(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
	b := kmsg.NewMetadataResponseBroker()
	b.NodeID, b.Host, b.Port = 7, "door", 1
	resp.Brokers, resp.ControllerID = append(resp.Brokers, b), 7
	p := kmsg.NewMetadataResponseTopicPartition()
	p.Leader, p.LeaderEpoch, p.Replicas, p.ISR = 7, d.epoch, []int32{7}, []int32{7}
	t := kmsg.NewMetadataResponseTopic()
	t.Topic, t.TopicID, t.Partitions = kmsg.StringPtr("t"), [16]byte{1}, append(t.Partitions, p)
	if d.lonely {
		p := kmsg.NewMetadataResponseTopicPartition()
		p.Partition, p.ErrorCode, p.Leader, p.Replicas = 1, kerr.LeaderNotAvailable.Code, -1, []int32{8}
		t.Partitions = append(t.Partitions, p)
	}
	resp.Topics = append(resp.Topics, t)
}

func (d *door) fetch(q *kmsg.FetchRequest, resp *kmsg.FetchResponse) {
	asked := q.Topics[0].Partitions[0]
	d.fetches, d.waits = append(d.fetches, asked.FetchOffset), append(d.waits, q.MaxWaitMillis)
	p := kmsg.NewFetchResponseTopicPartition()
	p.HighWatermark, p.LastStableOffset, p.LogStartOffset, p.AbortedTransactions = d.end, d.end, d.start, d.aborted
	var refused error
	if len(d.refuse) > 0 {
		refused, d.refuse = d.refuse[0], d.refuse[1:]
	}
	switch {
	case refused != nil:
		p.ErrorCode = refused.(*kerr.Error).Code
		d.epoch++
	case asked.CurrentLeaderEpoch != d.epoch:
		p.ErrorCode = kerr.FencedLeaderEpoch.Code
	case asked.FetchOffset < d.start || asked.FetchOffset > d.end:
		p.ErrorCode = kerr.OffsetOutOfRange.Code
	case d.hidden > 0:
		d.hidden--
	default:
		for _, s := range d.batches {
			if s.last >= asked.FetchOffset && len(p.RecordBatches) == 0 {
				p.RecordBatches = s.bytes // one at a time
			}
		}
	}
	t := kmsg.NewFetchResponseTopic()
	t.Topic, t.TopicID, t.Partitions = "t", [16]byte{1}, append(t.Partitions, p)
	resp.Topics = append(resp.Topics, t)
}

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = time.Minute
