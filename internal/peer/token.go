package peer

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
)

// token is what a node that joins is told by an operator. As text it is
// "ottla1." and in base64url: one byte of length and the cluster id, the
// fingerprint of the authority (so that the secret is shown to nobody else),
// the secret, and a CRC-32C of all that, so that a token that was copied badly
// is known before anything is sent.
type token struct {
	cluster   string
	authority fingerprint
	secret    [secretSize]byte
}

const tokenPrefix = "ottla1."

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errToken is one sentence for every way in which a token can be bad: which
// one it is helps nobody who has the right one.
var errToken = errors.New("the token cannot be read: copy it whole from `ottla cluster token` on a node of the cluster")

// String is the token's text, a secret.
func (t token) String() string {
	b := append([]byte{byte(len(t.cluster))}, t.cluster...)
	b = append(append(b, t.authority[:]...), t.secret[:]...)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// maxToken is well above the longest token.
const maxToken = 1024

// parseToken reads a token's text.
func parseToken(s string) (token, error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(s), tokenPrefix)
	if !ok || len(body) > maxToken {
		return token{}, errToken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil || len(b) < 1 || len(b) != 1+int(b[0])+2*secretSize+crc32.Size {
		return token{}, errToken
	}
	b, sum := b[:len(b)-crc32.Size], b[len(b)-crc32.Size:]
	n := int(b[0])
	if crc32.Checksum(b, castagnoli) != binary.BigEndian.Uint32(sum) || n == 0 {
		return token{}, errToken
	}
	t := token{cluster: string(b[1 : 1+n])}
	b = b[1+n:]
	copy(t.authority[:], b)
	copy(t.secret[:], b[len(t.authority):])
	return t, nil
}

// ClusterOf is the id of the cluster that a token is of; false when the text is no
// token. It proves nothing.
func ClusterOf(text string) (id string, ok bool) {
	t, err := parseToken(text)
	return t.cluster, err == nil
}
