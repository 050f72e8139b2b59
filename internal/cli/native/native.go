package native

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"ottla/internal/cli/fail"
)

// mostAnswer bounds an answer: a page of a thousand objects of the largest kind
// is less.
const mostAnswer = 512 << 20

// Client asks one node.
type Client struct {
	base string
	http *http.Client
}

// New makes a client for HOST:PORT, with http:// in front or not. connect is how
// long to try to reach it.
func New(address string, connect time.Duration) *Client {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	return &Client{
		base: strings.TrimSuffix(address, "/"),
		http: &http.Client{Transport: &http.Transport{
			Proxy:       nil, // a node is asked itself
			DialContext: (&net.Dialer{Timeout: connect}).DialContext,
		}},
	}
}

// Path joins the parts of a path, each escaped.
func Path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

// Content is a body with its media type.
type Content struct {
	Type  string
	Bytes []byte
}

// Do sends a request and reads the answer. A body of []byte goes as it is, Content
// with its type, any other as JSON; nil is none. into takes the answer's JSON; nil drops it. A
// refusal is a *fail.Failure with what as its first line.
func (c *Client) Do(ctx context.Context, what, method, path string, query url.Values, body, into any) error {
	req, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreached(what, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return c.unreached(what, err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		if into != nil && oneByOne(answer) && json.Unmarshal(answer, into) == nil {
			return nil // each has its own error, which the caller tells
		}
		return refusal(what, path, resp.StatusCode, answer)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fail.New(fail.Failed, what, "the answer of "+c.base+" is not understood: "+err.Error(), "is that the HTTP port of a node of this release?")
	}
	return nil
}

// Open asks for an answer of a media type that the caller reads himself, and closes:
// one without an end, as a stream of events.
func (c *Client) Open(ctx context.Context, what, path string, query url.Values, accept string) (*http.Response, error) {
	req, err := c.request(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	req.Header.Set("Accept", accept)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreached(what, err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return resp, nil
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return nil, c.unreached(what, err)
	}
	return nil, refusal(what, path, resp.StatusCode, answer)
}

func (c *Client) request(ctx context.Context, method, path string, query url.Values, body any) (*http.Request, error) {
	var content []byte
	kind := ""
	switch b := body.(type) {
	case nil:
	case []byte:
		content = b
	case Content:
		content, kind = b.Bytes, b.Type
	default:
		var err error
		if content, err = json.Marshal(b); err != nil {
			return nil, err
		}
		kind = "application/json"
	}
	address := c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(content))
	if err == nil && kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	return req, err
}

// unreached tells why there is no answer.
func (c *Client) unreached(what string, err error) error {
	var named *url.Error
	if errors.As(err, &named) {
		err = named.Err
	}
	code, why := fail.Unreachable, c.base+": "+err.Error()
	var ne net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		why = c.base + ": connection refused: nothing listens there"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		code, why = fail.TimedOut, c.base+": no answer in time"
	}
	return &fail.Failure{Code: code, What: what, Why: why, Next: "start a node with \"ottla dev\", or name its HTTP port with --http HOST:PORT", Cause: err}
}

// refusal reads what a door says that refuses.
func refusal(what, path string, status int, answer []byte) error {
	var said struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Hint    string `json:"hint"`
		} `json:"error"`
	}
	f := &fail.Failure{Code: codeOf(status), What: what}
	if err := json.Unmarshal(answer, &said); err != nil || said.Error.Message == "" {
		f.Why = fmt.Sprintf("HTTP %d: %s", status, bytes.TrimSpace(answer[:min(len(answer), 200)]))
		f.Next = "is that the HTTP port of a node of this release?"
		return f
	}
	f.Why, f.Next = said.Error.Message, inCommands(said.Error.Hint, path)
	return f
}

// oneByOne tells an answer about several things, of which none could be done.
func oneByOne(answer []byte) bool {
	var said struct {
		Results []json.RawMessage `json:"results"`
		Events  []json.RawMessage `json:"events"`
		Sent    []json.RawMessage `json:"sent"`
	}
	return json.Unmarshal(answer, &said) == nil && len(said.Results)+len(said.Events)+len(said.Sent) > 0
}

func codeOf(status int) int {
	switch status {
	case http.StatusBadRequest:
		return fail.Usage
	case http.StatusNotFound:
		return fail.NotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return fail.NotAllowed
	case http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fail.TimedOut
	case http.StatusMultiStatus:
		return fail.Partly
	}
	return fail.Failed
}
