package tail

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cursor is where a reader of a topic stands: by partition, the offset to go on at.
type Cursor map[int32]int64

// String is the cursor as ParseFrom takes it: 0:17,1:4.
func (c Cursor) String() string {
	partitions := make([]int32, 0, len(c))
	for p := range c {
		partitions = append(partitions, p)
	}
	slices.Sort(partitions)
	var b strings.Builder
	for i, p := range partitions {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d:%d", p, c[p])
	}
	return b.String()
}

// Kind is how a From says its place.
type Kind uint8

// The kinds: the beginning, the end, an offset, so many records before the end of each
// partition, a time, a cursor.
const (
	Start Kind = iota
	End
	Offset
	Before
	At
	Exact
)

// From is where to begin to read.
type From struct {
	Kind   Kind
	N      int64     // Offset's, and Before's number
	Time   time.Time // At's
	Cursor Cursor    // Exact's
}

// mostCursor bounds the partitions of a cursor that comes from outside.
const mostCursor = 100_000

// ParseFrom reads start, end, 17, -10, @2026-11-26T16:00:00Z, 2026-11-26T16:00:00Z,
// @-10m, or a Cursor.
func ParseFrom(text string, now time.Time) (From, error) {
	switch text {
	case "start", "earliest", "beginning":
		return From{Kind: Start}, nil
	case "end", "latest":
		return From{Kind: End}, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n < 0 {
			return From{Kind: Before, N: -n}, nil
		}
		return From{Kind: Offset, N: n}, nil
	}
	when, marked := strings.CutPrefix(text, "@")
	if at, err := time.Parse(time.RFC3339, when); err == nil {
		return From{Kind: At, Time: at}, nil
	}
	if marked {
		if ago, err := time.ParseDuration(when); err == nil {
			return From{Kind: At, Time: now.Add(ago)}, nil
		}
		if ms, err := strconv.ParseInt(when, 10, 64); err == nil {
			return From{Kind: At, Time: time.UnixMilli(ms)}, nil
		}
	}
	if c, ok := parseCursor(text); ok {
		return From{Kind: Exact, Cursor: c}, nil
	}
	return From{}, fmt.Errorf("%.80q is no place in a topic: want start, end, an offset, -10 (so many before the end of each partition), "+
		"a time as 2026-11-26T16:00:00Z or @-10m, or the cursor of an earlier answer", text)
}

func parseCursor(text string) (Cursor, bool) {
	if strings.Count(text, ",") >= mostCursor {
		return nil, false
	}
	c := Cursor{}
	for part := range strings.SplitSeq(text, ",") {
		partition, offset, ok := strings.Cut(part, ":")
		p, err := strconv.ParseInt(partition, 10, 32)
		n, err2 := strconv.ParseInt(offset, 10, 64)
		if !ok || err != nil || err2 != nil || p < 0 || n < 0 {
			return nil, false
		}
		c[int32(p)] = n
	}
	return c, true
}
