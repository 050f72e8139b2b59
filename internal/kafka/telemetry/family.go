package telemetry

import (
	"log/slog"
	"sync"
	"time"

	"ottla/internal/config"
	"ottla/internal/kafka/api"
	"ottla/internal/metric"
	"ottla/internal/uuid"
)

// Deps are what the family needs of its node.
type Deps struct {
	Cluster api.Cluster
	View    *config.View
	Now     func() time.Time
	NewID   func() uuid.UUID
	Logger  *slog.Logger
	Metrics *metric.Registry // nil measures nothing
}

// Family holds what the handlers share.
type Family struct {
	d Deps

	mu        sync.Mutex
	instances instances
	sums      sums
	rules     rules

	pushes, failed, bytes *metric.Counter
	clients               *metric.Gauge
}

// New makes the family.
func New(d Deps) *Family {
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return &Family{
		d: d, instances: newInstances(), sums: newSums(d.Metrics),
		pushes:  d.Metrics.Counter("ottla_client_metrics_pushes_total"),
		failed:  d.Metrics.Counter("ottla_client_metrics_pushes_failed_total"),
		bytes:   d.Metrics.Counter("ottla_client_metrics_bytes_total"),
		clients: d.Metrics.Gauge("ottla_client_metrics_clients"),
	}
}

// Rows lists the family's APIs without their handlers' needs, for documents.
func Rows() []api.API { return APIs(Deps{}) }

// APIs makes the family and gives its rows.
func APIs(d Deps) []api.API { return New(d).APIs() }

// APIs are the family's rows.
func (f *Family) APIs() []api.API { return []api.API{f.subscriptionsRow(), f.pushRow()} }
