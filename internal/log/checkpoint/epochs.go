package checkpoint

import (
	"fmt"
	"strconv"
	"strings"

	"ottla/internal/log/epoch"
)

// AppendEpochs adds the text of a leader-epoch-checkpoint to b.
func AppendEpochs(b []byte, entries []epoch.Entry) []byte {
	b = append(b, "0\n"...)
	b = strconv.AppendInt(b, int64(len(entries)), 10)
	b = append(b, '\n')
	for _, e := range entries {
		b = strconv.AppendInt(b, int64(e.Epoch), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, e.Start, 10)
		b = append(b, '\n')
	}
	return b
}

// ParseEpochs reads a leader-epoch-checkpoint.
func ParseEpochs(b []byte) ([]epoch.Entry, error) {
	lines, err := textLines(b)
	if err != nil {
		return nil, err
	}
	out := make([]epoch.Entry, 0, len(lines))
	for _, line := range lines {
		es, ss, _ := strings.Cut(line, " ")
		e, eerr := strconv.ParseInt(es, 10, 32)
		s, serr := strconv.ParseInt(strings.TrimSpace(ss), 10, 64)
		if eerr != nil || serr != nil || e < 0 || s < 0 {
			return nil, fmt.Errorf("leader-epoch line %q is not epoch, start offset", line)
		}
		if n := len(out); n > 0 && (int32(e) <= out[n-1].Epoch || s <= out[n-1].Start) {
			return nil, fmt.Errorf("leader-epoch line %q does not rise", line)
		}
		out = append(out, epoch.Entry{Epoch: int32(e), Start: s})
	}
	return out, nil
}
