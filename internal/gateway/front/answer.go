package front

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// writeTimeout bounds how long an answer to a parked request may take to leave:
// one that its caller does not read holds up the polls behind it.
const writeTimeout = 5 * time.Second

// Later tells callers who are answered 503 Service Unavailable when to try again:
// leaders that move have moved within a second, as a rule.
func Later(h http.Header, status int) {
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
}

// answer is a ResponseWriter in memory, for a request that has no goroutine of
// its own any more.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header are the answer's headers.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader takes the status; the first one counts.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write adds to the body.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// WriteTo writes the answer as HTTP/1.1.
func (a *answer) WriteTo(w io.Writer) (int64, error) {
	a.WriteHeader(http.StatusOK)
	a.header.Set("Content-Length", strconv.Itoa(a.body.Len()))
	a.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %03d %s\r\n", a.status, http.StatusText(a.status))
	if err := a.header.Write(&out); err != nil {
		return 0, fmt.Errorf("write the headers of an answer: %w", err)
	}
	out.WriteString("\r\n")
	out.Write(a.body.Bytes())
	return out.WriteTo(w)
}
