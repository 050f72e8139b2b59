package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/kafka/pipe"
	"ottla/internal/wire"
)

func apiVersions(version int16) *kmsg.ApiVersionsRequest {
	req := kmsg.NewPtrApiVersionsRequest()
	req.SetVersion(version)
	req.ClientSoftwareName, req.ClientSoftwareVersion, req.NodeID = "a-client", "1.2.3", -1
	return req
}

func TestApiVersionsInEveryVersion(t *testing.T) {
	nc := newRig(t, nil).dial("")
	for v := int16(0); v <= 5; v++ {
		resp := ask(t, nc, apiVersions(v)).(*kmsg.ApiVersionsResponse)
		got := map[int16][2]int16{}
		for _, k := range resp.ApiKeys {
			got[k.ApiKey] = [2]int16{k.MinVersion, k.MaxVersion}
		}
		if resp.ErrorCode != 0 || len(got) != 3 || got[0] != [2]int16{0, 13} || got[3] != [2]int16{0, 13} || got[18] != [2]int16{0, 5} {
			t.Errorf("v%d: code %d, %v", v, resp.ErrorCode, got)
		}
		wantFeatures := map[int16]int{3: 1, 4: 2, 5: 2}[v] // v3 leaves out what begins at 0
		if len(resp.SupportedFeatures) != wantFeatures {
			t.Errorf("v%d: supported %+v, want %d", v, resp.SupportedFeatures, wantFeatures)
		}
		if v >= 3 && (resp.FinalizedFeaturesEpoch != 41 || len(resp.FinalizedFeatures) != 1 || resp.FinalizedFeatures[0].MaxVersionLevel != 33) {
			t.Errorf("v%d: finalised %d %+v", v, resp.FinalizedFeaturesEpoch, resp.FinalizedFeatures)
		}
	}
}

func TestApiVersionsRefusals(t *testing.T) {
	text := func(s string) *string { return &s }
	nc := newRig(t, nil).dial("")
	for name, tc := range map[string]struct {
		version int16
		edit    func(*kmsg.ApiVersionsRequest)
		want    wire.Code
	}{
		"no name":            {3, func(r *kmsg.ApiVersionsRequest) { r.ClientSoftwareName = "" }, wire.InvalidRequest},
		"odd version":        {4, func(r *kmsg.ApiVersionsRequest) { r.ClientSoftwareVersion = "1 2" }, wire.InvalidRequest},
		"this node":          {5, func(r *kmsg.ApiVersionsRequest) { r.ClusterID, r.NodeID = text("c1"), 1 }, wire.None},
		"another cluster":    {5, func(r *kmsg.ApiVersionsRequest) { r.ClusterID, r.NodeID = text("c2"), 1 }, wire.RebootstrapRequired},
		"another node":       {5, func(r *kmsg.ApiVersionsRequest) { r.ClusterID, r.NodeID = text("c1"), 2 }, wire.RebootstrapRequired},
		"a cluster, no node": {5, func(r *kmsg.ApiVersionsRequest) { r.ClusterID = text("c1") }, wire.InvalidRequest},
		"a node, no cluster": {5, func(r *kmsg.ApiVersionsRequest) { r.NodeID = 1 }, wire.InvalidRequest},
	} {
		req := apiVersions(tc.version)
		tc.edit(req)
		resp := ask(t, nc, req).(*kmsg.ApiVersionsResponse)
		if resp.ErrorCode != int16(tc.want) || (len(resp.ApiKeys) > 0) != (tc.want == wire.None) {
			t.Errorf("%s: code %d with %d keys, want %s", name, resp.ErrorCode, len(resp.ApiKeys), tc.want.Name())
		}
	}
}

func TestAnUnknownApiVersionsIsAnsweredInVersionZero(t *testing.T) {
	nc := newRig(t, nil).dial("")
	send(t, nc, []byte{0, 0, 0, 11, 0, 18, 0, 9, 0, 0, 0, 5, 0xff, 0xff, 0})
	want := []byte{0, 0, 0, 5, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 5}
	if got := receive(t, nc); !bytes.Equal(got, want) {
		t.Fatalf("got %x, want %x", got, want)
	}
	ask(t, nc, apiVersions(3)) // the connection goes on
}

func TestWhatIsNotServedClosesTheConnection(t *testing.T) {
	header := func(key, version byte) []byte {
		return []byte{0, 0, 0, 11, 0, key, 0, version, 0, 0, 0, 5, 0xff, 0xff, 0}
	}
	for name, tc := range map[string]struct {
		bytes []byte
		log   string
	}{
		"unknown key":             {header(200, 0), "the API key is unknown"},
		"dead key":                {header(4, 0), "the API key is unknown"},
		"key not served here":     {header(52, 0), "Vote version 0 is not served here"},
		"version gone":            {header(0, 2), "Produce version 2 is not served here"},
		"version of the future":   {header(3, 99), "Metadata version 99 is not served here"},
		"negative length":         {[]byte{0xff, 0xff, 0xff, 0xff, 0}, "a request of -1 bytes"},
		"100 MB and one":          {[]byte{6, 0x40, 0, 1, 0}, "socket.request.max.bytes"},
		"no header":               {[]byte{0, 0, 0, 2, 0, 3}, "the request header is malformed"},
		"counts beyond the bytes": {[]byte{0, 0, 0, 14, 0, 3, 0, 4, 0, 0, 0, 5, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff}, "counts more elements"},
		"a handler's wish":        {op('c', 1, 0), "told to close"},
		"an answer's failure":     {op('e', 1, 0), "cannot be built"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			nc := r.dial("")
			b := tc.bytes
			if name == "no header" {
				b = append(b, 0) // greeting takes five bytes
			}
			send(t, nc, b)
			ends(t, nc)
			r.logged(tc.log)
		})
	}
}

func TestForeignProtocols(t *testing.T) {
	r := newRig(t, nil)
	addr := r.listen(Listener{})
	nc := r.dial(addr)
	send(t, nc, []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	got, err := io.ReadAll(nc)
	if text := string(got); !strings.HasPrefix(text, "HTTP/1.1 400 ") || !strings.Contains(text, "Kafka port") || !strings.Contains(text, "http://127.0.0.1:8080/") {
		t.Errorf("HTTP is answered %q, %v", got, err)
	}
	r.logged("speaks HTTP")
	r2 := newRig(t, nil)
	nc = r2.dial(r2.listen(Listener{}))
	send(t, nc, []byte{0x16, 3, 1, 2, 0, 1, 0})
	ends(t, nc)
	r2.logged("speaks TLS")
}

func TestAPanicCostsItsConnectionOnly(t *testing.T) {
	r := newRig(t, nil)
	other, nc := r.dial(""), r.dial("")
	send(t, nc, op('!', 9, 0))
	ends(t, nc)
	ask(t, other, apiVersions(3))
	r.logged("told to panic")
	if n := r.reg.Counter("ottla_kafka_handler_panics_total").Value(); n != 1 {
		t.Errorf("%d panics counted, want 1", n)
	}
}

func TestAHandlersErrorIsAnsweredWhereThereIsAPlace(t *testing.T) {
	r := newRig(t, nil)
	r.handle = func(context.Context, *api.Conn, kmsg.Request) (kmsg.Response, error) {
		return nil, errors.New("secret inside")
	}
	nc := r.dial("")
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(13)
	if resp := ask(t, nc, req).(*kmsg.MetadataResponse); resp.ErrorCode != int16(wire.UnknownServerError) {
		t.Errorf("code %d, want UNKNOWN_SERVER_ERROR", resp.ErrorCode)
	}
	r.logged("secret inside")
	r.handle = func(context.Context, *api.Conn, kmsg.Request) (kmsg.Response, error) { return nil, nil }
	send(t, nc, kmsg.NewRequestFormatter().AppendRequest(nil, req, 1))
	ends(t, nc)
}

func TestAnswersKeepTheOrderOfRequests(t *testing.T) {
	for _, over := range []string{"memory", "tcp"} {
		r := newRig(t, nil)
		addr := ""
		if over == "tcp" {
			addr = r.listen(Listener{})
		}
		nc := r.dial(addr)
		script := "ppwrpwbnrp"
		var all []byte
		for i, letter := range []byte(script) {
			all = append(all, op(letter, int32(i), i*1000)...)
		}
		send(t, nc, all)
		eventually(t, "all requests taken", func() bool { return len(r.answers()) == len(script)-1 })
		list := r.answers()
		for i := len(list) - 1; i >= 0; i-- { // the last first
			list[i].Ready()
		}
		for i, letter := range []byte(script) {
			if letter == 'n' {
				continue
			}
			if got := int(binary.BigEndian.Uint32(receive(t, nc))); got != i {
				t.Fatalf("%s: answer %d came, want %d", over, got, i)
			}
		}
	}
}

func TestAtMost64RequestsAreParked(t *testing.T) {
	r := newRig(t, nil)
	nc := r.dial("")
	go func() {
		for i := range int32(80) {
			if _, err := nc.Write(op('p', i, 0)); err != nil {
				return
			}
		}
	}()
	eventually(t, "64 parked", func() bool { return len(r.answers()) == maxParked })
	r.answers()[0].Ready()
	if got := binary.BigEndian.Uint32(receive(t, nc)); got != 0 {
		t.Fatalf("answer %d, want 0", got)
	}
	eventually(t, "one more", func() bool { return len(r.answers()) == maxParked+1 })
	for i := 1; i < 80; i++ {
		eventually(t, "the next", func() bool { return len(r.answers()) > i })
		r.answers()[i].Ready()
		if got := int(binary.BigEndian.Uint32(receive(t, nc))); got != i {
			t.Fatalf("answer %d, want %d", got, i)
		}
	}
}

func TestParkedBytesAreBounded(t *testing.T) {
	r := newRig(t, map[string]string{"socket.request.max.bytes": "1000"})
	nc := r.dial("")
	for i := range int32(4) {
		send(t, nc, op('p', i, 900))
	}
	eventually(t, "three parked", func() bool { return len(r.answers()) == 3 }) // over 2,000 bytes only with the third
	r.answers()[0].Ready()
	receive(t, nc)
	eventually(t, "the fourth", func() bool { return len(r.answers()) == 4 })
}

func TestClosingDropsWhatIsParked(t *testing.T) {
	r := newRig(t, nil)
	nc := r.dial(r.listen(Listener{}))
	send(t, nc, append(op('p', 1, 0), op('p', 2, 0)...))
	eventually(t, "both parked", func() bool { return len(r.answers()) == 2 })
	nc.Close()
	for _, a := range r.answers() {
		<-a.dropped
		a.Ready() // late: must do nothing
	}
	eventually(t, "the connection gone", func() bool { return r.door.Connections() == 0 })
}

func TestAClientThatNeverReads(t *testing.T) {
	r := newRig(t, nil)
	start := time.Now()
	var ahead atomic.Int64
	r.setNow(func() time.Time { return start.Add(time.Duration(ahead.Load())) })
	nc := r.dial("")
	for i := range int32(10) {
		send(t, nc, op('b', i, 0)) // 10 MB of answers into 256 KB of pipe
	}
	eventually(t, "writing has stalled", func() bool {
		r.door.mu.Lock()
		defer r.door.mu.Unlock()
		for c := range r.door.conns {
			return c.writingSince.Load() != 0
		}
		return false
	})
	ahead.Store(int64(stalled - time.Second))
	r.door.sweep()
	if n := r.door.Connections(); n != 1 {
		t.Fatalf("%d connections before its time, want 1", n)
	}
	ahead.Store(int64(stalled + time.Second))
	r.door.sweep()
	eventually(t, "the connection gone", func() bool { return r.door.Connections() == 0 })
	r.logged("does not read its answers")
}

func TestIdleConnectionsEndAndWaitingOnesDoNot(t *testing.T) {
	r := newRig(t, map[string]string{"connections.max.idle.ms": "60000"})
	start := time.Now()
	var ahead atomic.Int64
	r.setNow(func() time.Time { return start.Add(time.Duration(ahead.Load())) })
	silent, slow, waits := r.dial(""), r.dial(""), r.dial("")
	send(t, waits, op('p', 1, 0))
	eventually(t, "one parked", func() bool { return len(r.answers()) == 1 })
	frame := op('r', 1, 50)
	for i, b := range frame[:20] { // a byte every ten seconds is no request
		send(t, slow, []byte{b})
		ahead.Store(int64(time.Duration(i) * 10 * time.Second / 4))
	}
	ahead.Store(int64(61 * time.Second))
	r.door.sweep()
	ends(t, silent)
	ends(t, slow)
	if n := r.door.Connections(); n > 1 {
		eventually(t, "only the waiting one left", func() bool { return r.door.Connections() == 1 })
	}
	r.answers()[0].Ready()
	receive(t, waits)
}

func TestConnectionLimits(t *testing.T) {
	r := newRig(t, map[string]string{"max.connections": "3", "max.connections.per.ip": "2", "max.connections.per.ip.overrides": "10.0.0.1:1, 127.0.0.9:3"})
	addr := r.listen(Listener{})
	first, second := r.dial(addr), r.dial(addr)
	ask(t, first, apiVersions(3))
	ask(t, second, apiVersions(3))
	ends(t, r.dial(addr)) // a third from this address
	r.logged("max.connections.per.ip is reached")
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	third, err := dialer.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	ask(t, third, apiVersions(3))
	fourth, err := dialer.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer fourth.Close()
	fourth.SetDeadline(time.Now().Add(patience))
	ends(t, fourth)
	if n := r.reg.Counter("ottla_kafka_connections_refused_total").Value(); n != 2 {
		t.Errorf("%d refusals counted, want 2", n)
	}
	first.Close()
	eventually(t, "its place free", func() bool { return r.door.Connections() == 2 })
	ask(t, r.dial(addr), apiVersions(3))
	ask(t, r.dial(""), apiVersions(3)) // inside the process: not counted
}

func TestAdvertisedAddresses(t *testing.T) {
	r := newRig(t, nil)
	told := make(chan []string, 1)
	r.handle = func(_ context.Context, c *api.Conn, q kmsg.Request) (kmsg.Response, error) {
		var all []string
		for id := range int32(4) {
			host, port := c.Advertised(id)
			all = append(all, net.JoinHostPort(host, strconv.Itoa(int(port))))
		}
		told <- all
		return q.ResponseKind(), nil
	}
	req := kmsg.NewPtrMetadataRequest()
	plain := r.listen(Listener{})
	ask(t, r.dial(plain), req)
	got := <-told
	if want := []string{":-1", plain, "two.example:9999", ":-1"}; strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("plain: %v, want %v", got, want)
	}
	named := r.listen(Listener{Name: "OUTSIDE", AdvertiseHost: "broker.example", AdvertisePort: 19092})
	ask(t, r.dial(named), req)
	got = <-told
	if want := []string{":-1", "broker.example:19092", ":-1", ":-1"}; strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("named: %v, want %v", got, want)
	}
	ask(t, r.dial(""), req)
	got = <-told
	if got[1] != plain && got[1] != named {
		t.Errorf("memory: %s, want a listener's address", got[1])
	}
	c := &conn{as: Listener{Name: "PLAINTEXT"}}
	c.info.Local = pipe.Addr("[::]:9092")
	if host, port := r.door.advertised(c, 1); host != "localhost" || port != 9092 {
		t.Errorf("unspecified: %s %d", host, port)
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	base := runtime.NumGoroutine()
	r := newRig(t, nil)
	addr := r.listen(Listener{})
	for i := range 20 {
		nc := r.dial(addr)
		send(t, nc, op("prb"[i%3], 1, 0))
		r.dial("")
	}
	eventually(t, "all taken", func() bool { return len(r.answers()) == 20 })
	r.close()
	if _, err := r.door.Dial(); !errors.Is(err, ErrClosed) {
		t.Errorf("dial after close: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.door.Serve(l); !errors.Is(err, ErrClosed) {
		t.Errorf("serve after close: %v", err)
	}
	mine, theirs := net.Pipe()
	defer theirs.Close()
	if err := r.door.ServeConn(mine); !errors.Is(err, ErrClosed) {
		t.Errorf("serve a connection after close: %v", err)
	}
	eventually(t, "goroutines back to base", func() bool { return runtime.NumGoroutine() <= base })
}

func TestAnyNetConnIsServed(t *testing.T) {
	r := newRig(t, nil)
	mine, theirs := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- r.door.ServeConn(mine) }()
	theirs.SetDeadline(time.Now().Add(patience))
	ask(t, theirs, apiVersions(3))
	theirs.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTheTableIsChecked(t *testing.T) {
	handle := func(context.Context, *api.Conn, kmsg.Request) (kmsg.Response, error) { return nil, nil }
	for want, rows := range map[string][]api.API{
		"key 300 is none of Kafka's":                           {{Key: 300, Handle: handle}},
		"Metadata (key 3) has two rows":                        {{Key: 3, Max: 1, Handle: handle}, {Key: 3, Max: 1, Handle: handle}},
		"Produce serves versions 0-13, Kafka 4.4 has 3-13":     {{Key: 0, Min: 0, Max: 13, Handle: handle}},
		"Fetch needs either Handle or Serve":                   {{Key: 1, Min: 4, Max: 5}},
		"LeaderAndIsr serves versions 0-0, Kafka 4.4 has 0--1": {{Key: 4, Handle: handle}},
	} {
		if _, err := newTable(rows); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
