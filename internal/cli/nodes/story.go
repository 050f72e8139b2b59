package nodes

import (
	"fmt"
	"slices"
	"strings"
)

// Story tells what a partition is, who has it, and why it is as it is.
func Story(f *Facts, p *Partition) []string {
	out := []string{leaderLine(f, p), replicasLine(p)}
	if len(p.Eligible) > 0 {
		out = append(out, fmt.Sprintf("node %s may lead without loss although not in sync: it has every record that was committed when it left (an eligible leader replica)", ids(p.Eligible)))
	}
	if n := f.Node(p.Leader); n != nil && n.closed(p) != "" {
		out = append(out, fmt.Sprintf("node %d cannot open its log, so that it can be neither written nor read; it tries again: %s", p.Leader, n.closed(p)))
	}
	for _, id := range p.Replicas {
		switch {
		case !slices.Contains(p.InSync, id), p.Leader < 0:
			out = append(out, WhyOut(f, p, id))
		case id != p.Leader:
			if l, known := f.Lags[Replica{p.Topic, p.Index, id}]; known {
				out = append(out, fmt.Sprintf("node %d is in sync%s", id, inSyncLag(l)))
			}
		}
	}
	if len(p.Adding)+len(p.Removing) > 0 {
		out = append(out, fmt.Sprintf("it is being moved: to node %s, from node %s", ids(p.Adding), ids(p.Removing)))
	}
	return append(out, outcome(p))
}

func inSyncLag(l Lag) string {
	if l.Records == 0 {
		return " and has every record"
	}
	return "," + lagText(l, true)
}

func leaderLine(f *Facts, p *Partition) string {
	if p.Leader < 0 {
		return fmt.Sprintf("%s has no leader (epoch %d): it can be neither written nor read", p.Name(), p.LeaderEpoch)
	}
	text := fmt.Sprintf("%s is led by node %d, in epoch %d", p.Name(), p.Leader, p.LeaderEpoch)
	if n := f.Node(p.Leader); n != nil {
		text += " at " + n.Addr
	}
	switch {
	case len(p.Replicas) == 0 || p.Leader == p.Replicas[0]:
		return text + "; that is its preferred leader"
	case !slices.Contains(p.InSync, p.Replicas[0]):
		return fmt.Sprintf("%s; its preferred leader is node %d, which is not in sync", text, p.Replicas[0])
	}
	return fmt.Sprintf("%s; its preferred leader is node %d, which is in sync and gets it back by itself where auto.leader.rebalance.enable is on", text, p.Replicas[0])
}

func replicasLine(p *Partition) string {
	return fmt.Sprintf("replicas on node %s; in sync: %s; at least %d must be for acks=all", ids(p.Replicas), ids(p.InSync), p.MinISR)
}

// outcome is what the state means to clients.
func outcome(p *Partition) string {
	switch StateOf(p) {
	case Offline:
		candidates := append(slices.Clone(p.InSync), p.Eligible...)
		if len(candidates) == 0 {
			return "nobody is known to have every acknowledged record: bring back the nodes, or order an unclean election and accept loss"
		}
		return fmt.Sprintf("it comes back by itself, without loss, when node %s does", ids(candidates))
	case Refusing:
		return fmt.Sprintf("writes with acks=all are refused until %d replicas are in sync; reading goes on", p.MinISR)
	case AtMinimum:
		return "writes go on; when one more replica falls out, those with acks=all are refused"
	case Short:
		return "writes and reads go on"
	}
	return "all of its replicas are in sync"
}

// ids lists nodes for people.
func ids(list []int32) string {
	if len(list) == 0 {
		return "none"
	}
	words := make([]string, len(list))
	for i, id := range list {
		words[i] = fmt.Sprint(id)
	}
	return strings.Join(words, ", ")
}
