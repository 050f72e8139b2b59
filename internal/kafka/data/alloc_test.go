//go:build !race

package data

import (
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// Under the race detector sync.Pool drops what it is given at random, hence the
// build constraint.

// exchange writes a request of bytes and reads the answer into buf, without
// allocating.
func exchange(t testing.TB, nc net.Conn, frame, buf []byte) {
	if _, err := nc.Write(frame); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(nc, buf[:4]); err != nil {
		t.Fatal(err)
	}
	n := int(buf[0])<<24 | int(buf[1])<<16 | int(buf[2])<<8 | int(buf[3])
	if _, err := io.ReadFull(nc, buf[:n]); err != nil {
		t.Fatal(err)
	}
}

// tcp connects to the rig's door over loopback.
func (r *rig) tcp() net.Conn {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(r.t, err)
	go func() { _ = r.door.Serve(l) }() // ends with the door
	nc, err := net.Dial("tcp", l.Addr().String())
	must(r.t, err)
	r.t.Cleanup(func() { nc.Close() })
	return nc
}

func TestSteadyProduceAndFetchAllocateNothing(t *testing.T) {
	format := kmsg.NewRequestFormatter(kmsg.FormatterClientID("steady"))
	opened := fetchRequest(12, map[int32]int64{0: 0, 1: 0})
	large := fetchRequest(12, map[int32]int64{2: 0})
	produce := produceRequest(9, -1, map[int32][]byte{0: batch("a"), 1: batch("b")})
	leader := produceRequest(13, 1, map[int32][]byte{0: batch("a")})
	inside := txnRequest(12, map[int32][]byte{2: inTxn(1, 0, 0, "a")}) // after the first time a duplicate of an open transaction
	settled := fetchRequest(12, map[int32]int64{0: 0, 1: 0})
	settled.IsolationLevel = 1
	for name, durability := range map[string]log.Durability{"fsync": log.Fsync, "replicated": log.Replicated} {
		r := newRigOn(t, vfs.NewOS(), t.TempDir(), nil, func(c *partition.Config) { c.Log.Durability, c.VerifyTransactions = durability, true })
		r.family.o.Transactions = &coordinators{answer: always(wire.None)}
		r.put(2, string(make([]byte, 100_000)))
		nc := r.tcp()
		buf := make([]byte, 4<<20)
		for _, tc := range []struct {
			what string
			req  kmsg.Request
		}{{"produce", produce}, {"produce by id", leader}, {"fetch", opened}, {"fetch by sendfile", large}, {"read committed", settled}, {"produce in a transaction", inside}} {
			frame := format.AppendRequest(nil, tc.req, 1)
			for range 200 { // pools and rings reach their size
				exchange(t, nc, frame, buf)
			}
			if n := testing.AllocsPerRun(500, func() { exchange(t, nc, frame, buf) }); n >= 1 {
				t.Errorf("%s, %s: %v allocations a request, want 0", name, tc.what, n)
			}
		}
	}
}

func TestAnIdleConnectionIsSmall(t *testing.T) {
	r := newRigOn(t, vfs.NewOS(), t.TempDir(), nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go func() { _ = r.door.Serve(l) }() // ends with the door
	versions := kmsg.NewPtrApiVersionsRequest()
	frame := kmsg.NewRequestFormatter().AppendRequest(nil, versions, 1)
	buf := make([]byte, 64<<10)
	const n = 300
	inUse := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before := inUse()
	for range n {
		nc, err := net.Dial("tcp", l.Addr().String())
		must(t, err)
		t.Cleanup(func() { nc.Close() })
		exchange(t, nc, frame, buf)
	}
	if per := (int64(inUse()) - int64(before)) / n; per > 16<<10 { // the test's own end is in it
		t.Errorf("%d bytes an idle connection, want at most 16 KiB", per)
	}
}
