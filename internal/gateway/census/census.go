package census

import (
	"context"
	"net/http"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/event/queue"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/metadata"
	"ottla/internal/metric"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// Options are what is asked.
type Options struct {
	Image func() *metadata.Image
	// ByName finds a partition that this node holds.
	ByName func(topic []byte, index int32) (*partition.Partition, wire.Code)
	Groups *coordinator.Runtime
	// Shares lists the share-partitions that this node leads, in an order that
	// stays; nil for none.
	Shares func() []lead.Standing
	// Queues goes through the queues whose partitions this node leads, with what
	// those have; nil for none.
	Queues func(ctx context.Context, each func(q queue.Queue, here lead.Survey, sources int) bool) error
	Now    func() time.Time
	// Steady is the clock of replicas' lags, in ms (broker.Steady).
	Steady func() int64
	// Limits of an answer; zero for DefaultLimits.
	Limits Limits
}

// Limits bound what one answer holds and costs.
type Limits struct {
	Partitions int // shown
	Groups     int // shown
	Offsets    int // committed ones shown, of all groups
	Shares     int // share-partitions shown
	Queues     int // shown
	Reads      int // of a record's timestamp, for lag in seconds
	// Patience is how long coordinators and disks may take together.
	Patience time.Duration
}

// DefaultLimits keep an answer below some 10 MB, and within the ten seconds
// after which Prometheus gives up.
var DefaultLimits = Limits{Partitions: 10_000, Groups: 2_000, Offsets: 20_000, Shares: 4_000, Queues: 1_000, Reads: 5_000, Patience: 5 * time.Second}

// Detail answers metric.PageDetail.
func Detail(o Options) http.Handler {
	return metric.PageDetail.Handler(func(ctx context.Context, sheet *metric.Sheet) {
		o.scrape(ctx, sheet, func(s *scrape) {
			s.detailOfPartitions()
			s.groups(s.detailOfGroup)
			s.shares()
			s.queues()
			sheet.Put("ottla_detail_entries_omitted", float64(s.omitted))
		})
	})
}

// Exporter answers metric.PageKafka.
func Exporter(o Options) http.Handler {
	return metric.PageKafka.Handler(func(ctx context.Context, sheet *metric.Sheet) {
		o.scrape(ctx, sheet, func(s *scrape) {
			s.exportPartitions()
			s.groups(s.exportGroup)
			sheet.Put("ottla_exporter_entries_omitted", float64(s.omitted))
		})
	})
}

// scrape is one answer while it is made.
type scrape struct {
	Options
	ctx     context.Context
	sheet   *metric.Sheet
	image   *metadata.Image
	left    Limits // what may still be shown
	omitted int
}

func (o Options) scrape(ctx context.Context, sheet *metric.Sheet, fill func(*scrape)) {
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits
	}
	ctx, cancel := context.WithTimeout(ctx, o.Limits.Patience)
	defer cancel()
	fill(&scrape{Options: o, ctx: ctx, sheet: sheet, image: o.Image(), left: o.Limits})
}

// take tells whether one more fits, of what n counts down.
func (s *scrape) take(n *int) bool {
	if *n <= 0 || s.ctx.Err() != nil {
		s.omitted++
		return false
	}
	*n--
	return true
}
