package record

import (
	"encoding/binary"
)

// Rules are what a leader demands of a produced batch (protocol (c)).
type Rules struct {
	MaxBatchBytes   int   // max.message.bytes, header included; 0: no limit
	MaxDecompressed int   // max.decompressed.message.bytes; compressed batches only; 0: the constant
	RequireKeys     bool  // compacted topic: no null keys
	AllowZstd       bool  // false below Produce v7
	NowMs           int64 // the leader's clock
	BeforeMaxMs     int64 // message.timestamp.before.max.ms
	AfterMaxMs      int64 // message.timestamp.after.max.ms
	AppendTime      bool  // message.timestamp.type=LogAppendTime: timestamps are not judged
	Unsequenced     bool  // a coordinator's own write: a producer's batch may have no sequence
}

// Validate checks one produced batch, b holding exactly that batch: header,
// CRC, counts, deltas, every record (compressed payloads are opened by pooled
// decoders with bounded output). On success h is filled with the header as the
// leader must store it: h.MaxTimestamp is the true maximum, and a timestamp
// type that the topic does not have is cleared from h.Attributes. Where that
// differs from the bytes, NeedsTimestamps says so and the caller patches them
// with SetTimestamps. Validate does not change b and, for valid uncompressed
// batches, allocates nothing. A failure is always an *Error.
func Validate(b []byte, r *Rules, h *Header) error {
	if err := checkFrame(b, r, h); err != nil {
		return err
	}
	if err := checkHeader(h, r); err != nil {
		return err
	}
	var c check
	c.start(h, r)
	if err := c.records(h.Codec(), b[HeaderSize:]); err != nil {
		return err
	}
	if err := c.finish(); err != nil {
		return err
	}
	if !r.AppendTime {
		h.Attributes &^= bitAppendTime
		h.MaxTimestamp = c.maxMs
	}
	return nil
}

// checkFrame makes sure that b is exactly one batch of magic 2, small enough
// and undamaged, in the order in which Kafka finds fault.
func checkFrame(b []byte, r *Rules, h *Header) error {
	if len(b) >= lengthOverhead {
		if n := int32(binary.BigEndian.Uint32(b[atLength:])); n < HeaderSize-lengthOverhead && len(b) > atMagic && b[atMagic] >= 2 {
			return corrupt("the batch has the impossible length %d", n)
		}
	}
	if len(b) <= atMagic {
		return invalid("the request holds no whole batch for the partition (%d bytes)", len(b))
	}
	switch m := int8(b[atMagic]); {
	case m == 0 || m == 1:
		return invalid("the batch has magic %d; since Produce v3 only magic 2 is accepted", m)
	case m != 2:
		return corrupt("the batch has the unknown magic %d", m)
	}
	if len(b) < HeaderSize {
		return invalid("the batch is cut short: %d bytes, its header alone has %d", len(b), HeaderSize)
	}
	h.read(b)
	if size := int64(h.Length) + lengthOverhead; size > int64(len(b)) {
		return invalid("the batch is cut short: %d of its %d bytes", len(b), size)
	} else if size < int64(len(b)) {
		return invalid("a partition takes exactly one batch; %d bytes follow it", int64(len(b))-size)
	}
	if h.Codec() == Zstd && !r.AllowZstd {
		return &Error{Kind: KindUnsupported, Reason: "zstd needs Produce version 7 or newer (KIP-110)"}
	}
	if h.BaseOffset != 0 {
		return invalid("the base offset of a produced batch is 0, not %d", h.BaseOffset)
	}
	if r.MaxBatchBytes > 0 && len(b) > r.MaxBatchBytes {
		return tooLarge(len(b), r.MaxBatchBytes)
	}
	if got := checksum(b); got != h.CRC {
		return corrupt("the batch has checksum %08x, its bytes give %08x", h.CRC, got)
	}
	return nil
}

// checkHeader judges what the header of a client's batch says.
func checkHeader(h *Header, r *Rules) error {
	switch {
	case h.Count <= 0:
		return invalid("the batch counts %d records", h.Count)
	case h.LastOffsetDelta != h.Count-1:
		return invalid("the batch counts %d records and its last offset delta is %d", h.Count, h.LastOffsetDelta)
	case h.Control():
		return invalid("clients cannot write control batches")
	case h.ProducerID >= 0 && h.BaseSequence < 0 && !r.Unsequenced:
		return invalid("the batch of producer %d has the sequence %d", h.ProducerID, h.BaseSequence)
	case h.Codec() > Zstd:
		return invalid("the batch has the unknown compression %d", h.Attributes&codecMask)
	}
	return nil
}

// records judges the records, b being the batch behind its header.
func (c *check) records(codec Codec, b []byte) error {
	if codec != None {
		return c.checkOpened(codec, b)
	}
	n, err := c.run(b)
	if err != nil {
		return err
	}
	if n < len(b) {
		return invalid("record %d of the batch %s", c.seen, short)
	}
	return nil
}

func tooLarge(size, limit int) *Error {
	e := invalid("the batch has %d bytes and the topic takes %d (max.message.bytes)", size, limit)
	e.Kind = KindTooLarge
	return e
}
