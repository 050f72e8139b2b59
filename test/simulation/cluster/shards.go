package cluster

import "ottla/internal/broker"

// shards are the coordinators of a node.
type shards struct{ p *process }

func newShards(p *process) *shards { return &shards{p} }

func (s *shards) byTopic() map[string]broker.Coordinator { return nil }

func (s *shards) close() {}
