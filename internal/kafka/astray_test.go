package kafka

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

// Who asks a node that is cut off which node to go to is answered once, and sent off
// when it asks again; what else it asks is served, and a new connection as well.
func TestACutOffNodeTellsTheWayOnce(t *testing.T) {
	var mute atomic.Bool
	r := newRigWith(t, nil, func(o *Options) {
		o.Mute = mute.Load
		for i := range o.APIs {
			o.APIs[i].Directs = o.APIs[i].Key == wire.KeyMetadata
		}
	})
	addr := r.listen(Listener{})
	way := kmsg.NewPtrMetadataRequest()
	way.Version = 12
	asked, fresh := r.dial(addr), r.dial(addr)
	for range 3 {
		ask(t, asked, way)
	}
	mute.Store(true)
	for range 2 {
		ask(t, asked, apiVersions(3))
		send(t, asked, op('r', 1, 0))
		receive(t, asked)
	}
	for name, nc := range map[string]net.Conn{"it asked before": asked, "it asks again": fresh} {
		if nc == fresh {
			ask(t, nc, way)
		}
		send(t, nc, kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, way, 78))
		_ = nc.SetDeadline(time.Now().Add(patience))
		if b, err := readFrame(nc); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: answered %x, %v; want a reset", name, b, err)
		}
	}
	mute.Store(false)
	again := r.dial(addr)
	for range 3 {
		ask(t, again, way)
	}
}
