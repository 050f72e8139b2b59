package inspect

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"ottla/internal/log/walk"
	"ottla/internal/record"
)

// batches shows a file of batches: a segment or a snapshot of the metadata.
func (d *dumper) batches(name string) error {
	f, err := d.fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return fmt.Errorf("size of %s: %w", name, err)
	}
	r := walk.Get(f, 0, size)
	defer r.Put()
	for {
		var h record.Header
		err := r.Header(&h)
		var bad *walk.Bad
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &bad):
			return d.damage(name, bad.Byte, errors.New(bad.Reason))
		case err != nil:
			return fmt.Errorf("read %s: %w", name, err)
		}
		at := r.Pos()
		b, err := r.Batch(&h)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if err := d.batch(name, at, &h, b); err != nil {
			return err
		}
		r.Skip(&h)
	}
}

func (d *dumper) batch(name string, at int64, h *record.Header, b []byte) error {
	sound := record.VerifyCRC(b)
	times := "create"
	if h.LogAppendTime() {
		times = "append"
	}
	err := d.line(name, "batch", at,
		Field{"base_offset", h.BaseOffset}, Field{"last_offset", h.LastOffset()}, Field{"count", h.Count},
		Field{"size", h.Size()}, Field{"leader_epoch", h.LeaderEpoch}, Field{"codec", h.Codec().String()},
		Field{"time", times}, Field{"base_timestamp", h.BaseTimestamp}, Field{"max_timestamp", h.MaxTimestamp},
		Field{"producer_id", h.ProducerID}, Field{"producer_epoch", h.ProducerEpoch}, Field{"base_sequence", h.BaseSequence},
		Field{"transactional", h.Transactional()}, Field{"control", h.Control()}, Field{"delete_horizon", h.HasDeleteHorizon()},
		Field{"crc", fmt.Sprintf("%08x", h.CRC)}, Field{"crc_ok", sound})
	if err != nil {
		return err
	}
	if !sound {
		return d.damage(name, at, errors.New("the checksum does not hold"))
	}
	if !d.o.Records && !d.o.Decode {
		return nil
	}
	var failed error
	err = record.Walk(b, 0, func(rec *record.Record) bool {
		failed = d.record(name, at, h, rec)
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return d.damage(name, at, err)
	}
	return nil
}

func (d *dumper) record(name string, at int64, h *record.Header, rec *record.Record) error {
	stamp := h.BaseTimestamp + rec.TimestampDelta
	if h.LogAppendTime() {
		stamp = h.MaxTimestamp
	}
	fields := []Field{{"offset", h.BaseOffset + int64(rec.OffsetDelta)}, {"timestamp", stamp}}
	if d.o.Decode {
		if decoded := decode(topicOf(name), h, rec); decoded != nil {
			return d.line(name, "record", at, append(fields, decoded...)...)
		}
	}
	fields = append(fields, Field{"key", text(rec.Key)}, Field{"value", text(rec.Value)})
	var headers []string
	for _, rh := range rec.Headers {
		headers = append(headers, rh.Key+":"+string(rh.Value))
	}
	if headers != nil {
		fields = append(fields, Field{"headers", headers})
	}
	return d.line(name, "record", at, fields...)
}

// text is bytes as they are shown; nil is null.
func text(b []byte) any {
	if b == nil {
		return nil
	}
	return string(b)
}

// topicOf is the topic of the partition directory that a file lies in.
func topicOf(name string) string {
	dir := path.Base(path.Dir(name))
	if i := strings.LastIndexByte(dir, '-'); i > 0 {
		return dir[:i]
	}
	if strings.HasSuffix(name, ".checkpoint") {
		return metadataTopic
	}
	return dir
}
