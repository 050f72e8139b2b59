package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestTheCodeTableAgreesWithAnotherClients(t *testing.T) {
	// Names that Kafka changed since the other table was written.
	renamed := map[Code]string{0: "NONE", 6: "NOT_LEADER_OR_FOLLOWER"}
	// Retriable in Kafka's Java client 4.4 and not there, or the other way
	// round: the client treats them on its own.
	for c := firstCode; int(c)-int(firstCode) < len(codeTable); c++ {
		want := ""
		if err, ok := kerr.ErrorForCode(int16(c)).(*kerr.Error); ok {
			want = err.Message
		}
		if n, ok := renamed[c]; ok {
			want = n
		}
		if c.Name() != want {
			t.Errorf("code %d: name %q, want %q", c, c.Name(), want)
		}
		if c != None && c.Text() == "" {
			t.Errorf("code %d has no text", c)
		}
	}
	if last := Code(len(codeTable)-1) + firstCode; last != 136 {
		t.Errorf("the table ends at %d, want 136", last)
	}
	if got := Code(500).Name(); got != "UNKNOWN_CODE_500" || Code(500).Retriable() || Code(500).Text() != "" {
		t.Errorf("unknown code: %q", got)
	}
}

func TestCodeOfFindsTheCodeInAnyChain(t *testing.T) {
	cause := errors.New("disk on fire")
	typed := Errorf(KafkaStorageError, "log directory /a: %w", cause)
	tests := []struct {
		err  error
		code Code
		text string
	}{
		{nil, None, ""},
		{InvalidTopic, InvalidTopic, InvalidTopic.Text()},
		{typed, KafkaStorageError, "log directory /a: disk on fire"},
		{fmt.Errorf("outer: %w", typed), KafkaStorageError, "log directory /a: disk on fire"},
		{fmt.Errorf("outer: %w", NotController), NotController, NotController.Text()},
		{cause, UnknownServerError, UnknownServerError.Text()},
	}
	for _, tc := range tests {
		if got := CodeOf(tc.err); got != tc.code {
			t.Errorf("CodeOf(%v) = %v, want %v", tc.err, got.Name(), tc.code.Name())
		}
		if got := MessageOf(tc.err); got != tc.text {
			t.Errorf("MessageOf(%v) = %q, want %q", tc.err, got, tc.text)
		}
	}
	if !errors.Is(typed, cause) || !errors.Is(typed, KafkaStorageError) || errors.Is(typed, InvalidTopic) {
		t.Error("errors.Is does not see cause and code")
	}
	two := Errorf(InvalidConfig, "%w and %w", cause, NotController)
	if !errors.Is(two, cause) {
		t.Error("the causes of two %w are lost")
	}
}

func TestBareCodesCostNothing(t *testing.T) {
	var sink Code
	errs := []error{NotLeaderOrFollower, InvalidRecord, nil}
	if n := testing.AllocsPerRun(100, func() {
		for _, e := range errs {
			sink += CodeOf(e)
			_ = MessageOf(e)
		}
	}); n != 0 {
		t.Fatalf("%v allocations, want 0", n)
	}
}

func TestKeysAgreeWithTheCodecs(t *testing.T) {
	for _, api := range APIs() {
		req := kmsg.RequestForKey(api.Key)
		if req == nil {
			t.Errorf("key %d (%s) has no codec", api.Key, api.Name)
			continue
		}
		for v := api.Min; v <= api.Max; v++ {
			req.SetVersion(v)
			if req.IsFlexible() != api.IsFlexible(v) {
				t.Errorf("%s v%d: flexible %t, the codec says %t", api.Name, v, api.IsFlexible(v), req.IsFlexible())
			}
		}
	}
	if LookupAPI(-1) != nil || LookupAPI(95) != nil || !LookupAPI(18).Controller() || LookupAPI(52).Broker() {
		t.Error("look-ups outside the table or listeners are wrong")
	}
}

func TestHeadersOfEveryVersionRoundTrip(t *testing.T) {
	f := kmsg.NewRequestFormatter(kmsg.FormatterClientID("someone"))
	for _, api := range APIs() {
		for v := api.Min; v <= api.Max; v++ {
			req := kmsg.RequestForKey(api.Key)
			req.SetVersion(v)
			frame := f.AppendRequest(nil, req, 77)
			h, body, err := ParseHeader(frame[FrameHeader:])
			if err != nil || h.Key != api.Key || h.Version != v || h.CorrelationID != 77 || string(h.ClientID) != "someone" {
				t.Fatalf("%s v%d: %+v, %v", api.Name, v, h, err)
			}
			if want := req.AppendTo(nil); !bytes.Equal(body, want) {
				t.Fatalf("%s v%d: body %x, want %x", api.Name, v, body, want)
			}
		}
	}
}

func TestOddHeaders(t *testing.T) {
	head := func(key, version int16, rest ...byte) []byte {
		b := binary.BigEndian.AppendUint16(nil, uint16(key))
		b = binary.BigEndian.AppendUint16(b, uint16(version))
		return append(binary.BigEndian.AppendUint32(b, 9), rest...)
	}
	tests := []struct {
		name  string
		frame []byte
		err   error
		body  []byte
	}{
		{"too short", []byte{0, 3, 0, 0, 0, 0, 0}, ErrHeader, nil},
		{"no client id", head(3, 0), ErrHeader, nil},
		{"null client id", head(3, 0, 0xff, 0xff, 1, 2), nil, []byte{1, 2}},
		{"client id past the end", head(3, 0, 0, 9, 'a'), ErrHeader, nil},
		{"flexible without tags", head(3, 9, 0xff, 0xff), ErrHeader, nil},
		{"tags are skipped", head(3, 9, 0xff, 0xff, 1, 5, 2, 'x', 'y', 42), nil, []byte{42}},
		{"tag past the end", head(3, 9, 0xff, 0xff, 1, 5, 200, 'x'), ErrHeader, nil},
		{"twenty million tags", head(3, 9, 0xff, 0xff, 0x80, 0xda, 0xc4, 0x09), ErrHeader, nil},
		{"header v0", head(7, 0, 1, 2), nil, []byte{1, 2}},
		{"dead key", head(4, 0, 0xff, 0xff), ErrUnknownAPI, nil},
		{"unknown key", head(300, 0, 0xff, 0xff), ErrUnknownAPI, nil},
		{"negative key", head(-1, 0, 0xff, 0xff), ErrUnknownAPI, nil},
		{"ApiVersions of the future", head(18, 9, 0xff, 0xff, 0), nil, []byte{}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			h, body, err := ParseHeader(tc.frame)
			if !errors.Is(err, tc.err) || !bytes.Equal(body, tc.body) {
				t.Fatalf("body %x, error %v; want %x, %v", body, err, tc.body, tc.err)
			}
			if len(tc.frame) >= prefixSize && h.CorrelationID != 9 {
				t.Fatalf("correlation id %d, want 9", h.CorrelationID)
			}
		})
	}
}

func TestResponseHeaders(t *testing.T) {
	for _, tc := range []struct {
		h    Header
		want int
	}{
		{Header{Key: 18, Version: 5}, 4}, {Header{Key: 3, Version: 8}, 4}, {Header{Key: 3, Version: 9}, 5}, {Header{Key: 17, Version: 1}, 4},
	} {
		if got := len(AppendResponseHeader(nil, &tc.h)); got != tc.want {
			t.Errorf("%+v: %d bytes, want %d", tc.h, got, tc.want)
		}
	}
	b := BeginFrame([]byte("x"))
	b = append(b, "abc"...)
	EndFrame(b, 1, 10)
	if FrameSize(b[1:]) != 13 {
		t.Errorf("frame size %d, want 13", FrameSize(b[1:]))
	}
}

func TestForeignProtocolsAreNamed(t *testing.T) {
	for first, want := range map[string]string{
		"\x16\x03\x01\x02\x00": "TLS", "GET / HTTP/1.1": "HTTP", "POST /x": "HTTP", "PRI * HTTP/2.0": "HTTP",
		"\x00\x00\x00\x20\x00": "", "\x16\x03": "", "\x00\x16\x03\x01\x02": "",
	} {
		if got := Foreign([]byte(first)); got != want {
			t.Errorf("%q: %q, want %q", first, got, want)
		}
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add([]byte{0, 18, 0, 3, 0, 0, 0, 1, 0, 1, 'a', 0})
	f.Add([]byte{0, 3, 0, 9, 0, 0, 0, 1, 0xff, 0xff, 1, 5, 2, 'x', 'y'})
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, body, err := ParseHeader(frame)
		if err == nil && len(h.ClientID)+len(body) > len(frame) {
			t.Fatalf("%d bytes gave %d of client id and %d of body", len(frame), len(h.ClientID), len(body))
		}
	})
}
