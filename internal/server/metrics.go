package server

import "ottla/internal/broker"

// brokerMetrics are the handles of what the broker counts itself.
func (s *Server) brokerMetrics() broker.Metrics {
	return broker.Metrics{
		SyncDuration: s.metrics.Histogram("ottla_log_sync_duration_seconds"),
		Syncs:        s.metrics.Counter("ottla_log_syncs_total"),
		SyncsFailed:  s.metrics.Counter("ottla_log_syncs_failed_total"),

		Cleanings:       s.metrics.Counter("ottla_log_cleanings_total"),
		CleaningsFailed: s.metrics.Counter("ottla_log_cleanings_failed_total"),
		CleanerRead:     s.metrics.Counter("ottla_log_cleaner_read_bytes_total"),
		CleanerWritten:  s.metrics.Counter("ottla_log_cleaner_written_bytes_total"),
		CleanerDropped:  s.metrics.Counter("ottla_log_cleaner_dropped_records_total"),
	}
}

// measure declares what is asked of the node at each scrape; the broker is
// there.
func (s *Server) measure() {
	for name, ask := range map[string]func() int64{
		"ottla_log_bytes":                    s.logBytes,
		"ottla_log_directories_offline":      s.dirsOffline,
		"ottla_log_uncleanable_partitions":   func() int64 { return int64(s.broker.Uncleanable()) },
		"ottla_broker_partitions":            s.partitionsHeld,
		"ottla_broker_partitions_recovering": func() int64 { return int64(s.broker.Recovering()) },
		"ottla_metadata_offset":              func() int64 { return s.broker.Image().Offset },
		"ottla_metadata_topics":              func() int64 { return int64(s.broker.Image().TopicCount()) },
	} {
		s.metrics.Func(name, func() float64 { return float64(ask()) })
	}
}

func (s *Server) logBytes() (n int64) {
	for _, d := range s.dirs {
		n += d.Bytes()
	}
	return n
}

func (s *Server) dirsOffline() (n int64) {
	for _, d := range s.dirs {
		if d.Err() != nil {
			n++
		}
	}
	return n
}

func (s *Server) partitionsHeld() (n int64) {
	for range s.broker.Partitions() {
		n++
	}
	return n
}
