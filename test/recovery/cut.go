//go:build linux

package main

import (
	"context"
	"errors"
	"time"

	"ottla/test/rig/several"
)

// cutOff is a trial in which a node loses every packet from and to the other nodes,
// while clients reach it as before: it leads partitions and coordinates groups, for all
// that it knows, and others do in its place. Clients shall find them, and be well before
// the cut ends.
func (s *stage) cutOff(ctx context.Context, trial int) error {
	both := trial%2 == 1
	victim, err := s.victim(ctx, trial, both)
	if err != nil {
		return err
	}
	var links []several.Link
	for node := 1; node <= nodes; node++ {
		if node != victim {
			links = append(links, several.Link{From: node, To: victim}, several.Link{From: victim, To: node})
		}
	}
	began := time.Now()
	mend, err := s.cluster.Apart(ctx, links...)
	if err != nil {
		return err
	}
	err = s.flowing(ctx, began)
	over := time.Now()
	if err = errors.Join(err, mend()); err != nil {
		return err
	}
	l, f := s.load, s.figures
	for _, who := range []string{"direct", "client"} {
		f.time("cut "+who, l.writes[who][partitionOf(victim)].gap(began, over))
	}
	for _, kind := range groupKinds {
		f.time("cut "+kind.name, l.groups[victim][kind.name].gap(began, over))
	}
	say("node %d cut off (controller: %v): %s", victim, both, s.gaps(victim, began, over))
	return s.flowing(ctx, over)
}
