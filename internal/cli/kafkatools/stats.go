package kafkatools

import (
	"slices"
	"time"
)

// samples bounds the latencies that are kept for percentiles, as in Kafka.
const samples = 500_000

// stats are the figures of a measurement. Latencies are kept in milliseconds,
// every sampling-th one.
type stats struct {
	begun          time.Time
	count, bytes   int64
	total, longest int64 // milliseconds
	latencies      []int32
	sampling       int64
	window         window
}

// window is what came since the last line of progress.
type window struct {
	begun          time.Time
	count, bytes   int64
	total, longest int64
}

func newStats(records int64) *stats {
	now := time.Now()
	return &stats{begun: now, sampling: max(1, records/min(max(records, 1), samples)), window: window{begun: now}}
}

func (s *stats) record(latency time.Duration, bytes int) {
	ms := latency.Milliseconds()
	if s.count%s.sampling == 0 {
		s.latencies = append(s.latencies, int32(ms))
	}
	s.count++
	s.bytes += int64(bytes)
	s.total += ms
	s.longest = max(s.longest, ms)
	s.window.count++
	s.window.bytes += int64(bytes)
	s.window.total += ms
	s.window.longest = max(s.window.longest, ms)
}

const mebibyte = 1024 * 1024

func (s *stats) printWindow(c *call, now time.Time) {
	w := &s.window
	seconds := now.Sub(w.begun).Seconds()
	c.printf("%d records sent, %.1f records/sec (%.2f MB/sec), %.1f ms avg latency, %.1f ms max latency.\n",
		w.count, float64(w.count)/seconds, float64(w.bytes)/seconds/mebibyte, float64(w.total)/float64(w.count), float64(w.longest))
	*w = window{begun: now}
}

// print writes the summary; kind stands before "records".
func (s *stats) print(c *call, kind string) {
	seconds := time.Since(s.begun).Seconds()
	p := s.percentiles(0.5, 0.95, 0.99, 0.999)
	c.printf("%d %srecords sent, %.6f records/sec (%.2f MB/sec), %.2f ms avg latency, %.2f ms max latency, %d ms 50th, %d ms 95th, %d ms 99th, %d ms 99.9th.\n",
		s.count, kind, float64(s.count)/seconds, float64(s.bytes)/seconds/mebibyte, float64(s.total)/float64(s.count), float64(s.longest), p[0], p[1], p[2], p[3])
}

func (s *stats) percentiles(parts ...float64) []int32 {
	out := make([]int32, len(parts))
	if len(s.latencies) == 0 {
		return out
	}
	sorted := slices.Sorted(slices.Values(s.latencies))
	for i, part := range parts {
		out[i] = sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
	}
	return out
}
