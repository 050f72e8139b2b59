package data

import (
	"ottla/internal/metadata"
	"ottla/internal/partition/replica"
)

// rackAware is how the name of the class ends that sends consumers to the replicas
// in their own racks (KIP-392): Kafka's, whatever package it is in.
const rackAware = "RackAwareReplicaSelector"

// prefer tells which replica a consumer had better read from, -1 when that is this
// one: of those in the consumer's rack that are in sync and have what it asks for
// the one that has most. The leader itself goes first where it is in that rack.
func (a *fetchAnswer) prefer(p *fetchPart) int32 {
	if !a.family.rackly || len(a.rack) == 0 || a.replica >= 0 {
		return -1
	}
	image := a.family.o.Cluster.Image()
	if inRack(image, a.family.o.View.NodeID, a.rack) {
		return -1
	}
	var best replica.Standing
	found := int32(-1)
	for _, s := range p.partition.Standings() {
		if !s.InSync || s.Appended < p.offset || !inRack(image, s.ID, a.rack) {
			continue
		}
		if found < 0 || s.Appended > best.Appended || s.Appended == best.Appended && s.CaughtUpMs > best.CaughtUpMs {
			best, found = s, s.ID
		}
	}
	return found
}

// inRack tells whether a live node is in a rack.
func inRack(image *metadata.Image, node int32, rack []byte) bool {
	b := image.Broker(node)
	return b != nil && !b.Fenced && b.Rack == string(rack)
}
