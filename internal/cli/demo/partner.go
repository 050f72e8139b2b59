package demo

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"

	"ottla/internal/event/webhook"
)

const (
	// partnerAddress is where the carrier listens where that is free: who has run the
	// demo before finds its rule unchanged.
	partnerAddress = "127.0.0.1:8485"
	// partnerSecret signs what he is sent. It protects nothing.
	partnerSecret = "whsec_b3R0bGEtZGVtby1zaG9wLWNhcnJpZXIta2V5"
	// mostCall bounds a call.
	mostCall = 64 << 10
)

// partner is the carrier's program, which is called when a parcel is ready.
type partner struct {
	tally *tally
	key   webhook.Key
	calls atomic.Int64
	port  net.Listener
	srv   *http.Server
}

func listen(t *tally) (*partner, error) {
	key, err := webhook.ParseKey(partnerSecret)
	if err != nil {
		return nil, fmt.Errorf("the carrier's secret: %w", err)
	}
	port, err := net.Listen("tcp", partnerAddress)
	if err != nil {
		port, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("listen for the carrier: %w", err)
	}
	p := &partner{tally: t, key: key, port: port}
	p.srv = &http.Server{Handler: p, ReadHeaderTimeout: callWithin}
	return p, nil
}

func (p *partner) url() string { return "http://" + p.port.Addr().String() + "/pick-up" }

// serve answers until ctx is over.
func (p *partner) serve(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = p.srv.Close() })
	defer stop()
	_ = p.srv.Serve(p.port) // it ends by Close
}

// ServeHTTP takes a call. Every sixth fails, and is made again; every seventeenth is one
// that will never be taken.
func (p *partner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostCall))
	signed := webhook.Signed{ID: r.Header.Get(webhook.HeaderID), Timestamp: r.Header.Get(webhook.HeaderTimestamp), Signature: r.Header.Get(webhook.HeaderSignature)}
	sec, numberErr := strconv.ParseInt(signed.Timestamp, 10, 64) // by the node's clock, which may be moved
	if err != nil || numberErr != nil || webhook.Verify([]webhook.Key{p.key}, signed, body, sec) != nil {
		http.Error(w, "this is no call of the demo's shop", http.StatusUnauthorized)
		return
	}
	switch n := p.calls.Add(1); {
	case n%6 == 2:
		p.tally.add(Failed)
		http.Error(w, "all vans are out, try again", http.StatusServiceUnavailable)
	case n%17 == 5:
		p.tally.add(Refused)
		http.Error(w, "there is no such street", http.StatusBadRequest)
	default:
		p.tally.add(Called)
		w.WriteHeader(http.StatusAccepted)
	}
}

// Close ends the port of one that does not serve.
func (p *partner) Close() { _ = p.port.Close() }
