package quota

import (
	"slices"
	"strconv"
	"strings"
)

// Replicas are those of a topic that are throttled. Nil is nobody; they do not
// change once they are made.
type Replicas struct {
	all  bool
	list []replica
}

type replica struct{ partition, broker int32 }

// ParseReplicas reads the value of a topic's setting: * or PARTITION:BROKER,….
// What is not of that form names nobody: the setting's own check has refused it.
func ParseReplicas(s string) *Replicas {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil
	}
	if s == "*" {
		return &Replicas{all: true}
	}
	r := &Replicas{}
	for one := range strings.SplitSeq(s, ",") {
		p, b, _ := strings.Cut(strings.TrimSpace(one), ":")
		index, err := strconv.ParseInt(p, 10, 32)
		if err != nil {
			continue
		}
		broker, err := strconv.ParseInt(b, 10, 32)
		if err != nil {
			continue
		}
		r.list = append(r.list, replica{int32(index), int32(broker)})
	}
	return r
}

// Has tells whether the replica of a partition at a broker is throttled.
func (r *Replicas) Has(partition, broker int32) bool {
	return r != nil && (r.all || slices.Contains(r.list, replica{partition, broker}))
}
