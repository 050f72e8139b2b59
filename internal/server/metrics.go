package server

import (
	"context"
	"net/http"
	"time"

	"ottla/internal/broker"
	"ottla/internal/broker/mend"
	"ottla/internal/event/object"
	"ottla/internal/event/queue"
	"ottla/internal/gateway/census"
	"ottla/internal/group"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/metric"
	"ottla/internal/quota"
	"ottla/internal/replicate"
)

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

		Replicas: replicate.Metrics{
			Requests: s.metrics.Counter("ottla_replica_fetch_requests_total"),
			Fetched:  s.metrics.Counter("ottla_replica_fetch_bytes_total"),
			Failed:   s.metrics.Counter("ottla_replica_connections_failed_total"),
		},
		Leading:   s.throttled("leader"),
		Following: s.throttled("follower"),
		Mending: mend.Metrics{
			Found:   s.metrics.Counter("ottla_replica_damages_total"),
			Mended:  s.metrics.Counter("ottla_replica_ranges_mended_total"),
			Renewed: s.metrics.Counter("ottla_replica_renewals_total"),
		},
	}
}

// throttled are the handles of one side of throttled replicas.
func (s *Server) throttled(side string) quota.Metrics {
	return quota.Metrics{
		Bytes: s.metrics.Counter("ottla_replica_throttled_bytes_total", side),
		Waits: s.metrics.Counter("ottla_replica_throttle_waits_total", side),
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
		"ottla_broker_partitions_closed":     func() int64 { return int64(len(s.broker.Closed())) },
		"ottla_metadata_offset":              func() int64 { return s.broker.Image().Offset },
		"ottla_metadata_topics":              func() int64 { return int64(s.broker.Image().TopicCount()) },
	} {
		s.metrics.Func(name, func() float64 { return float64(ask()) })
	}
	s.measureTimers()
	s.metrics.Funcs("ottla_coordinator_groups", s.groupsByState)
	s.metrics.Funcs("ottla_coordinator_transactions", s.transactionsByState)
}

// groupsPatience bounds how long a scrape waits for coordinators; groups of
// one that is slower are not counted.
const groupsPatience = 2 * time.Second

func (s *Server) groupsByState() map[string]float64 {
	ctx, cancel := context.WithTimeout(s.ctx, groupsPatience)
	defer cancel()
	n := map[string]float64{}
	for state := group.Empty; state < group.Dead; state++ {
		n[state.String()] = 0
	}
	n["Assigning"], n["Reconciling"] = 0, 0 // of groups that the server assigns
	for _, a := range s.groups.Each(ctx, group.List{}) {
		if list, ok := a.Body.([]group.Listed); ok {
			for i := range list {
				n[list[i].State]++
			}
		}
	}
	return n
}

// metricPages are those with a row for each partition and group.
func (s *Server) metricPages() map[string]http.Handler {
	o := census.Options{Image: s.broker.Image, ByName: s.broker.ByName, Groups: s.groups, Shares: s.shareStandings, Queues: s.queueStandings, Now: s.o.Now, Steady: s.broker.Steady}
	return map[string]http.Handler{
		string(metric.PageDetail): census.Detail(o),
		string(metric.PageKafka):  census.Exporter(o),
	}
}

// queueStandings goes through the queues whose partitions this node leads; one that
// has none yet makes nothing for it.
func (s *Server) queueStandings(ctx context.Context, each func(queue.Queue, lead.Survey, int) bool) error {
	if s.events.queues == nil || s.image().TopicByName(object.Topic) == nil {
		return nil
	}
	return s.events.queues.Near(ctx, each)
}

// shareStandings are those of the share-partitions that this node leads.
func (s *Server) shareStandings() []lead.Standing {
	if f := s.shares.Load(); f != nil {
		return f.Lead().Standings()
	}
	return nil
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
