package peer

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// The kernel gives up ends that are gone without a word within ten seconds,
// whether the connection is quiet or something is under way.
func TestHalfOpenEndsAreNoticedInTenSeconds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	tune(nc, unackedFor)
	rc, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	option := func(level, name int) (value int) {
		t.Helper()
		var serr error
		if err := rc.Control(func(fd uintptr) { value, serr = unix.GetsockoptInt(int(fd), level, name) }); err != nil || serr != nil {
			t.Fatal(err, serr)
		}
		return value
	}
	if option(unix.SOL_SOCKET, unix.SO_KEEPALIVE) == 0 {
		t.Error("no keep-alive")
	}
	idle, every, count := option(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE), option(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL), option(unix.IPPROTO_TCP, unix.TCP_KEEPCNT)
	if quiet := idle + every*count; quiet > 10 {
		t.Errorf("a quiet connection is given up after %d s (%d + %d × %d)", quiet, idle, every, count)
	}
	if busy := option(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); busy >= 1000*(idle+every*count) || busy == 0 {
		t.Errorf("unacknowledged bytes are given up after %d ms", busy)
	}
}
