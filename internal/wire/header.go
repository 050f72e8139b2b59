package wire

import (
	"encoding/binary"
	"errors"
)

// Header is a request header (v0, v1 or v2; which one follows from key and
// version).
type Header struct {
	Key, Version  int16
	CorrelationID int32
	// ClientID is a view of the frame; nil is null or not there (v0).
	ClientID []byte
}

// What can be wrong with a header.
var (
	// ErrHeader: the bytes are no request header.
	ErrHeader = errors.New("the request header is malformed")
	// ErrUnknownAPI: no such key in Kafka 4.4, or no version of it is left.
	ErrUnknownAPI = errors.New("the API key is unknown")
)

// prefixSize is what every header begins with: key, version, correlation id.
const prefixSize = 8

// maxHeaderTags bounds the tagged fields of a header. No client of today sends
// one; a header of millions was an attack on Kafka (CVE-2026-111115).
const maxHeaderTags = 64

// ParseHeader decodes the header at the start of frame (a request without its
// length prefix) and returns the body after it. Tagged fields are skipped,
// nothing is allocated, ClientID and body are views. On ErrUnknownAPI and
// ErrHeader the fields that could be read are set. A version that the API does
// not have is no error here: its header is read as the newest known one's
// would be, as Kafka does.
func ParseHeader(frame []byte) (h Header, body []byte, err error) {
	if len(frame) < prefixSize {
		return h, nil, ErrHeader
	}
	h.Key = int16(binary.BigEndian.Uint16(frame))
	h.Version = int16(binary.BigEndian.Uint16(frame[2:]))
	h.CorrelationID = int32(binary.BigEndian.Uint32(frame[4:]))
	api := LookupAPI(h.Key)
	if api == nil || api.Min > api.Max && h.Key != KeyControlledShutdown {
		return h, nil, ErrUnknownAPI
	}
	body = frame[prefixSize:]
	if h.Key == KeyControlledShutdown && h.Version == 0 {
		return h, body, nil // header v0: no client id
	}
	if len(body) < 2 {
		return h, nil, ErrHeader
	}
	n := int(int16(binary.BigEndian.Uint16(body)))
	body = body[2:]
	if n >= 0 {
		if n > len(body) {
			return h, nil, ErrHeader
		}
		h.ClientID, body = body[:n:n], body[n:]
	}
	if api.IsFlexible(h.Version) {
		var ok bool
		if body, ok = SkipTags(body); !ok {
			return h, nil, ErrHeader
		}
	}
	return h, body, nil
}

// SkipTags steps over a header's tagged fields; false when they are malformed.
func SkipTags(b []byte) ([]byte, bool) {
	count, n := binary.Uvarint(b)
	if n <= 0 || count > maxHeaderTags {
		return nil, false
	}
	b = b[n:]
	for ; count > 0; count-- {
		if _, n = binary.Uvarint(b); n <= 0 {
			return nil, false
		}
		b = b[n:]
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, false
		}
		b = b[n+int(size):]
	}
	return b, true
}

// AppendResponseHeader appends the header of the answer to h: v1 (with an
// empty tag section) for flexible versions, else v0; ApiVersions is always v0,
// so that a client can read the refusal of a version it does not know.
func AppendResponseHeader(dst []byte, h *Header) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.CorrelationID))
	if h.Key == KeyApiVersions {
		return dst
	}
	if api := LookupAPI(h.Key); api != nil && api.IsFlexible(h.Version) {
		dst = append(dst, 0)
	}
	return dst
}
