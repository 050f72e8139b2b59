package record

import "io"

// stream is a window that moves over the records of a compressed batch as they
// are opened.
type stream struct {
	o   *opener
	buf []byte // o's buffer while the stream lives
	at  int    // buf[at:] is not read yet
	end bool   // nothing comes after buf
}

// startStream readies the opener's stream, which lives inside it so that a batch
// costs no allocation.
func (o *opener) startStream() *stream {
	o.stream = stream{o: o, buf: o.buf[:0]}
	return &o.stream
}

// close gives the buffer back and closes the opener.
func (s *stream) close() {
	o := s.o
	o.buf = s.buf[:0]
	*s = stream{}
	o.close()
}

func (s *stream) rest() []byte { return s.buf[s.at:] }

// fill moves what is not read yet to the front and adds the next piece.
func (s *stream) fill() error {
	if s.at > 0 {
		n := copy(s.buf, s.buf[s.at:])
		s.buf, s.at = s.buf[:n], 0
	}
	var err error
	s.buf, err = s.o.next(s.buf)
	if err == io.EOF {
		s.end = true
		return nil
	}
	return err
}

// want fills until n bytes are there, or the end.
func (s *stream) want(n int) error {
	for len(s.buf)-s.at < n && !s.end {
		if err := s.fill(); err != nil {
			return err
		}
	}
	return nil
}

// checkOpened judges the records of a compressed batch in bounded memory: whole
// records in the window are judged in place, larger ones while they pass.
func (c *check) checkOpened(codec Codec, b []byte) error {
	o, err := newOpener(codec, b, c.limit, true)
	if err != nil {
		return err
	}
	s := o.startStream()
	defer s.close()
	for {
		n, err := c.run(s.rest())
		if err != nil {
			return err
		}
		s.at += n
		if left := len(s.rest()); left >= lightBytes {
			if err := c.passing(s); err != nil {
				return err
			}
		} else if s.end {
			if left > 0 {
				return invalid("record %d of the batch %s", c.seen, short)
			}
			return nil
		} else if err := s.fill(); err != nil {
			return err
		}
	}
}

// passing judges one record that is larger than the window, without ever
// holding it whole.
func (c *check) passing(s *stream) error {
	p := passer{s: s, left: 5, index: c.seen}
	size := p.varint(badLength)
	if size < minRecord {
		p.fail(badLength)
	}
	p.left = int64(size)
	p.skip(1, badEnd) // attributes
	timestampDelta := p.varlong()
	offsetDelta := p.varint(badVarint)
	keyLen := p.varint(badKey)
	p.skipPart(keyLen, badKey)
	p.skipPart(p.varint(badValue), badValue)
	headers := p.varint(badHeaders)
	if headers < 0 {
		p.fail(badHeaders)
	}
	for i := int32(0); i < headers && p.err == nil; i++ {
		n := p.varint(badHeaders)
		if n < 0 {
			p.fail(badHeaders)
		}
		p.skipPart(n, badHeaders)
		p.skipPart(p.varint(badHeaders), badHeaders)
	}
	if p.left != 0 {
		p.fail(badEnd)
	}
	if p.err != nil {
		return p.err
	}
	return c.record(timestampDelta, offsetDelta, keyLen >= 0)
}

// passer reads one record from a stream; its first failure sticks.
type passer struct {
	s     *stream
	left  int64 // bytes of the record that are still to come
	index int32
	err   error
}

func (p *passer) fail(f flaw) {
	if p.err == nil {
		p.err = invalid("record %d of the batch %s", p.index, f)
	}
}

func (p *passer) varint(f flaw) int32 {
	v := p.varlong()
	if p.err != nil {
		return 0
	}
	if int64(int32(v)) != v {
		p.fail(f)
		return 0
	}
	return int32(v)
}

func (p *passer) varlong() int64 {
	if p.err == nil {
		p.err = p.s.want(10)
	}
	if p.err != nil {
		return 0
	}
	b := p.s.rest()
	b = b[:min(int64(len(b)), p.left)]
	v, n := readVarlong(b, 0)
	if n <= 0 {
		p.fail(badVarint)
		return 0
	}
	p.s.at += n
	p.left -= int64(n)
	return v
}

// skipPart skips a key or value of n bytes; -1 is null.
func (p *passer) skipPart(n int32, f flaw) {
	if n < -1 {
		p.fail(f)
	}
	p.skip(max(int64(n), 0), f)
}

func (p *passer) skip(n int64, f flaw) {
	if n > p.left {
		p.fail(f)
	}
	p.left -= n
	for n > 0 && p.err == nil {
		have := min(n, int64(len(p.s.rest())))
		p.s.at += int(have)
		n -= have
		if n > 0 && p.s.end {
			p.fail(short)
		} else if n > 0 {
			p.err = p.s.fill()
		}
	}
}
