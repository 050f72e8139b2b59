package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/rig"
)

// plant is a lie of the proxy that the checker must find.
type plant string

const (
	honest plant = ""
	// dirty turns read_committed fetches into read_uncommitted ones.
	dirty plant = "dirty"
	// commits turns some aborts into commits, aborts the other way round.
	commits plant = "commits"
	aborts  plant = "aborts"
)

var plants = []plant{honest, dirty, commits, aborts}

func plantNames() string {
	var out []string
	for _, p := range plants[1:] {
		out = append(out, string(p))
	}
	return strings.Join(out, ", ")
}

// maxFrame bounds a request of the clients.
const maxFrame = 16 << 20

// One of so many EndTxn is held back, and one of so many outlives its
// connection.
const (
	heldOneIn = 12
	lateOneIn = 30
)

// proxy stands between all clients and the broker. It may be used by several
// goroutines.
type proxy struct {
	listener net.Listener
	plant    plant
	all      sync.WaitGroup
	stop     chan struct{}
	store    *store

	mu     sync.Mutex // guards what follows
	target string
	quiet  bool // no more faults
	r      *rand.Rand
	conns  map[net.Conn]struct{}
	counts map[string]int
	wrong  []string
}

// laterThan is how long Kafka, which answers EndTxn before it has written
// markers, is given until an epoch must be over everywhere.
const laterThan = time.Second

func listen(o options) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the proxy: %w", err)
	}
	grace := time.Duration(0)
	if o.against == rig.Kafka {
		grace = laterThan
	}
	return &proxy{listener: l, plant: o.plant, stop: make(chan struct{}), store: newStore(grace), r: rand.New(rand.NewPCG(o.seed, 2)),
		conns: map[net.Conn]struct{}{}, counts: map[string]int{}}, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// serve begins to take connections, and to send again what is old.
func (p *proxy) serve(target string) {
	p.target = target
	p.all.Go(func() {
		for {
			c, err := p.listener.Accept()
			if err != nil {
				return // closed
			}
			p.all.Go(func() { p.connection(c) })
		}
	})
	p.all.Go(p.replay)
}

// calm ends the faults.
func (p *proxy) calm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quiet = true
}

func (p *proxy) close() error {
	err := p.listener.Close()
	close(p.stop)
	p.mu.Lock()
	for c := range p.conns {
		_ = c.Close() // its reader sees it
	}
	p.mu.Unlock()
	p.all.Wait()
	return err
}

func (p *proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = struct{}{}
}

func (p *proxy) drop(c net.Conn) {
	_ = c.Close() // it may be closed already
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *proxy) count(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[what]++
}

// oneIn is true once in n times, while faults are made.
func (p *proxy) oneIn(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.quiet && p.r.IntN(n) == 0
}

func (p *proxy) below(d time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return rand64(p.r, d)
}

// connection carries a client's requests and the answers to them.
func (p *proxy) connection(client net.Conn) {
	p.keep(client)
	defer p.drop(client)
	broker, err := net.DialTimeout("tcp", p.target, 2*time.Second)
	if err != nil {
		_ = client.(*net.TCPConn).SetLinger(0) // a reset, which is what a dead broker answers with
		return
	}
	p.keep(broker)
	late := false
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = io.Copy(client, broker) // until one of them is gone
		_ = client.Close()             // no answer will come any more
	}()
	defer func() {
		if !late {
			p.drop(broker)
			<-answered
		}
	}()
	for {
		frame, err := readFrame(client)
		if err != nil {
			return
		}
		frame = p.lie(frame)
		req := requestOf(frame)
		p.store.note(req, frame)
		if end, ok := req.(*kmsg.EndTxnRequest); ok {
			switch {
			case end.Version >= 5 && p.oneIn(lateOneIn):
				late = true
				p.all.Go(func() { p.outlive(broker, frame) })
				return
			case p.oneIn(heldOneIn):
				p.count("EndTxn held back")
				p.wait(p.below(1500 * time.Millisecond))
			}
		}
		if _, err := broker.Write(frame); err != nil {
			return
		}
	}
}

// outlive sends an EndTxn when the client's connection is long closed and the
// client has sent it again over another.
func (p *proxy) outlive(broker net.Conn, frame []byte) {
	defer p.drop(broker)
	p.count("EndTxn that came after the end of their connection")
	p.wait(100*time.Millisecond + p.below(2*time.Second))
	if _, err := broker.Write(frame); err == nil {
		p.wait(100 * time.Millisecond) // the broker may drop what a closed connection sent
	}
}

func (p *proxy) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.stop:
	case <-t.C:
	}
}

// readFrame reads a request with its length.
func readFrame(c io.Reader) ([]byte, error) {
	frame := make([]byte, 4)
	if _, err := io.ReadFull(c, frame); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(frame)
	if n > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	frame = append(frame, make([]byte, n)...)
	_, err := io.ReadFull(c, frame[4:])
	return frame, err
}

// watched are the APIs whose requests the proxy reads.
var watched = []int16{int16(kmsg.Produce), int16(kmsg.EndTxn), int16(kmsg.TxnOffsetCommit), int16(kmsg.Fetch)}

// requestOf reads a frame of a watched API; nil is any other, or one that
// cannot be read.
func requestOf(frame []byte) kmsg.Request {
	if len(frame) < 14 {
		return nil
	}
	key := int16(binary.BigEndian.Uint16(frame[4:]))
	if !slices.Contains(watched, key) {
		return nil
	}
	req := kmsg.RequestForKey(key)
	req.SetVersion(int16(binary.BigEndian.Uint16(frame[6:])))
	body := headerEnd(frame, req.IsFlexible())
	if body == nil || req.ReadFrom(body) != nil {
		return nil
	}
	return req
}

// headerEnd is what follows a request's header; nil when it has none.
func headerEnd(frame []byte, flexible bool) []byte {
	at := 14
	if n := int16(binary.BigEndian.Uint16(frame[12:])); n > 0 {
		at += int(n)
	}
	if flexible {
		at++ // no client sends tags there
	}
	if at > len(frame) {
		return nil
	}
	return frame[at:]
}

// lie bends a request as the plant has it.
func (p *proxy) lie(frame []byte) []byte {
	if p.plant == honest {
		return frame
	}
	req := requestOf(frame)
	switch r := req.(type) {
	case *kmsg.FetchRequest:
		if p.plant != dirty || r.IsolationLevel == 0 {
			return frame
		}
		r.IsolationLevel = 0
	case *kmsg.EndTxnRequest:
		if p.plant != commits && p.plant != aborts || r.Commit == (p.plant == commits) || !p.oneIn(10) {
			return frame
		}
		r.Commit = !r.Commit
	default:
		return frame
	}
	p.count("lies")
	head := frame[:len(frame)-len(headerEnd(frame, req.IsFlexible()))]
	bent := req.AppendTo(slices.Clone(head))
	binary.BigEndian.PutUint32(bent, uint32(len(bent)-4))
	return bent
}

// figures are the counts, sorted.
func (p *proxy) figures() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return figuresOf(p.counts)
}

// verdict tells what the broker took that it had to refuse, and with all which
// fault was never made.
func (p *proxy) verdict(all bool) error {
	missing := p.missing()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.wrong) > 0 {
		return fmt.Errorf("%d requests of epochs that are over were taken, such as: %s", len(p.wrong), strings.Join(p.wrong[:min(3, len(p.wrong))], "; "))
	}
	if all && len(missing) > 0 {
		return fmt.Errorf("a fault was never made: %s", strings.Join(missing, "; "))
	}
	return nil
}

// missing names the faults that were never made.
func (p *proxy) missing() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, what := range neededFaults {
		if p.counts[what] == 0 {
			out = append(out, what)
		}
	}
	return out
}

// neededFaults are those that a run of half a minute must make; it goes on until
// it has.
var neededFaults = []string{
	"EndTxn held back", "EndTxn that came after the end of their connection",
	"Produce of an old epoch refused", "EndTxn of an old epoch refused", "TxnOffsetCommit of an old epoch refused",
	"AddPartitionsToTxn of an old epoch refused", "AddOffsetsToTxn of an old epoch refused",
}
