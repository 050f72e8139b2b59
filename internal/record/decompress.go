package record

import (
	"errors"
	"fmt"
	"io"
)

// Decompress opens bytes that are compressed as the records of a batch are, and
// are none: a client's metrics (KIP-714). It gives at most limit bytes (0:
// MaxDecompressed), in memory of their own, and fails with an *Error:
// KindTooLarge when there are more. src is borrowed.
func Decompress(codec Codec, src []byte, limit int) ([]byte, error) {
	if codec == None {
		if limit > 0 && len(src) > limit {
			return nil, overLimit(int64(limit))
		}
		return append([]byte(nil), src...), nil
	}
	o, err := newOpener(codec, src, limit, true)
	if err != nil {
		return nil, sized(err, int64(limit))
	}
	defer o.close()
	var out []byte
	for {
		out, err = o.next(out)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, sized(err, o.limit)
		}
	}
}

// sized gives "more than the limit", which for a batch is an invalid record, the
// kind that it has where there is no batch.
func sized(err error, limit int64) error {
	var e *Error
	if errors.As(err, &e) && e.Reason == tooMuch(limit).Reason {
		return overLimit(limit)
	}
	return err
}

func overLimit(limit int64) *Error {
	return &Error{Kind: KindTooLarge, Reason: fmt.Sprintf("the compressed bytes open to more than %d", limit)}
}
