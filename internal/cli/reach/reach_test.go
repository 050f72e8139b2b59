package reach

import (
	"context"
	"strings"
	"testing"
	"time"

	"ottla/internal/cli/reach/fake"
)

func TestProbeSaysWhatIsThere(t *testing.T) {
	const nobody = "127.0.0.1:1" // a port that was free a moment ago may be another test's by now
	for _, c := range []struct{ name, addr, want string }{
		{"nobody", nobody, "connection refused"},
		{"http", fake.Answering(t, []byte("HTTP/1.1 400 Bad Request\r\n\r\n")), "it answers HTTP"},
		{"tls", fake.Answering(t, []byte{0x15, 3, 1, 0, 2, 2, 22, 0}), "it speaks TLS"},
		{"hangs up", fake.Answering(t, nil), "closed the connection without an answer"},
		{"ssh", fake.Answering(t, []byte("SSH-2.0-x")), "not as Kafka"},
		{"kafka", fake.Answering(t, []byte{0, 0, 0, 10, 0, 0, 0, 1, 0, 0}), ""},
	} {
		got := Probe(context.Background(), c.addr, time.Minute)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want it to hold %q", c.name, got, c.want)
		}
	}
}

func TestAddressesAreSplit(t *testing.T) {
	got, err := Split(" a:1, b ,c:3,")
	if err != nil || strings.Join(got, " ") != "a:1 b:9092 c:3" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", ",", "a:b:c", "a:70000", "a:no-such-service"} {
		if got, err := Split(bad); err == nil {
			t.Errorf("%q gave %v", bad, got)
		}
	}
}
