package peer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"ottla/internal/uuid"
)

// Whose says which node's an identity is: the node of a cluster, and the first
// of its data directories. A disk that was replaced is another one.
type Whose struct {
	ClusterID   string
	NodeID      int32
	DirectoryID uuid.UUID
}

// String is how log lines and errors name a node.
func (w Whose) String() string {
	return fmt.Sprintf("node %d (directory %s) of cluster %s", w.NodeID, w.DirectoryID, w.ClusterID)
}

// scheme of the URIs that a certificate names its owner by:
// ottla://CLUSTER/node/N and ottla://CLUSTER/directory/ID.
const scheme = "ottla"

// uris are the names in a node's certificate.
func (w Whose) uris() []*url.URL {
	host := escape(w.ClusterID)
	return []*url.URL{
		{Scheme: scheme, Host: host, Path: "/node/" + strconv.Itoa(int(w.NodeID))},
		{Scheme: scheme, Host: host, Path: "/directory/" + w.DirectoryID.String()},
	}
}

var errNoName = errors.New("the certificate names no node of a cluster")

// whoseOf reads the names back. It says nothing about whether they are true.
func whoseOf(cert *x509.Certificate) (Whose, error) {
	w := Whose{NodeID: -1}
	for _, u := range cert.URIs {
		cluster, ok := unescape(u.Host)
		if u.Scheme != scheme || !ok || w.ClusterID != "" && w.ClusterID != cluster {
			return Whose{}, errNoName
		}
		w.ClusterID = cluster
		kind, value, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
		switch kind {
		case "node":
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil || n < 0 || w.NodeID >= 0 {
				return Whose{}, errNoName
			}
			w.NodeID = int32(n)
		case "directory":
			id, err := uuid.Parse(value)
			if err != nil || !w.DirectoryID.IsZero() {
				return Whose{}, errNoName
			}
			w.DirectoryID = id
		}
	}
	if w.ClusterID == "" || w.NodeID < 0 || w.DirectoryID.IsZero() {
		return Whose{}, errNoName
	}
	return w, nil
}

// escape makes any cluster id fit for a URI's host: what is not a letter,
// digit, - or _ becomes ~ and two hexadecimal digits.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; plain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "~%02x", c)
		}
	}
	return b.String()
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// unescape takes exactly what escape makes.
func unescape(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '~' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		b.WriteByte(byte(n))
		i += 2
	}
	out := b.String()
	return out, out != "" && escape(out) == s
}
