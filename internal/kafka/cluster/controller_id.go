package cluster

import "ottla/internal/metadata"

// controllerID is the node that an answer names as controller, always one that
// it lists: clients ignore others. Where the leader of the metadata quorum is
// not known, or is no broker that serves, that is this node, which hands
// changes on.
func (h *handlers) controllerID(img *metadata.Image) int32 {
	for _, id := range []int32{h.d.ControllerID(), h.d.NodeID} {
		if b := img.Broker(id); b != nil && !b.Fenced {
			return id
		}
	}
	return -1
}
