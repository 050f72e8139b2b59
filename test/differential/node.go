package main

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// nodeStories are what is asked of one node about itself: features, quorum, log
// directories, reassignments, and settings of groups and subscriptions.
func nodeStories() []story {
	return []story{
		{"node/features updated", featuresUpdated},
		{"node/features after", featuresAfter},
		{"node/quorum described", quorumDescribed},
		{"node/partitions reassigned", partitionsReassigned},
		{"node/replicas sent to directories", replicasSent},
		{"node/settings of groups", groupSettings},
		{"node/settings of subscriptions", subscriptionSettings},
		{"node/cordoned directories", cordonedDirectories},
		{"node/one number of replicas in sync", oneMinInsync},
		{"node/forgotten", nodesForgotten},
	}
}

type featureChange struct {
	name  string
	level int16
	kind  int8
}

func updateOf(version int16, validate bool, changes ...featureChange) *kmsg.UpdateFeaturesRequest {
	req := kmsg.NewPtrUpdateFeaturesRequest()
	req.SetVersion(version)
	req.TimeoutMillis, req.ValidateOnly = 10000, validate
	for _, c := range changes {
		u := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
		u.Feature, u.MaxVersionLevel, u.UpgradeType, u.AllowDowngrade = c.name, c.level, c.kind, c.kind > 1
		req.FeatureUpdates = append(req.FeatureUpdates, u)
	}
	return req
}

func featuresUpdated(s *scene) {
	for v := int16(0); v <= 3; v++ {
		for _, c := range []struct {
			label    string
			validate bool
			changes  []featureChange
		}{
			{"nothing", false, nil},
			{"to where it is", false, []featureChange{{"transaction.version", 2, 1}}},
			{"beyond what is known", false, []featureChange{{"transaction.version", 3, 1}}},
			{"below zero", false, []featureChange{{"transaction.version", -1, 2}}},
			{"down as an upgrade", false, []featureChange{{"transaction.version", 1, 1}}},
			{"up as a downgrade", false, []featureChange{{"transaction.version", 3, 2}}},
			{"an unknown feature", false, []featureChange{{"no.such.version", 1, 1}}},
			{"an unknown feature turned off", false, []featureChange{{"no.such.version", 0, 2}}},
			{"an unknown kind of change", false, []featureChange{{"transaction.version", 2, 9}}},
			{"one of two wrong", false, []featureChange{{"transaction.version", 1, 2}, {"no.such.version", 1, 1}}},
			{"metadata to where it is", false, []featureChange{{"metadata.version", 33, 1}}},
			{"metadata beyond", false, []featureChange{{"metadata.version", 40, 1}}},
			{"metadata down as an upgrade", false, []featureChange{{"metadata.version", 30, 1}}},
			{"the quorum's to where it is", false, []featureChange{{"kraft.version", 1, 1}}},
			{"the quorum's down", false, []featureChange{{"kraft.version", 0, 2}}},
			{"the quorum's beyond", false, []featureChange{{"kraft.version", 2, 1}}},
		} {
			s.send(fmt.Sprintf("%s v%d", c.label, v), updateOf(v, c.validate, c.changes...))
		}
		if v >= 1 {
			s.send(fmt.Sprintf("down, tried v%d", v), updateOf(v, true, featureChange{"transaction.version", 1, 2}))
			s.send(fmt.Sprintf("metadata down, tried v%d", v), updateOf(v, true, featureChange{"metadata.version", 1, 2}))
			s.send(fmt.Sprintf("metadata down unsafely, tried v%d", v), updateOf(v, true, featureChange{"metadata.version", 1, 3}))
		}
		s.send(fmt.Sprintf("down v%d", v), updateOf(v, false, featureChange{"transaction.version", 1, 2}))
		s.send(fmt.Sprintf("up again v%d", v), updateOf(v, false, featureChange{"transaction.version", 2, 1}))
	}
}

// featuresAfter looks at what ApiVersions says once a feature has gone down and
// up.
func featuresAfter(s *scene) {
	ask := func(label string) {
		req := kmsg.NewPtrApiVersionsRequest()
		req.SetVersion(4)
		req.ClientSoftwareName, req.ClientSoftwareVersion = "differential", "1"
		resp, ok := s.must(label, req).(*kmsg.ApiVersionsResponse)
		if !ok {
			return
		}
		for _, f := range resp.SupportedFeatures {
			s.lines.add(label, "supported "+f.Name, fmt.Sprintf("%d-%d", f.MinVersion, f.MaxVersion))
		}
		for _, f := range resp.FinalizedFeatures {
			s.lines.add(label, "finalised "+f.Name, fmt.Sprintf("%d-%d", f.MinVersionLevel, f.MaxVersionLevel))
		}
	}
	ask("before")
	s.must("down", updateOf(2, false, featureChange{"transaction.version", 0, 2}))
	s.caughtUp()
	ask("down")
	s.must("up", updateOf(2, false, featureChange{"transaction.version", 2, 1}))
	s.caughtUp()
	ask("up")
}

func quorumDescribed(s *scene) {
	for v := int16(0); v <= 3; v++ {
		for _, c := range []struct {
			label, topic string
			partitions   []int32
		}{
			{"the quorum", "__cluster_metadata", []int32{0}}, {"another partition", "__cluster_metadata", []int32{1}},
			{"two partitions", "__cluster_metadata", []int32{0, 1}}, {"another topic", "orders", []int32{0}}, {"no partition", "__cluster_metadata", nil},
		} {
			req := kmsg.NewPtrDescribeQuorumRequest()
			req.SetVersion(v)
			row := kmsg.NewDescribeQuorumRequestTopic()
			row.Topic = c.topic
			for _, p := range c.partitions {
				part := kmsg.NewDescribeQuorumRequestTopicPartition()
				part.Partition = p
				row.Partitions = append(row.Partitions, part)
			}
			req.Topics = append(req.Topics, row)
			s.send(fmt.Sprintf("%s v%d", c.label, v), req)
		}
		none := kmsg.NewPtrDescribeQuorumRequest()
		none.SetVersion(v)
		s.send(fmt.Sprintf("nothing v%d", v), none)
	}
}

func partitionsReassigned(s *scene) {
	t := s.create("t", 2)
	for v := int16(0); v <= 2; v++ {
		for _, c := range []struct {
			label    string
			topic    string
			index    int32
			free     bool
			replicas []int32
		}{
			{"to where it is", t.name, 0, true, []int32{1}}, {"taken back", t.name, 0, true, nil},
			{"to nothing", t.name, 0, true, []int32{}}, {"twice to one", t.name, 0, true, []int32{1, 1}},
			{"to an unknown broker", t.name, 0, true, []int32{7}}, {"to one known and one not", t.name, 0, true, []int32{1, 7}},
			{"to a negative broker", t.name, 0, true, []int32{-1}}, {"with another factor", t.name, 0, false, []int32{1, 7}},
			{"an unknown partition", t.name, 9, true, []int32{1}}, {"a negative partition", t.name, -1, true, []int32{1}},
			{"an unknown topic", t.name + "-gone", 0, true, []int32{1}}, {"an unknown topic taken back", t.name + "-gone", 0, true, nil},
		} {
			req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
			req.SetVersion(v)
			req.TimeoutMillis, req.AllowReplicationFactorChange = 10000, c.free
			row := kmsg.NewAlterPartitionAssignmentsRequestTopic()
			row.Topic = c.topic
			p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
			p.Partition, p.Replicas = c.index, c.replicas
			row.Partitions = append(row.Partitions, p)
			req.Topics = append(req.Topics, row)
			s.send(fmt.Sprintf("%s v%d", c.label, v), req)
		}
	}
	for v := int16(0); v <= 1; v++ {
		all := kmsg.NewPtrListPartitionReassignmentsRequest()
		all.SetVersion(v)
		s.send(fmt.Sprintf("list all v%d", v), all)
		some := kmsg.NewPtrListPartitionReassignmentsRequest()
		some.SetVersion(v)
		for _, name := range []string{t.name, t.name + "-gone"} {
			row := kmsg.NewListPartitionReassignmentsRequestTopic()
			row.Topic, row.Partitions = name, []int32{0, 9}
			some.Topics = append(some.Topics, row)
		}
		s.send(fmt.Sprintf("list some v%d", v), some)
	}
}

func replicasSent(s *scene) {
	t := s.filled("t", 2)
	for v := int16(0); v <= 3; v++ {
		for _, c := range []struct {
			label, dir, topic string
			partitions        []int32
		}{
			{"to where they are", s.node.Data, t.name, []int32{0, 1}}, {"to nowhere", "/no/such/directory", t.name, []int32{0}},
			{"unknown partitions", s.node.Data, t.name, []int32{9, -1}}, {"an unknown topic", s.node.Data, t.name + "-gone", []int32{0}},
			{"an unknown topic to nowhere", "/no/such/directory", t.name + "-gone", []int32{0}},
		} {
			req := kmsg.NewPtrAlterReplicaLogDirsRequest()
			req.SetVersion(v)
			d := kmsg.NewAlterReplicaLogDirsRequestDir()
			d.Dir = c.dir
			row := kmsg.NewAlterReplicaLogDirsRequestDirTopic()
			row.Topic, row.Partitions = c.topic, c.partitions
			d.Topics = append(d.Topics, row)
			req.Dirs = append(req.Dirs, d)
			s.send(fmt.Sprintf("%s v%d", c.label, v), req)
		}
	}
}

// changed asks for one change of one setting; a nil value deletes it.
func changed(kind kmsg.ConfigResourceType, resource, name string, value *string, validate bool) *kmsg.IncrementalAlterConfigsRequest {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.SetVersion(1)
	req.ValidateOnly = validate
	row := kmsg.NewIncrementalAlterConfigsRequestResource()
	row.ResourceType, row.ResourceName = kind, resource
	c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	c.Name, c.Value = name, value
	if value == nil {
		c.Op = kmsg.IncrementalAlterConfigOpDelete
	}
	row.Configs = append(row.Configs, c)
	req.Resources = append(req.Resources, row)
	return req
}

func resourcesOf(version int16, types ...int8) *kmsg.ListConfigResourcesRequest {
	req := kmsg.NewPtrListConfigResourcesRequest()
	req.SetVersion(version)
	req.ResourceTypes = types
	return req
}

const groupResource, subscriptionResource = kmsg.ConfigResourceType(32), kmsg.ConfigResourceType(16)

func groupSettings(s *scene) {
	group := s.group("settings")
	text := kmsg.StringPtr
	s.send("before", describeOf(4, groupResource, group))
	s.send("of no group", describeOf(4, groupResource, ""))
	for _, c := range []struct{ name, value string }{
		{"consumer.session.timeout.ms", "50000"}, {"consumer.session.timeout.ms", "1"}, {"consumer.session.timeout.ms", "70000"}, {"consumer.session.timeout.ms", "soon"},
		{"consumer.heartbeat.interval.ms", "6000"}, {"consumer.heartbeat.interval.ms", "0"}, {"consumer.heartbeat.interval.ms", "100000"},
		{"consumer.assignment.interval.ms", "20"}, {"consumer.assignment.interval.ms", "-1"}, {"consumer.assignment.interval.ms", "99999"},
		{"share.session.timeout.ms", "46000"}, {"share.heartbeat.interval.ms", "5000"}, {"share.record.lock.duration.ms", "31000"}, {"share.record.lock.duration.ms", "9"},
		{"share.auto.offset.reset", "earliest"}, {"share.auto.offset.reset", "by_duration:PT1H"}, {"share.auto.offset.reset", "by_duration:soon"}, {"share.auto.offset.reset", "none"},
		{"share.isolation.level", "read_committed"}, {"share.isolation.level", "READ_COMMITTED"}, {"share.delivery.count.limit", "6"}, {"share.delivery.count.limit", "100"},
		{"share.partition.max.record.locks", "200"}, {"share.partition.max.record.locks", "1"}, {"share.renew.acknowledge.enable", "false"}, {"share.renew.acknowledge.enable", "maybe"},
		{"streams.session.timeout.ms", "46000"}, {"streams.num.standby.replicas", "1"}, {"streams.num.standby.replicas", "9"}, {"streams.initial.rebalance.delay.ms", "10"},
		{"errors.deadletterqueue.topic.name", "dlq"}, {"no.such.setting", "1"},
	} {
		s.send("set "+c.name+"="+c.value, changed(groupResource, group, c.name, text(c.value), false))
	}
	s.send("of no group altered", changed(groupResource, "", "consumer.session.timeout.ms", text("50000"), false))
	s.send("tried", changed(groupResource, group, "consumer.session.timeout.ms", text("51000"), true))
	s.caughtUp()
	s.send("after", describeOf(4, groupResource, group))
	s.send("resources", resourcesOf(1, 32))
	for _, name := range []string{"consumer.session.timeout.ms", "consumer.heartbeat.interval.ms", "consumer.assignment.interval.ms", "share.session.timeout.ms",
		"share.heartbeat.interval.ms", "share.record.lock.duration.ms", "share.auto.offset.reset", "share.isolation.level", "share.delivery.count.limit",
		"share.partition.max.record.locks", "share.renew.acknowledge.enable", "streams.session.timeout.ms", "streams.num.standby.replicas",
		"streams.initial.rebalance.delay.ms", "errors.deadletterqueue.topic.name"} {
		s.send("deleted", changed(groupResource, group, name, nil, false))
	}
	s.caughtUp()
	s.send("at the end", describeOf(4, groupResource, group))
	s.send("resources at the end", resourcesOf(1, 32))
}

func subscriptionSettings(s *scene) {
	name := s.group("subscription")
	text := kmsg.StringPtr
	s.send("before", describeOf(4, subscriptionResource, name))
	for _, c := range []struct{ name, value string }{
		{"interval.ms", "1000"}, {"interval.ms", "1"}, {"metrics", "org.apache.kafka."}, {"metrics", "*"}, {"match", "client_id=abc.*"},
		{"match", "nothing=1"}, {"match", "client_id"}, {"match", "client_id=["}, {"no.such", "1"},
	} {
		s.send("set "+c.name+"="+c.value, changed(subscriptionResource, name, c.name, text(c.value), false))
	}
	s.caughtUp()
	s.send("after", describeOf(4, subscriptionResource, name))
	for _, v := range []int16{0, 1} {
		s.send(fmt.Sprintf("resources v%d", v), resourcesOf(v, 16))
	}
	for _, each := range []string{"interval.ms", "metrics", "match"} {
		s.send("deleted", changed(subscriptionResource, name, each, nil, false))
	}
	s.caughtUp()
	s.send("resources at the end", resourcesOf(1, 16))
}

// oneMinInsync changes the number that decides who is eligible to lead
// (KIP-966).
func oneMinInsync(s *scene) {
	const name = "min.insync.replicas"
	broker, text := kmsg.ConfigResourceTypeBroker, kmsg.StringPtr
	s.send("of the cluster", describeOf(4, broker, "", name))
	s.send("of the broker", describeOf(4, broker, "1", name))
	for _, resource := range []string{"1", ""} {
		s.send("set for "+resource, changed(broker, resource, name, text("2"), false))
		s.send("deleted for "+resource, changed(broker, resource, name, nil, false))
		s.send("tried for "+resource, changed(broker, resource, name, text("0"), true))
	}
	s.send("set back", changed(broker, "", name, text("1"), false))
	whole := kmsg.NewPtrAlterConfigsRequest()
	whole.SetVersion(2)
	whole.ValidateOnly = true
	row := kmsg.NewAlterConfigsRequestResource()
	row.ResourceType, row.ResourceName = broker, ""
	whole.Resources = append(whole.Resources, row)
	s.send("all taken away, tried", whole)
	s.until(func() bool { // Kafka's controller answers before its broker knows
		resp, ok := s.must("the number", describeOf(4, broker, "", name)).(*kmsg.DescribeConfigsResponse)
		return ok && len(resp.Resources[0].Configs) > 0 && stringOf(resp.Resources[0].Configs[0].Value) == "1"
	})
	s.send("at the end", describeOf(4, broker, "", name))
}

// cordonedDirectories cordons the only directory there is (KIP-1066).
func cordonedDirectories(s *scene) {
	t := s.create("t", 1)
	broker := kmsg.ConfigResourceTypeBroker
	text := kmsg.StringPtr
	s.send("an unknown directory", changed(broker, "1", "cordoned.log.dirs", text("/no/such/directory"), false))
	s.send("for all brokers", changed(broker, "", "cordoned.log.dirs", text("*"), false))
	s.send("all", changed(broker, "1", "cordoned.log.dirs", text("*"), false))
	create := createOf(7, t.name+"-more", nil)
	tried := createOf(7, t.name+"-more", nil)
	tried.ValidateOnly = true
	// The broker knows, and has told the controller.
	cordoned := func(want bool) {
		s.until(func() bool {
			req := kmsg.NewPtrDescribeLogDirsRequest()
			req.SetVersion(5)
			resp, ok := s.must("the directories", req).(*kmsg.DescribeLogDirsResponse)
			if !ok || resp.Dirs[0].IsCordoned != want {
				return false
			}
			made, ok := s.must("a topic", tried).(*kmsg.CreateTopicsResponse)
			return ok && (made.Topics[0].ErrorCode != 0) == want
		})
	}
	cordoned(true)
	s.send("a topic made meanwhile", create)
	move := kmsg.NewPtrAlterReplicaLogDirsRequest()
	move.SetVersion(2)
	d := kmsg.NewAlterReplicaLogDirsRequestDir()
	d.Dir = s.node.Data
	of := kmsg.NewAlterReplicaLogDirsRequestDirTopic()
	of.Topic, of.Partitions = t.name, []int32{0}
	d.Topics = append(d.Topics, of)
	move.Dirs = append(move.Dirs, d)
	s.send("a replica sent to where it is", move)
	s.send("let in again", changed(broker, "1", "cordoned.log.dirs", nil, false))
	cordoned(false)
}

// nodesForgotten asks to forget nodes that nobody knows, and the controller that
// is asked.
func nodesForgotten(s *scene) {
	broker := kmsg.NewPtrUnregisterBrokerRequest()
	controller := kmsg.NewPtrUnregisterControllerRequest()
	for _, id := range []int32{99, -1} {
		broker.BrokerID, controller.ControllerID = id, id
		s.send(fmt.Sprintf("broker %d", id), broker)
		s.send(fmt.Sprintf("controller %d", id), controller)
	}
	controller.ControllerID = 1
	s.send("the controller itself", controller)
}
