package protocol

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
)

// sumBytes begin a token: a sum of the rest, by which a text that was never answered is
// told from one that was. It keeps nobody out.
const sumBytes = 4

// Token is where a list goes on, for callers: behind the name that a page ended with. It
// is "" at the end, where that is "".
func Token(next string) string {
	if next == "" {
		return ""
	}
	b := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(next)))
	return base64.RawURLEncoding.EncodeToString(append(b, next...))
}

// Behind is the inverse of Token; false for what that never gave.
func Behind(token string) (string, bool) {
	if token == "" {
		return "", true
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) <= sumBytes || binary.BigEndian.Uint32(b) != crc32.ChecksumIEEE(b[sumBytes:]) {
		return "", false
	}
	return string(b[sumBytes:]), true
}
