// Package fake is listeners that answer as something else than Kafka, for tests
// of how commands tell what they met. It is not part of the product.
package fake

import (
	"net"
	"testing"
)

// Answering listens on the loopback address and answers the first bytes of every
// connection with text; nil closes it at once. It ends with the test.
func Answering(t *testing.T, text []byte) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 14)
			_, _ = c.Read(buf)
			_, _ = c.Write(text)
			_ = c.Close() // the caller sees what came
		}
	}()
	return l.Addr().String()
}
