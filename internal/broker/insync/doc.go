// Package insync has the controller note which followers of the partitions led
// here are in sync (AlterPartition, KIP-497), and which partitions another shall lead
// since the disk is full here.
//
// It is not for judging that (package partition: Propose), nor for what becomes of
// it (the controller, then the image).
//
// Main type: Keeper.
//
// Files in reading order: keeper.go (when to look), ask.go (one round with the
// controller).
//
// A follower that caught up is looked at when its fetch says so, those that lag
// at every Pace. All proposals of a moment leave in one command, and one command
// is under way at a time: what comes meanwhile is the next one's. A proposal stays
// with its partition, where the high watermark heeds it, until the image has the
// controller's word; only a plain refusal takes it back, since after anything else
// the controller may have taken it.
//
// A partition that this node leads and has no room for is to be led by another in
// sync (YieldLeads); what the controller does not change is told again at every Pace.
//
// Goroutines: one, from the first partition with followers that is led here; a node
// alone has none. Close waits for it.
//
// Sources: KIP-497, KIP-841 (who may not join), KIP-903 (broker epochs).
package insync
