package produce

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Steady makes of a function that makes clients one whose clients keep to the first id
// that they are told of a topic: of another they hear that the node does not know theirs.
//
// kgo takes any other id for that of a topic that was made anew, and fails at once what is
// on its way with UNKNOWN_TOPIC_ID, as if it was refused. Where a node that is behind told
// it, the topic is the same, and the records may be written. So whoever leads the topic
// decides of each: it takes the record, or refuses it for the id. When nobody has told the
// id for as long as records are tried, the other passes, so that what waits for a node that
// does not come back has an end.
func Steady(begin func(opts ...kgo.Opt) (*kgo.Client, error)) func(opts ...kgo.Opt) (*kgo.Client, error) {
	return func(opts ...kgo.Opt) (*kgo.Client, error) {
		asked, err := begin(opts...) // it is only to tell how it dials
		if err != nil {
			return nil, err
		}
		dial, ok := asked.OptValue(kgo.Dialer).(func(context.Context, string, string) (net.Conn, error))
		asked.Close()
		if !ok {
			return nil, errors.New("a Kafka client does not tell how it dials")
		}
		kept := &ids{known: map[string]*known{}}
		return begin(append(append([]kgo.Opt(nil), opts...), kgo.Dialer(func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &steadyConn{Conn: c, ids: kept, asked: map[int32]int16{}}, nil
		}))...)
	}
}

// ids are those of a client's topics.
type ids struct {
	mu    sync.Mutex // guards known
	known map[string]*known
}

// known is what a client was told first of a topic.
type known struct {
	id    [16]byte
	since time.Time // when another was told that nobody contradicted since; or zero
}

// hear takes what a node knows, and makes what the client shall hear of it. It tells
// whether that is something else.
func (d *ids) hear(resp *kmsg.MetadataResponse, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	changed := false
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Topic == nil || t.ErrorCode != 0 || t.TopicID == [16]byte{} {
			continue
		}
		k := d.known[*t.Topic]
		switch {
		case k == nil:
			d.known[*t.Topic] = &known{id: t.TopicID}
			continue
		case k.id == t.TopicID:
			k.since = time.Time{}
			continue
		case k.since.IsZero():
			k.since = now
		case now.Sub(k.since) >= within:
			continue
		}
		t.ErrorCode, t.TopicID, t.Partitions = kerr.UnknownTopicID.Code, k.id, nil
		changed = true
	}
	return changed
}

// mostAnswer bounds a node's answer, as kgo bounds it.
const mostAnswer = 100 << 20

// answerHead and requestHead are what answers and requests are known by: their size and
// their correlation id; a request has its key and version between them.
const (
	answerHead  = 8
	requestHead = 12
)

// steadyConn is a client's connection to a node.
type steadyConn struct {
	net.Conn
	ids *ids

	mu    sync.Mutex      // guards asked
	asked map[int32]int16 // the versions of requests for metadata on their way, by their correlation ids

	// What the client reads next, and how much of an answer follows that it reads from
	// the node. They are of the goroutine that reads, as is head.
	next []byte
	left int
	head [answerHead]byte
}

// Write takes one request, which kgo writes at once.
func (c *steadyConn) Write(b []byte) (int, error) {
	if len(b) < requestHead || int64(binary.BigEndian.Uint32(b)) != int64(len(b)-4) {
		return 0, fmt.Errorf("a Kafka client wrote %d bytes that are no request", len(b))
	}
	if int16(binary.BigEndian.Uint16(b[4:])) == int16(kmsg.Metadata) {
		c.mu.Lock()
		c.asked[int32(binary.BigEndian.Uint32(b[8:]))] = int16(binary.BigEndian.Uint16(b[6:]))
		c.mu.Unlock()
	}
	return c.Conn.Write(b)
}

func (c *steadyConn) Read(b []byte) (int, error) {
	if len(c.next) == 0 && c.left == 0 {
		if err := c.answer(); err != nil {
			return 0, err
		}
	}
	if len(c.next) > 0 {
		n := copy(b, c.next)
		c.next = c.next[n:]
		return n, nil
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

// answer begins to read one.
func (c *steadyConn) answer() error {
	head := c.head[:]
	if _, err := io.ReadFull(c.Conn, head); err != nil {
		return err
	}
	size := int64(binary.BigEndian.Uint32(head)) - (answerHead - 4)
	if size < 0 || size > mostAnswer {
		return fmt.Errorf("an answer of a node has %d bytes", size)
	}
	corr := int32(binary.BigEndian.Uint32(head[4:]))
	c.mu.Lock()
	version, ok := c.asked[corr]
	delete(c.asked, corr)
	c.mu.Unlock()
	if !ok {
		c.next, c.left = head, int(size)
		return nil
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(c.Conn, body); err != nil {
		return err
	}
	body, err := c.ids.told(version, body)
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint32(head, uint32(len(body)+answerHead-4))
	c.next = append(head, body...)
	return nil
}

// told is hear with an answer's bytes, after its correlation id.
func (d *ids) told(version int16, body []byte) ([]byte, error) {
	resp := kmsg.NewPtrMetadataResponse()
	resp.SetVersion(version)
	tags := 0
	if resp.IsFlexible() {
		if tags = 1; len(body) == 0 || body[0] != 0 {
			return nil, errors.New("an answer of a node has tags that nobody knows")
		}
	}
	if err := resp.ReadFrom(body[tags:]); err != nil {
		return nil, fmt.Errorf("read what a node knows of topics: %w", err)
	}
	if !d.hear(resp, time.Now()) {
		return body, nil
	}
	return resp.AppendTo(append([]byte(nil), body[:tags]...)), nil
}
