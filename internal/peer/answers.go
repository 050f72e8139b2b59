package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

// maxAnswer bounds an answer: what a request may have at the other end.
const maxAnswer = 128 << 20

var (
	errShortAnswer = errors.New("an answer is too short for its header")
	errUnknownCorr = errors.New("an answer is to no request of ours")
)

// read takes answers until the connection ends, and says why it did.
func (l *link) read(c *Conn) error {
	for {
		frame, err := readFrame(c, maxAnswer)
		if err != nil {
			return err
		}
		if err := l.answer(frame); err != nil {
			return err
		}
	}
}

// answer settles the call that a frame answers; the frame becomes the caller's.
func (l *link) answer(frame []byte) error {
	if len(frame) < 4 {
		return errShortAnswer
	}
	corr := int32(binary.BigEndian.Uint32(frame))
	l.mu.Lock()
	q := l.waiting[corr]
	delete(l.waiting, corr)
	l.mu.Unlock()
	if q == nil {
		return fmt.Errorf("%w (correlation id %d)", errUnknownCorr, corr)
	}
	if q.settled.Load() {
		return nil // whoever asked does not wait any more
	}
	resp, err := decode(q.req, frame[4:])
	if err != nil {
		return fmt.Errorf("answer to a request with key %d: %w", q.req.Key(), err)
	}
	q.settle(resp, nil)
	return nil
}

// decode reads the rest of a response header and the body.
func decode(req kmsg.Request, b []byte) (kmsg.Response, error) {
	if req.IsFlexible() && req.Key() != wire.KeyApiVersions {
		var ok bool
		if b, ok = wire.SkipTags(b); !ok {
			return nil, errShortAnswer
		}
	}
	resp := req.ResponseKind()
	resp.SetVersion(req.GetVersion())
	if err := resp.ReadFrom(b); err != nil {
		return nil, err
	}
	return resp, nil
}

// askVersions asks a node what it serves, before anything else is sent.
func askVersions(ctx context.Context, c *Conn) (map[int16][2]int16, error) {
	if by, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(by)
		defer func() { _ = c.SetDeadline(time.Time{}) }()
	}
	req := kmsg.NewPtrApiVersionsRequest()
	if _, err := c.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, -1)); err != nil {
		return nil, err
	}
	frame, err := readFrame(c, maxJoinFrame)
	if err != nil {
		return nil, err
	}
	if len(frame) < 4 || int32(binary.BigEndian.Uint32(frame)) != -1 {
		return nil, errShortAnswer
	}
	resp, err := decode(req, frame[4:])
	if err != nil {
		return nil, err
	}
	versions := map[int16][2]int16{}
	v := resp.(*kmsg.ApiVersionsResponse)
	if v.ErrorCode != 0 {
		return nil, wire.Code(v.ErrorCode)
	}
	for _, k := range v.ApiKeys {
		versions[k.ApiKey] = [2]int16{k.MinVersion, k.MaxVersion}
	}
	return versions, nil
}
