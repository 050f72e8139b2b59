package wire

import "encoding/binary"

// FrameHeader is the size of the length in front of every request and answer.
const FrameHeader = 4

// FrameSize reads the length in front of a frame; the caller bounds it. It is
// negative when the client sent nonsense.
func FrameSize(b []byte) int { return int(int32(binary.BigEndian.Uint32(b))) }

// BeginFrame appends room for the length; EndFrame fills it in.
func BeginFrame(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

// EndFrame writes the length of the frame that starts at start, counting extra
// bytes that follow elsewhere (records that leave by sendfile).
func EndFrame(b []byte, start, extra int) {
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-FrameHeader+extra))
}

// Foreign names the protocol that a connection's first bytes belong to when
// they are not Kafka's: "TLS" (a ClientHello), "HTTP", or "" when they may be
// Kafka's. It needs five bytes; fewer give "".
func Foreign(first []byte) string {
	if len(first) < 5 {
		return ""
	}
	if first[0] == 0x16 && first[1] == 3 && first[2] <= 4 {
		return "TLS" // handshake record, TLS 1.x (RFC 8446 section 5.1)
	}
	switch string(first[:4]) {
	case "GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "PATC", "CONN", "PRI ":
		return "HTTP" // as a length these would be over 1 GB
	}
	return ""
}
