package coordinator

import "ottla/internal/metadata"

// Home is the node that coordinates a key: the leader of its partition of the
// topic, -1 while there is none. partitionFor is Runtime.PartitionFor. Where there
// is no topic yet, or no such partition, it is the asking node, whose runtime says
// so.
func Home(img *metadata.Image, topic string, asking int32, partitionFor func(string) (int32, error), key string) int32 {
	p, err := partitionFor(key)
	if err != nil {
		return asking
	}
	t := img.TopicByName(topic)
	if t == nil || int(p) >= len(t.Partitions) {
		return asking
	}
	return t.Partitions[p].Leader
}
