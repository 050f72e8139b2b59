package kafka

import (
	"net"
	"testing"

	"ottla/internal/config"
)

func TestOnlyWhatIsSetFixesASocketsBuffers(t *testing.T) {
	for name, c := range map[string]struct {
		set  map[string]string
		want buffers
	}{
		"nothing":          {nil, buffers{local: localSend}},
		"both":             {map[string]string{"socket.send.buffer.bytes": "4096", "socket.receive.buffer.bytes": "8192"}, buffers{send: 4096, receive: 8192}},
		"the system's":     {map[string]string{"socket.send.buffer.bytes": "-1", "socket.receive.buffer.bytes": "-1"}, buffers{}},
		"the default, set": {map[string]string{"socket.send.buffer.bytes": "102400"}, buffers{send: 102400}},
	} {
		static, err := config.StaticOf("test", c.set)
		if err != nil {
			t.Fatal(err)
		}
		if got := newBuffers(&config.View{Static: static, NodeID: 1}); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestAReaderOnThisMachineIsKnownByItsAddress(t *testing.T) {
	for _, c := range []struct {
		local, remote string
		want          bool
	}{
		{"127.0.0.1", "127.0.0.1", true},
		{"::1", "::1", true},
		{"10.0.0.5", "10.0.0.5", true},
		{"10.0.0.5", "10.0.0.6", false},
	} {
		l, r := &net.TCPAddr{IP: net.ParseIP(c.local)}, &net.TCPAddr{IP: net.ParseIP(c.remote)}
		if got := sameMachine(l, r); got != c.want {
			t.Errorf("from %s to %s: %v, want %v", c.local, c.remote, got, c.want)
		}
	}
	if sameMachine(&net.UnixAddr{}, &net.TCPAddr{}) {
		t.Error("a socket of another kind counts as one over the loopback device")
	}
}
