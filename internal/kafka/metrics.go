package kafka

import (
	"time"

	"ottla/internal/metric"
)

// doorMetrics are the door's instruments, resolved once.
type doorMetrics struct {
	apis                         []apiMetrics // by row index
	received, sentBytes          *metric.Counter
	open                         *metric.Gauge
	taken, refusedConns, expired *metric.Counter
	panicsTotal                  *metric.Counter
}

// apiMetrics are those of one API.
type apiMetrics struct {
	requests, failed *metric.Counter
	duration         *metric.Histogram
}

func newDoorMetrics(r *metric.Registry, t *table) *doorMetrics {
	m := &doorMetrics{
		received:     r.Counter("ottla_kafka_received_bytes_total"),
		sentBytes:    r.Counter("ottla_kafka_sent_bytes_total"),
		open:         r.Gauge("ottla_kafka_connections"),
		taken:        r.Counter("ottla_kafka_connections_total"),
		refusedConns: r.Counter("ottla_kafka_connections_refused_total"),
		expired:      r.Counter("ottla_kafka_connections_expired_total"),
		panicsTotal:  r.Counter("ottla_kafka_handler_panics_total"),
	}
	for _, row := range t.rows {
		m.apis = append(m.apis, apiMetrics{
			requests: r.Counter("ottla_kafka_requests_total", row.name),
			failed:   r.Counter("ottla_kafka_requests_failed_total", row.name),
			duration: r.Histogram("ottla_kafka_request_duration_seconds", row.name),
		})
	}
	return m
}

func (m *doorMetrics) request(r *row, size int) {
	m.apis[r.index].requests.Inc()
	m.received.Add(size)
}

func (m *doorMetrics) answered(s slot, now time.Time) {
	m.apis[s.row.index].duration.Seconds(now.Sub(s.received))
}

func (m *doorMetrics) failed(r *row) { m.apis[r.index].failed.Inc() }
func (m *doorMetrics) sent(n int)    { m.sentBytes.Add(n) }
func (m *doorMetrics) refused()      { m.refusedConns.Inc() }
func (m *doorMetrics) swept()        { m.expired.Inc() }
func (m *doorMetrics) panics()       { m.panicsTotal.Inc() }

// connections notes one more or one less.
func (m *doorMetrics) connections(n int) {
	m.open.Add(n)
	if n > 0 {
		m.taken.Inc()
	}
}
