package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Answer is what came of a call.
type Answer struct {
	Status int // 0 when there was no answer
	Header http.Header
	Body   []byte // of at most 64 KiB
	Err    error  // why there was none, or it broke off
}

// Verdict is what an answer means for a delivery.
type Verdict int

// The verdicts.
const (
	Delivered Verdict = iota + 1
	Again             // it may be delivered later
	Refused           // it will not be, however often it is tried
)

// Judge tells what an answer means: 2xx is delivered; an address that may not be
// called, and 400, 401, 403, 410 and 413, are final; all else may pass.
func (a Answer) Judge() Verdict {
	switch {
	case errors.Is(a.Err, ErrForbidden):
		return Refused
	case a.Err != nil:
		return Again
	case a.Status >= 200 && a.Status < 300:
		return Delivered
	}
	switch a.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusGone, http.StatusRequestEntityTooLarge:
		return Refused
	}
	return Again
}

// TimedOut tells that nothing was answered in time.
func (a Answer) TimedOut() bool {
	var named net.Error
	return errors.As(a.Err, &named) && named.Timeout()
}

// Why tells in one line why it was not delivered.
func (a Answer) Why() string {
	switch {
	case a.Err != nil:
		return a.Err.Error()
	case a.Status >= 300 && a.Status < 400:
		return fmt.Sprintf("HTTP %d: redirects are not followed", a.Status)
	}
	text := fmt.Sprintf("HTTP %d %s", a.Status, http.StatusText(a.Status))
	if line := firstLine(a.Body); line != "" {
		text += ": " + line
	}
	return text
}

// mostLine bounds what is repeated of a body.
const mostLine = 200

func firstLine(body []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(body[:min(len(body), mostLine)])), "\n")
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, line), "")
}

// mostRetryAfter bounds how long an address may put us off.
const mostRetryAfter = time.Hour

// RetryAfter is how long the address wants to be left alone, as 429 and 503 may
// tell; 0 when it does not say.
func (a Answer) RetryAfter(now time.Time) time.Duration {
	if a.Status != http.StatusTooManyRequests && a.Status != http.StatusServiceUnavailable {
		return 0
	}
	text := a.Header.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(n)*time.Second, mostRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), mostRetryAfter)
	}
	return 0
}
