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

// Deps are what the family needs.
type Deps struct {
	Cluster Cluster
	NodeID  int32
	Logger  *slog.Logger
}

// Family holds what the handlers share.
type Family struct {
	o   Deps
	ids block
}

// New makes the family.
func New(o Deps) *Family {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Family{o: o, ids: block{turn: make(chan struct{}, 1)}}
}

// APIs makes the family and gives its rows.
func APIs(d Deps) []api.API { return New(d).APIs() }

// APIs are the family's rows.
func (f *Family) APIs() []api.API { return []api.API{f.initProducerIDRow()} }
