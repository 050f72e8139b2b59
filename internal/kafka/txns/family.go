package txns

import (
	"context"
	"log/slog"

	"ottla/internal/kafka/api"
)

// Cluster runs commands of the controller.
type Cluster interface {
	Do(ctx context.Context, cmd any) (any, error)
}

// Options make a Family.
type Options struct {
	Cluster Cluster
	NodeID  int32
	Logger  *slog.Logger
}

// Family holds what the handlers share.
type Family struct {
	o   Options
	ids block
}

// New makes the family.
func New(o Options) *Family {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Family{o: o, ids: block{turn: make(chan struct{}, 1)}}
}

// APIs are the family's rows.
func (f *Family) APIs() []api.API { return []api.API{f.initProducerIDRow()} }
