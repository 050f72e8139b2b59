package control

import (
	"encoding/json"
	"fmt"
	"reflect"

	"ottla/internal/controller"
)

// kind is what is known of one command.
type kind struct {
	name    string
	command reflect.Type
	// reply is what the controller answers it with, nil for nothing.
	reply reflect.Type
	// serving: it promises that partitions serve, on every node.
	serving bool
	// repeatable: done twice it is done once, so it may be given again when
	// its answer was lost.
	repeatable bool
	// decode reads a command and decodeReply its reply.
	decode      func([]byte) (any, error)
	decodeReply func([]byte) (any, error)
}

// nothing is the reply of commands that answer nil.
type nothing struct{}

// kinds lists every command of package controller; a test compares it with the
// machine's own list.
var kinds = []kind{
	of[controller.CreateTopics, []controller.CreatedTopic]().serves(),
	of[controller.DeleteTopics, []controller.DeletedTopic](),
	of[controller.CreatePartitions, []controller.Result]().serves(),
	of[controller.AlterConfigs, []controller.Result](),
	of[controller.AllocateProducerIDs, controller.ProducerIDs]().repeats(), // costs a block of ids
	of[controller.RegisterBroker, int64]().repeats(),                       // by its incarnation
	of[controller.AdmitNode, int32]().repeats(),                            // by its directory
	of[controller.UnregisterBroker, nothing](),
	of[controller.UnregisterController, nothing](),
	of[controller.UnfenceBroker, nothing]().repeats(), // by its epoch, as those below
	of[controller.FenceBroker, nothing]().repeats(),
	of[controller.ShutdownBroker, controller.ShutDown]().repeats(),
	of[controller.FailDirectories, nothing]().repeats(),
	of[controller.CordonDirectories, nothing]().repeats(),
	of[controller.AssignDirectories, nothing]().repeats(),
	of[controller.AlterPartition, []controller.AlteredPartition](),
	of[controller.RenewReplicas, []controller.Result]().repeats(), // as often as it likes
	of[controller.SettleEnd, nothing](),
	of[controller.YieldLeads, []controller.Result]().repeats(), // who leads no more has none to give
	of[controller.ElectLeaders, []controller.ElectResult](),
	of[controller.Rebalance, controller.Rebalanced](),
	of[controller.ReassignPartitions, []controller.Result](),
	of[controller.Bootstrap, nothing]().repeats(), // changes nothing where something is
	of[controller.UpdateFeatures, map[string]controller.Result](),
	of[controller.ExplainPartition, controller.Explained]().repeats(), // reads
	of[controller.ExplainLosses, controller.Explained]().repeats(),    // reads
}

// of describes the command C, which is answered with R.
func of[C, R any]() kind {
	k := kind{
		command: reflect.TypeFor[C](), reply: reflect.TypeFor[R](),
		decode: unmarshal[C], decodeReply: unmarshal[R],
	}
	if k.reply == reflect.TypeFor[nothing]() {
		k.reply = nil
		k.decodeReply = func([]byte) (any, error) { return nil, nil }
	}
	k.name = k.command.Name()
	return k
}

func (k kind) serves() kind {
	k.serving = true
	return k
}

func (k kind) repeats() kind {
	k.repeatable = true
	return k
}

func unmarshal[T any](b []byte) (any, error) {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, fmt.Errorf("decode %T: %w", v, err)
	}
	return v, nil
}

var (
	byType = index(func(k *kind) reflect.Type { return k.command })
	byName = index(func(k *kind) string { return k.name })
)

func index[K comparable](key func(*kind) K) map[K]*kind {
	m := map[K]*kind{}
	for i := range kinds {
		m[key(&kinds[i])] = &kinds[i]
	}
	return m
}
