package reach

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// DefaultPort is the port of an address that names none.
const DefaultPort = "9092"

// Split reads host:port[,host:port…]. An address without a port gets
// DefaultPort; the error names the address that cannot be read.
func Split(list string) ([]string, error) {
	var out []string
	for a := range strings.SplitSeq(list, ",") {
		a = strings.TrimSpace(a)
		if a == "" {
			continue
		}
		_, port, err := net.SplitHostPort(a)
		if err != nil && strings.Count(a, ":") == 0 {
			a, port, err = net.JoinHostPort(a, DefaultPort), DefaultPort, nil
		}
		if err == nil {
			_, err = net.LookupPort("tcp", port) // of this machine's list
		}
		if err != nil {
			return nil, fmt.Errorf("%s: want HOST:PORT (%w)", a, err)
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return nil, errors.New("it names no server")
	}
	return out, nil
}

// Any probes every address and returns those that answer as Kafka, and of each
// other what happened there.
func Any(ctx context.Context, addresses []string, timeout time.Duration) (good, tried []string) {
	for _, a := range addresses {
		if why := Probe(ctx, a, timeout); why != "" {
			tried = append(tried, a+": "+why)
		} else {
			good = append(good, a)
		}
	}
	return good, tried
}

// Probe asks one address for its API versions, as every client does first, and
// returns "" when it answers as Kafka, else what happened in plain words.
func Probe(ctx context.Context, address string, timeout time.Duration) string {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return dialReason(err, timeout)
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err.Error()
		}
	}
	// ApiVersions v0: length, key 18, version 0, correlation id, null client id.
	request := binary.BigEndian.AppendUint32(nil, 10)
	request = append(request, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff)
	if _, err := c.Write(request); err != nil {
		return "connected, but it took no request: " + err.Error()
	}
	var answer [8]byte
	n, err := io.ReadFull(c, answer[:])
	return answerReason(answer[:n], err, timeout)
}

// answerReason judges the first bytes of an answer.
func answerReason(answer []byte, err error, timeout time.Duration) string {
	switch {
	case len(answer) >= 4 && string(answer[:4]) == "HTTP":
		return "it answers HTTP: that is not the Kafka port (8080 is usual for HTTP, 9092 for Kafka)"
	case len(answer) >= 2 && (answer[0] == 0x15 || answer[0] == 0x16) && answer[1] == 3:
		return "it speaks TLS, and this command plain text"
	case err == nil && binary.BigEndian.Uint32(answer[4:]) == 1:
		return ""
	case err == nil:
		return fmt.Sprintf("it answers, but not as Kafka (first bytes %q)", answer)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "connected, but it closed the connection without an answer (does it want TLS?)"
	}
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return fmt.Sprintf("connected, but no answer within %v", timeout)
	}
	return "connected, but no answer: " + err.Error()
}

func dialReason(err error, timeout time.Duration) string {
	var dns *net.DNSError
	var ne net.Error
	switch {
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %s is not known", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: nothing listens there"
	case errors.As(err, &ne) && ne.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %v", timeout)
	}
	return err.Error()
}

// Loopback tells a host's name or address that means the machine that asks.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
