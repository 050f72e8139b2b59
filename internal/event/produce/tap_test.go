package produce_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// play is what becomes of a produce request.
type play struct {
	instead *kmsg.ProduceResponse // the answer; the node does not get the request
	came    func()                // called when the node has answered
	until   <-chan struct{}       // the client has the answer after this
}

// tap is between a client and its node.
type tap struct {
	net.Conn
	produce  func(*kmsg.ProduceRequest) play
	metadata func(*kmsg.MetadataResponse)

	over    chan struct{}
	once    sync.Once
	answers chan *pending // in the order of requests
	asked   chan *pending // those of them that the node answers
	rest    []byte        // of an answer that is being read
}

// pending is an answer to come.
type pending struct {
	play
	key, version int16
	corr         []byte
	frame        chan []byte
}

// tapped has a client go through taps.
func (r *rig) tapped(produce func(*kmsg.ProduceRequest) play, metadata func(*kmsg.MetadataResponse)) kgo.Opt {
	return kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := r.node.Dial(ctx)
		if err != nil {
			return nil, err
		}
		t := &tap{Conn: c, produce: produce, metadata: metadata, over: make(chan struct{}), answers: make(chan *pending, 1000), asked: make(chan *pending, 1000)}
		go t.hear()
		return t, nil
	})
}

// Write takes one request, which kgo writes at once.
func (t *tap) Write(b []byte) (int, error) {
	p := &pending{key: int16(binary.BigEndian.Uint16(b[4:])), version: int16(binary.BigEndian.Uint16(b[6:])), corr: append([]byte(nil), b[8:12]...), frame: make(chan []byte, 1)}
	if p.key == int16(kmsg.Produce) && t.produce != nil {
		req := kmsg.NewPtrProduceRequest()
		req.SetVersion(p.version)
		after := 14 + int(binary.BigEndian.Uint16(b[12:])) // the client's id
		if req.IsFlexible() {
			after++ // no tags
		}
		if err := req.ReadFrom(append([]byte(nil), b[after:]...)); err != nil {
			return 0, err
		}
		p.play = t.produce(req)
	}
	t.answers <- p
	if p.instead != nil {
		p.instead.SetVersion(p.version)
		p.frame <- p.made(p.instead)
		return len(b), nil
	}
	t.asked <- p
	return t.Conn.Write(b)
}

// made is an answer as it is written.
func (p *pending) made(resp kmsg.Response) []byte {
	b := append(make([]byte, 4), p.corr...)
	if resp.IsFlexible() {
		b = append(b, 0)
	}
	b = resp.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// hear takes what the node answers.
func (t *tap) hear() {
	for {
		size := make([]byte, 4)
		if _, err := io.ReadFull(t.Conn, size); err != nil {
			break
		}
		frame := append(size, make([]byte, binary.BigEndian.Uint32(size))...)
		if _, err := io.ReadFull(t.Conn, frame[4:]); err != nil {
			break
		}
		p := <-t.asked
		if p.key == int16(kmsg.Metadata) && t.metadata != nil {
			resp := kmsg.NewPtrMetadataResponse()
			resp.SetVersion(p.version)
			after := 8
			if resp.IsFlexible() {
				after++
			}
			if resp.ReadFrom(frame[after:]) != nil {
				break
			}
			t.metadata(resp)
			frame = p.made(resp)
		}
		if p.came != nil {
			p.came()
		}
		p.frame <- frame
	}
	t.once.Do(func() { close(t.over) })
}

func (t *tap) Read(b []byte) (int, error) {
	if len(t.rest) == 0 {
		select {
		case p := <-t.answers:
			if p.until != nil {
				select {
				case <-p.until:
				case <-t.over:
					return 0, io.EOF
				}
			}
			select {
			case t.rest = <-p.frame:
			case <-t.over:
				return 0, io.EOF
			}
		case <-t.over:
			return 0, io.EOF
		}
	}
	n := copy(b, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

func (t *tap) Close() error {
	t.once.Do(func() { close(t.over) })
	return t.Conn.Close()
}
