package material

import "strconv"

const (
	longestSegmentMs  = 7 * 24 * 3600_000 // Kafka's default
	shortestSegmentMs = 60_000
	segments          = 8
)

// SegmentMs is the segment.ms of a topic that keeps records for so many ms (-1: for ever).
// Records go with the segment that they are in, so segments are an eighth of that: by
// default a topic that seldom gets something would keep it a week longer.
func SegmentMs(retentionMs int64) string {
	if retentionMs < 0 {
		return strconv.Itoa(longestSegmentMs)
	}
	return strconv.FormatInt(min(max(retentionMs/segments, shortestSegmentMs), longestSegmentMs), 10)
}
