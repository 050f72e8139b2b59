//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// protocol is one way in which a group shares its partitions.
type protocol struct {
	name string
	// join gives the options by which the member in a place of the group joins;
	// it lets w see what the member is given, if the options do not themselves
	// tell of every assignment.
	join func(place int, w *witness) []kgo.Opt
	// settings are what the broker needs for it.
	settings []string
}

// protocols are all of them.
var protocols = []protocol{
	{name: "classic", join: func(_ int, w *witness) []kgo.Opt { return w.balancers(kgo.RangeBalancer()) }},
	{name: "cooperative", join: func(_ int, w *witness) []kgo.Opt { return w.balancers(kgo.CooperativeStickyBalancer()) }},
	{name: "consumer", settings: quickSessions, join: func(int, *witness) []kgo.Opt { return consumer }},
	{name: "migrating", settings: quickSessions, join: func(int, *witness) []kgo.Opt {
		if time.Now().Unix()/migrateEvery%2 == 0 {
			return []kgo.Opt{kgo.Balancers(kgo.CooperativeStickyBalancer())}
		}
		return consumer
	}},
}

// consumer are the options of a member of the consumer protocol (KIP-848).
var consumer = []kgo.Opt{kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer())}

// quickSessions give its members up as soon as classic ones.
var quickSessions = []string{"group.consumer.min.session.timeout.ms=1000", fmt.Sprint("group.consumer.session.timeout.ms=", sessionTimeout.Milliseconds())}

// migrateEvery is for how many seconds the members that come to a migrating
// group speak one protocol, before those that come speak the other. It is about
// as long as it takes until every member has been replaced once.
const migrateEvery = 90

// chooseProtocols picks some by name.
func chooseProtocols(list string) ([]protocol, error) {
	var out []protocol
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(protocols, func(p protocol) bool { return p.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no protocol %q; there are %s", name, protocolNames())
		}
		out = append(out, protocols[i])
	}
	return out, nil
}

func protocolNames() string {
	var names []string
	for _, p := range protocols {
		names = append(names, p.name)
	}
	return strings.Join(names, ",")
}

// witness tells what a member of a classic group is given in each generation,
// also where nothing changes for it and so no callback comes: it stands between
// the client and its assignor.
type witness struct {
	kgo.GroupBalancer
	joins func()
	given func(partitions []int32)
	topic string
}

// balancers are the options of a classic member.
func (w *witness) balancers(b kgo.GroupBalancer) []kgo.Opt {
	w.GroupBalancer = b
	return []kgo.Opt{kgo.Balancers(w)}
}

// JoinGroupMetadata is called before a JoinGroup leaves.
func (w *witness) JoinGroupMetadata(topics []string, current map[string][]int32, generation int32) []byte {
	w.joins()
	return w.GroupBalancer.JoinGroupMetadata(topics, current, generation)
}

// ParseSyncAssignment is called with each answer to a SyncGroup.
func (w *witness) ParseSyncAssignment(assignment []byte) (map[string][]int32, error) {
	plan, err := w.GroupBalancer.ParseSyncAssignment(assignment)
	if err == nil {
		w.given(plan[w.topic])
	}
	return plan, err
}
