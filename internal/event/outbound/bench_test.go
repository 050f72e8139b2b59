package outbound

import (
	"context"
	"io"
	"net/http"
	"testing"
)

// BenchmarkDo is a call of an address that takes everything, with a body and headers as
// webhooks have them. The server's part is in it.
func BenchmarkDo(b *testing.B) {
	address, _ := server(b, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	c := client(b, Options{Guard: guard(b, GuardOptions{Loopback: true}), Agent: "test"})
	r := Request{Method: "POST", URL: address + "/orders?x=1", Body: make([]byte, 700), Header: map[string]string{
		"Content-Type": "application/json", "Idempotency-Key": "msg_2vq6bkd3c5tq2vq6bkd3c5tq", "Webhook-Id": "msg_2vq6bkd3c5tq2vq6bkd3c5tq",
		"Webhook-Timestamp": "1764200000", "Webhook-Signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
	}}
	b.ReportAllocs()
	for b.Loop() {
		if a := c.Do(context.Background(), r); a.Judge() != Delivered {
			b.Fatal(a.Why())
		}
	}
}
