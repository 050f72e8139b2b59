package produce

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// kgo does not name the error of records whose topic it was made to forget.
func TestPurgedIsWhatKgoSays(t *testing.T) {
	c, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:1"), kgo.Dialer(func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("nobody is there")
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	said := make(chan error, 1)
	c.Produce(t.Context(), &kgo.Record{Topic: "orders"}, func(_ *kgo.Record, err error) { said <- err })
	c.PurgeTopicsFromProducing("orders")
	if err := <-said; !swept(err) {
		t.Errorf("kgo says %v", err)
	}
}
