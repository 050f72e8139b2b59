package schema

import "fmt"

// AppendLine writes the value of a line: the offset up to which it is taken up.
func AppendLine(b []byte, next int64) []byte { return append(appendInt64(appendInt16(b, 0), next), 0) }

// ParseLine reads it.
func ParseLine(b []byte) (next int64, err error) {
	r, err := value(b)
	if err != nil {
		return 0, fmt.Errorf("line record of %d bytes: %w", len(b), err)
	}
	next = r.Int64()
	return next, r.end("line", len(b))
}
