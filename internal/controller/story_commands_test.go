package controller

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/metadata"
)

// parseCommand reads a command of a story. The words behind the command are
// its own arguments; each line of the block is one item.
func parseCommand(t *testing.T, d *datadriven.TestData, lines []string) any {
	args := words(t, d, strings.TrimPrefix(d.FullCmd(), d.Cmd))
	items := make([]*word, len(lines))
	for i, l := range lines {
		items[i] = words(t, d, l)
	}
	broker := int32(args.num("id", 1))
	epoch := args.num("epoch", 0)
	switch d.Cmd {
	case "register":
		return parseRegister(args)
	case "admit":
		return AdmitNode{int32(args.num("id", -1)), args.id(args.keys["dir"])}
	case "unregister-controller":
		return UnregisterController{broker}
	case "isr":
		return parseISR(args, items)
	case "renew", "yield":
		r := RenewReplicas{ID: broker, Epoch: epoch}
		for _, w := range items {
			r.Partitions = append(r.Partitions, TopicIDPartition{w.id(w.at(0)), int32(w.parse(w.at(1)))})
		}
		if d.Cmd == "yield" {
			return YieldLeads(r)
		}
		return r
	case "settle":
		s := SettleEnd{ID: broker, Epoch: epoch, TopicID: args.id(args.at(0)), Index: int32(args.parse(args.at(1))),
			PartitionEpoch: int32(args.num("pe", 0)), Heir: int32(args.num("heir", -1))}
		for _, f := range strings.FieldsFunc(args.keys["away"], comma) {
			s.Away = append(s.Away, int32(args.parse(f)))
		}
		return s
	case "rebalance":
		return Rebalance{}
	case "explain":
		return ExplainPartition{args.at(0), int32(args.parse(args.at(1)))}
	case "losses":
		return ExplainLosses{}
	case "unregister":
		return UnregisterBroker{broker}
	case "unfence":
		return UnfenceBroker{broker, epoch}
	case "fence":
		return FenceBroker{broker, epoch, args.keys["why"]}
	case "shutdown":
		return ShutdownBroker{broker, epoch}
	case "producer-ids":
		return AllocateProducerIDs{broker}
	case "create":
		return parseCreate(d, args, items)
	case "delete":
		return parseDelete(items)
	case "partitions":
		return parsePartitions(d, items)
	case "alter", "incremental":
		return parseAlter(d, items)
	case "elect":
		return parseElect(d, items)
	case "reassign":
		return parseReassign(d, items)
	case "fail-dirs":
		return FailDirectories{broker, epoch, args.ids(args.keys["dirs"])}
	case "cordon-dirs":
		return CordonDirectories{broker, epoch, args.ids(args.keys["dirs"])}
	case "assign-dirs":
		a := AssignDirectories{ID: broker, Epoch: epoch}
		for _, w := range items {
			a.Partitions = append(a.Partitions, DirectoryAssignment{w.id(w.at(0)), int32(w.parse(w.at(1))), w.id(w.at(2))})
		}
		return a
	case "bootstrap":
		b := Bootstrap{map[string]int16{}}
		for _, w := range items {
			b.Features[w.at(0)] = int16(w.parse(w.at(1)))
		}
		return b
	case "features":
		u := UpdateFeatures{map[string]FeatureUpdate{}, d.HasArg("validate")}
		for _, w := range items {
			u.Updates[w.at(0)] = FeatureUpdate{int16(w.parse(w.at(1))), int8(w.parse(w.at(2)))}
		}
		return u
	case "nonsense":
		return struct{ A int }{1}
	}
	d.Fatalf(t, "no such command: %s", d.Cmd)
	return nil
}

func parseRegister(w *word) RegisterBroker {
	r := RegisterBroker{ClusterID: "story"}
	if c, ok := w.keys["cluster"]; ok {
		r.ClusterID = c
	}
	b := &r.Broker
	r.Lossy, r.OldGone = w.num("lossy", 0) == 1, w.num("gone", 0) == 1
	b.ID = int32(w.num("id", 1))
	b.Incarnation = w.id(w.keys["incarnation"])
	b.Rack = w.keys["rack"]
	b.Directories = w.ids(w.keys["dirs"])
	if f := w.keys["features"]; f != "" {
		b.Features = map[string][2]int16{}
		for _, one := range strings.FieldsFunc(f, comma) {
			name, levels, _ := strings.Cut(one, ":")
			b.Features[name] = w.levels(levels)
		}
	}
	return r
}

func parseCreate(d *datadriven.TestData, args *word, items []*word) CreateTopics {
	c := CreateTopics{
		ValidateOnly: d.HasArg("validate"), CapReplicas: d.HasArg("cap"), SafeInsync: d.HasArg("safe"),
		DefaultPartitions: int32(args.num("partitions", 1)), DefaultReplicas: int16(args.num("replicas", 1)),
	}
	for _, w := range items {
		t := NewTopic{Name: w.at(0), Partitions: int32(w.num("p", -1)), Replicas: int16(w.num("r", -1))}
		if strings.HasPrefix(t.Name, "long:") {
			t.Name = strings.Repeat("x", int(w.parse(t.Name[5:])))
		}
		for _, p := range w.plain[1:] {
			name, value := setting(p)
			t.Configs = append(t.Configs, ConfigEntry{name, value})
		}
		if a, ok := w.keys["assign"]; ok { // assign=0:1,2/1:2,1
			t.Assignments = map[int32][]int32{}
			for _, one := range strings.Split(a, "/") {
				index, replicas, _ := strings.Cut(one, ":")
				t.Assignments[int32(w.parse(index))] = w.ints(replicas)
			}
		}
		c.Topics = append(c.Topics, t)
	}
	return c
}

func parseDelete(items []*word) DeleteTopics {
	var c DeleteTopics
	for _, w := range items {
		c.Topics = append(c.Topics, TopicRef{w.keys["name"], w.id(w.keys["id"])})
	}
	return c
}

func parsePartitions(d *datadriven.TestData, items []*word) CreatePartitions {
	c := CreatePartitions{ValidateOnly: d.HasArg("validate")}
	for _, w := range items {
		m := MorePartitions{Name: w.at(0), Count: int32(w.parse(w.at(1)))}
		if a, ok := w.keys["assign"]; ok { // assign=1,2/2,1
			for _, one := range strings.Split(a, "/") {
				m.Assignments = append(m.Assignments, w.ints(one))
			}
		}
		c.Topics = append(c.Topics, m)
	}
	return c
}

var resourceTypes = map[string]int8{
	"topic": metadata.ResourceTopic, "broker": metadata.ResourceBroker,
	"group": metadata.ResourceGroup, "client-metrics": metadata.ResourceClientMetrics, "odd": 77,
}

// parseAlter: topic orders set:retention.ms=1 append:cleanup.policy=compact;
// a word base:NAME=VALUE gives the base of the entry of that name before it.
func parseAlter(d *datadriven.TestData, items []*word) AlterConfigs {
	c := AlterConfigs{Incremental: d.Cmd == "incremental", ValidateOnly: d.HasArg("validate")}
	ops := map[string]Op{"set": OpSet, "delete": OpDelete, "append": OpAppend, "subtract": OpSubtract, "odd": 9}
	for _, w := range items {
		r := AlterResource{Type: resourceTypes[w.at(0)], Name: w.at(1)}
		all := w.plain[2:]
		for k, v := range w.keys { // a setting without a dot in its name
			all = append(all, k+"="+v)
		}
		for _, p := range all {
			op, rest, _ := strings.Cut(p, ":")
			name, value := setting(rest)
			if op == "base" {
				r.Entries[len(r.Entries)-1].Base = *value
				continue
			}
			e := AlterEntry{Name: name, Op: ops[op], Value: value}
			if e.Op == OpDelete {
				e.Value = nil
			}
			if value != nil && strings.HasPrefix(*value, "long:") {
				long := strings.Repeat("1", int(w.parse((*value)[5:])))
				e.Value = &long
			}
			r.Entries = append(r.Entries, e)
		}
		c.Resources = append(c.Resources, r)
	}
	return c
}

// parseISR: isr id=LEADER epoch=E, then #TOPIC INDEX le=LEADEREPOCH
// pe=PARTITIONEPOCH isr=1,2 or isr=1:EPOCH,2:EPOCH recovery=1.
func parseISR(args *word, items []*word) AlterPartition {
	c := AlterPartition{Broker: int32(args.num("id", 1)), Epoch: args.num("epoch", 0)}
	for _, w := range items {
		n := NewISR{
			TopicID: w.id(w.at(0)), Index: int32(w.parse(w.at(1))), LeaderEpoch: int32(w.num("le", 0)),
			PartitionEpoch: int32(w.num("pe", 0)), LeaderRecovery: int8(w.num("recovery", 0)),
		}
		for _, f := range strings.FieldsFunc(w.keys["isr"], comma) {
			id, epoch, ok := strings.Cut(f, ":")
			s := BrokerState{int32(w.parse(id)), -1}
			if ok {
				s.BrokerEpoch = w.parse(epoch)
			}
			n.ISR = append(n.ISR, s)
		}
		c.Partitions = append(c.Partitions, n)
	}
	return c
}

// parseReassign: TOPIC INDEX 1,2 or TOPIC INDEX back.
func parseReassign(d *datadriven.TestData, items []*word) ReassignPartitions {
	c := ReassignPartitions{KeepFactor: d.HasArg("keep")}
	for _, w := range items {
		r := Reassignment{TopicPartition: TopicPartition{w.at(0), int32(w.parse(w.at(1)))}}
		if to := w.at(2); to == "none" {
			r.Replicas = []int32{}
		} else if to != "back" {
			r.Replicas = w.ints(to)
		}
		c.Partitions = append(c.Partitions, r)
	}
	return c
}

func parseElect(d *datadriven.TestData, items []*word) ElectLeaders {
	c := ElectLeaders{Unclean: d.HasArg("unclean")}
	for _, w := range items {
		c.Partitions = append(c.Partitions, TopicPartition{w.at(0), int32(w.parse(w.at(1)))})
	}
	return c
}

// parseRecord: change #101 0 leader=-1 isr=1,2 elr=3; config TYPE NAME k=v.
func parseRecord(t *testing.T, w *word) metadata.Record {
	switch w.at(0) {
	case "change":
		r := metadata.ChangePartition(w.id(w.at(1)), int32(w.parse(w.at(2))))
		r.Leader = int32(w.num("leader", int64(metadata.LeaderUnchanged)))
		for key, list := range map[string]*[]int32{"isr": &r.ISR, "elr": &r.ELR, "last": &r.LastELR} {
			if v, ok := w.keys[key]; ok {
				*list = w.ints(v)
			}
		}
		return r
	case "topic":
		return &metadata.TopicRecord{Name: w.at(1), ID: w.id(w.at(2))}
	case "cordon":
		return &metadata.BrokerRegistrationChangeRecord{
			BrokerID: int32(w.num("id", 1)), BrokerEpoch: w.num("epoch", 0), CordonedLogDirs: w.ids(w.keys["dirs"]),
		}
	case "controller":
		return &metadata.RegisterControllerRecord{ControllerID: int32(w.num("id", 1)), IncarnationID: w.id("#1")}
	case "producer-ids":
		return &metadata.ProducerIDsRecord{NextProducerID: w.num("next", 0)}
	case "no-op":
		return &metadata.NoOpRecord{}
	}
	t.Fatalf("%s: no such record: %s", w.pos, w.at(0))
	return nil
}
