package schedule

import (
	"hash/fnv"
	"strings"

	"ottla/internal/event/name"
)

// DefaultGroup is the group that is always there.
const DefaultGroup = "default"

// Ref names a schedule. An empty Account, Region or Group is the default one.
type Ref struct{ Account, Region, Group, Name string }

// Full is the name of the object.
func (r Ref) Full() name.Ref {
	g := GroupRef{r.Account, r.Region, r.Group}.Full()
	return name.Ref{Kind: name.Schedule, Account: g.Account, Region: g.Region, Name: g.Name + "/" + r.Name}
}

// ARN is the schedule's Amazon Resource Name.
func (r Ref) ARN() string { return r.Full().ARN() }

// RefOf is the inverse of Full.
func RefOf(r name.Ref) Ref {
	group, own, _ := strings.Cut(r.Name, "/")
	return Ref{r.Account, r.Region, group, own}
}

// GroupRef names a group of schedules. What is empty is the default.
type GroupRef struct{ Account, Region, Name string }

// Full is the name of the object.
func (r GroupRef) Full() name.Ref {
	return name.Ref{Kind: name.ScheduleGroup, Account: or(r.Account, name.DefaultAccount), Region: or(r.Region, name.DefaultRegion), Name: or(r.Name, DefaultGroup)}
}

// ARN is the group's Amazon Resource Name.
func (r GroupRef) ARN() string { return r.Full().ARN() }

// group is the group of a schedule.
func (r Ref) group() GroupRef { return GroupRef{r.Account, r.Region, r.Group} }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// hash is a number of a key's own: it says which partition a schedule is in.
func hash(key string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // a hash takes everything
	return h.Sum32()
}

// partitionOf is the partition of a key among so many.
func partitionOf(key string, partitions int) int32 {
	return int32(hash(key) % uint32(partitions))
}
