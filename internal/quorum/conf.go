package quorum

import (
	"fmt"

	"go.etcd.io/raft/v3/confchange"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
)

// confAfter is the configuration once the change in e holds. last is the
// index of the log's last entry.
func confAfter(conf *pb.ConfState, last uint64, e *pb.Entry) (*pb.ConfState, error) {
	cc, err := parseConfChange(e)
	if err != nil {
		return nil, err
	}
	t := tracker.MakeProgressTracker(maxInflight, 0)
	cfg, progress, err := confchange.Restore(confchange.Changer{Tracker: t, LastIndex: last}, conf)
	if err != nil {
		return nil, fmt.Errorf("configuration before entry %d: %w", e.GetIndex(), err)
	}
	t.Config, t.Progress = cfg, progress
	changer := confchange.Changer{Tracker: t, LastIndex: last}
	v2 := cc.AsV2()
	auto, joint := v2.EnterJoint()
	switch {
	case v2.LeaveJoint():
		cfg, _, err = changer.LeaveJoint()
	case joint:
		cfg, _, err = changer.EnterJoint(auto, v2.GetChanges()...)
	default:
		cfg, _, err = changer.Simple(v2.GetChanges()...)
	}
	if err != nil {
		return nil, fmt.Errorf("configuration change in entry %d: %w", e.GetIndex(), err)
	}
	t.Config = cfg
	return t.ConfState(), nil
}
