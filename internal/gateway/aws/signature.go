package aws

import (
	"net/http"
	"strings"

	"ottla/internal/gateway/aws/protocol"
)

// Signature is what a signed request says of itself.
type Signature struct {
	AccessKey string
	Date      string // yyyymmdd
	Region    string // "" in version 4a, which names a set of regions
	Service   string // the service's signing name
	// SignedHeaders and Value are kept for whoever verifies it.
	SignedHeaders []string
	Value         string
	Presigned     bool
}

// Algorithms of signatures: version 4, and 4a with its asymmetric keys.
const (
	algorithm  = "AWS4-HMAC-SHA256"
	algorithmA = "AWS4-ECDSA-P256-SHA256"
)

// maxSignature bounds an Authorization header; honest ones have some hundred
// bytes.
const maxSignature = 8 << 10

// ReadSignature reads a request's signature from its header or, presigned, from
// its address. It gives nil where there is none, and an error where there is
// one that cannot be read. Nothing is verified.
func ReadSignature(r *http.Request) (*Signature, *protocol.Error) {
	header := r.Header.Get("Authorization")
	if len(header) > maxSignature {
		return nil, incomplete("the Authorization header has more than %d bytes", maxSignature)
	}
	if alg, rest, _ := strings.Cut(header, " "); alg == algorithm || alg == algorithmA {
		return readHeader(alg, rest)
	}
	if !strings.Contains(r.URL.RawQuery, "X-Amz-Credential") {
		return nil, nil
	}
	q := r.URL.Query()
	alg := q.Get("X-Amz-Algorithm")
	if alg != algorithm && alg != algorithmA {
		return nil, incomplete("X-Amz-Algorithm is %q, want %s", alg, algorithm)
	}
	s, err := readScope(alg, q.Get("X-Amz-Credential"))
	if err != nil {
		return nil, err
	}
	s.Presigned = true
	s.SignedHeaders = strings.Split(q.Get("X-Amz-SignedHeaders"), ";")
	s.Value = q.Get("X-Amz-Signature")
	return s, s.whole()
}

func readHeader(alg, rest string) (*Signature, *protocol.Error) {
	var credential, headers, value string
	for part := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch k {
		case "Credential":
			credential = v
		case "SignedHeaders":
			headers = v
		case "Signature":
			value = v
		}
	}
	s, err := readScope(alg, credential)
	if err != nil {
		return nil, err
	}
	s.SignedHeaders, s.Value = strings.Split(headers, ";"), value
	return s, s.whole()
}

// readScope reads KEY/DATE/REGION/SERVICE/aws4_request. A key may have slashes,
// so it is read from its end. Version 4a has no region.
func readScope(alg, credential string) (*Signature, *protocol.Error) {
	var s Signature
	rest, ok := strings.CutSuffix(credential, "/aws4_request")
	ok = ok && cutLast(&rest, &s.Service) && (alg == algorithmA || cutLast(&rest, &s.Region)) && cutLast(&rest, &s.Date)
	if !ok {
		return nil, incomplete("the signature's Credential is %q, want KEY/DATE/REGION/SERVICE/aws4_request", credential)
	}
	s.AccessKey = rest
	return &s, nil
}

// cutLast takes the last part off a path.
func cutLast(path, part *string) bool {
	i := strings.LastIndexByte(*path, '/')
	if i < 0 {
		return false
	}
	*path, *part = (*path)[:i], (*path)[i+1:]
	return true
}

// whole refuses a signature that lacks a part.
func (s *Signature) whole() *protocol.Error {
	switch {
	case s.AccessKey == "":
		return incomplete("the signature names no access key")
	case s.Value == "":
		return incomplete("the signature has no value")
	case len(s.SignedHeaders) == 1 && s.SignedHeaders[0] == "":
		return incomplete("the signature names no signed headers")
	}
	return nil
}

func incomplete(format string, args ...any) *protocol.Error {
	return protocol.Errorf("IncompleteSignature", format, args...)
}
