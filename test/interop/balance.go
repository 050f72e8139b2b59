package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"sync/atomic"

	"ottla/test/rig"
)

// mostBody bounds a request that is passed on: a batch of SQS is smaller.
const mostBody = 8 << 20

// balancer is one address in front of the HTTP ports of all nodes, as a load
// balancer is: every request goes to the next node, whatever the one before went
// to, and to another one where a node is not there. The Host of requests stays.
type balancer struct {
	nodes  []*rig.Node
	turn   atomic.Uint32
	base   *http.Transport
	server *http.Server
	addr   string
}

func startBalancer(nodes []*rig.Node) (*balancer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen in front of the nodes: %w", err)
	}
	b := &balancer{nodes: nodes, base: http.DefaultTransport.(*http.Transport).Clone(), addr: l.Addr().String()}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", b.addr, r.In.Host
		},
		Transport: b, ErrorLog: log.New(io.Discard, "", 0), // a node that goes while it answers is part of the matter: the client gets a 502
	}
	b.server = &http.Server{Handler: proxy, ErrorLog: proxy.ErrorLog}
	go func() { _ = b.server.Serve(l) }() // until stop
	return b, nil
}

func (b *balancer) stop() error {
	err := b.server.Close()
	b.base.CloseIdleConnections()
	return err
}

// RoundTrip sends a request to the next node; where it could not reach it, to the
// one after that.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(http.MaxBytesReader(nil, r.Body, mostBody)); err != nil {
			return nil, err
		}
	}
	turn := int(b.turn.Add(1))
	var err error
	for i := range b.nodes {
		one := r.Clone(r.Context())
		one.URL.Host, one.Body = b.nodes[(turn+i)%len(b.nodes)].HTTP, io.NopCloser(bytes.NewReader(body))
		var resp *http.Response
		resp, err = b.base.RoundTrip(one)
		var unreached *net.OpError
		if !errors.As(err, &unreached) || unreached.Op != "dial" {
			return resp, err
		}
	}
	return nil, err
}
