package record

import "io"

// Recompress returns the batch with its records under another codec, header
// and CRC made anew. level is the codec's own (compression.<codec>.level); 0
// means its default. The answer is the caller's. It fails with an *Error.
func Recompress(b []byte, to Codec, level int, maxDecompressed int) ([]byte, error) {
	return RecompressWithin(b, to, level, maxDecompressed, 0)
}

// RecompressWithin is Recompress for a topic that takes batches of at most
// maxBytes (max.message.bytes; 0: any): it fails with KindTooLarge as soon as
// the new batch is larger, so a small batch that opens to gigabytes never
// takes their memory.
func RecompressWithin(b []byte, to Codec, level, maxDecompressed, maxBytes int) ([]byte, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return nil, err
	}
	if h.Size() > len(b) {
		return nil, corrupt("batch at offset %d is cut short: %d of %d bytes", h.BaseOffset, len(b), h.Size())
	}
	if maxBytes <= 0 || maxBytes > MaxDecompressed {
		maxBytes = MaxDecompressed
	}
	p, err := newPacker(to, level, make([]byte, HeaderSize, h.Size()), maxBytes)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if err := p.takeOpened(h.Codec(), b[HeaderSize:h.Size()], maxDecompressed); err != nil {
		return nil, err
	}
	batch, err := p.finish()
	if err != nil {
		return nil, err
	}
	h.Attributes = h.Attributes&^codecMask | int16(to)
	seal(&h, batch)
	return batch, nil
}

// takeOpened writes the records of a batch, opened, to p.
func (p *packer) takeOpened(codec Codec, payload []byte, maxDecompressed int) error {
	if codec == None {
		return p.write(payload)
	}
	o, err := newOpener(codec, payload, maxDecompressed, true)
	if err != nil {
		return err
	}
	defer o.close()
	for {
		o.buf, err = o.next(o.buf[:0])
		if err != nil && err != io.EOF {
			return err
		}
		if werr := p.write(o.buf); werr != nil {
			return werr
		}
		if err == io.EOF {
			return nil
		}
	}
}
