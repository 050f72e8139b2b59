package partition

import (
	"math"

	"ottla/internal/record"
	"ottla/internal/wire"
)

// prepare does everything with a batch that needs no lock: it validates,
// compresses anew where the topic asks for it, and patches timestamps. It
// returns the bytes to store (b, patched in place, unless compressed anew) and
// fills h with their header.
func (p *Partition) prepare(b []byte, c *Config, a *AppendArgs, h *record.Header) ([]byte, error) {
	var err error
	if a.Internal && isControl(b) {
		err = checkOurs(b, h)
	} else {
		b, err = p.check(b, c, a, h)
	}
	if err != nil {
		return nil, badBatch(err)
	}
	if limit := c.Log.SegmentBytes; limit > 0 && int64(len(b)) > limit {
		return nil, wire.Errorf(wire.RecordListTooLarge,
			"the batch has %d bytes, a segment of this topic %d (segment.bytes)", len(b), limit)
	}
	return b, authorized(h, a)
}

// check is prepare for all but our own control batches.
func (p *Partition) check(b []byte, c *Config, a *AppendArgs, h *record.Header) ([]byte, error) {
	rules := c.Rules
	rules.NowMs = p.now().UnixMilli()
	rules.AllowZstd = a.AllowZstd || a.Internal
	rules.Unsequenced = a.Internal
	if c.Log.Internal { // what a coordinator knows may be of before its clock was moved back
		rules.BeforeMaxMs, rules.AfterMaxMs = math.MaxInt64, math.MaxInt64
	}
	if err := record.Validate(b, &rules, h); err != nil {
		return nil, err
	}
	if c.Recompress && h.Codec() != c.Codec {
		return recompress(b, c, &rules, h)
	}
	if rules.AppendTime {
		h.MaxTimestamp = rules.NowMs
	}
	if rules.AppendTime || record.NeedsTimestamps(b, h) {
		record.SetTimestamps(b, h.MaxTimestamp, rules.AppendTime)
		return b, reread(b, h)
	}
	return b, nil
}

// recompress brings a valid batch into the topic's codec. The limit of
// max.message.bytes holds for what is stored, too.
func recompress(b []byte, c *Config, rules *record.Rules, h *record.Header) ([]byte, error) {
	maxMs := h.MaxTimestamp
	if rules.AppendTime {
		maxMs = rules.NowMs
	}
	b, err := record.RecompressWithin(b, c.Codec, c.Level, rules.MaxDecompressed, rules.MaxBatchBytes)
	if err != nil {
		return nil, err
	}
	record.SetTimestamps(b, maxMs, rules.AppendTime)
	return b, reread(b, h)
}

// reread fills h after b was patched.
func reread(b []byte, h *record.Header) (err error) {
	*h, err = record.ParseHeader(b)
	return err
}

// isControl looks at a batch of our own.
func isControl(b []byte) bool {
	h, err := record.ParseHeader(b)
	return err == nil && h.Control()
}

// checkOurs makes sure that a control batch of our own is whole: Validate
// takes none, and a damaged one would poison the log as much as any other.
func checkOurs(b []byte, h *record.Header) error {
	if err := reread(b, h); err != nil {
		return err
	}
	if h.Size() != len(b) || !record.VerifyCRC(b) || h.LastOffsetDelta < 0 {
		return &record.Error{Kind: record.KindCorrupt, Reason: "the control batch is damaged"}
	}
	return nil
}
