package main

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func settingStories() []story {
	return []story{
		{"settings/of a topic", describeTopic},
		{"settings/of a broker", describeBroker},
		{"settings/described wrongly", describeErrors},
		{"settings/altered step by step", incrementalAlter},
		{"settings/altered whole", wholeAlter},
		{"settings/resources", listResources},
	}
}

// describeOf asks for settings; no names are all.
func describeOf(version int16, kind kmsg.ConfigResourceType, name string, names ...string) *kmsg.DescribeConfigsRequest {
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.SetVersion(version)
	req.IncludeSynonyms = true
	row := kmsg.NewDescribeConfigsRequestResource()
	row.ResourceType, row.ResourceName, row.ConfigNames = kind, name, names
	req.Resources = append(req.Resources, row)
	return req
}

func describeTopic(s *scene) {
	t := s.create("t", 1, "retention.ms", "5000", "cleanup.policy", "compact")
	for v := int16(0); v <= 5; v++ {
		s.send(fmt.Sprintf("all v%d", v), describeOf(v, kmsg.ConfigResourceTypeTopic, t.name))
		s.send(fmt.Sprintf("three v%d", v), describeOf(v, kmsg.ConfigResourceTypeTopic, t.name, "retention.ms", "segment.bytes", "no.such.config"))
	}
	plain := describeOf(4, kmsg.ConfigResourceTypeTopic, t.name)
	plain.IncludeSynonyms = false
	s.send("without synonyms", plain)
	empty := describeOf(4, kmsg.ConfigResourceTypeTopic, t.name)
	empty.Resources[0].ConfigNames = []string{}
	s.send("an empty list of names", empty)
}

func describeBroker(s *scene) {
	for _, v := range []int16{1, 4} {
		s.send(fmt.Sprintf("all v%d", v), describeOf(v, kmsg.ConfigResourceTypeBroker, "1"))
		s.send(fmt.Sprintf("of the cluster v%d", v), describeOf(v, kmsg.ConfigResourceTypeBroker, ""))
	}
}

func describeErrors(s *scene) {
	t := s.create("t", 1)
	for _, v := range []int16{1, 4} {
		for _, c := range []struct {
			kind kmsg.ConfigResourceType
			name string
		}{{kmsg.ConfigResourceTypeTopic, t.name + "-gone"}, {kmsg.ConfigResourceTypeTopic, ""}, {kmsg.ConfigResourceTypeTopic, "not a name!"},
			{kmsg.ConfigResourceTypeBroker, "9"}, {kmsg.ConfigResourceTypeBroker, "one"}, {kmsg.ConfigResourceTypeUnknown, "x"}, {77, "x"}} {
			s.send(fmt.Sprintf("type %d name %q v%d", c.kind, c.name, v), describeOf(v, c.kind, c.name))
		}
	}
}

func incrementalAlter(s *scene) {
	t := s.create("t", 1, "retention.ms", "5000")
	type change struct {
		name  string
		op    kmsg.IncrementalAlterConfigOp
		value *string
	}
	text := kmsg.StringPtr
	for v := int16(0); v <= 2; v++ {
		ask := func(label string, kind kmsg.ConfigResourceType, name string, changes ...change) {
			req := kmsg.NewPtrIncrementalAlterConfigsRequest()
			req.SetVersion(v)
			row := kmsg.NewIncrementalAlterConfigsRequestResource()
			row.ResourceType, row.ResourceName = kind, name
			for _, c := range changes {
				r := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
				r.Name, r.Op, r.Value = c.name, c.op, c.value
				row.Configs = append(row.Configs, r)
			}
			req.Resources = append(req.Resources, row)
			s.send(fmt.Sprintf("%s v%d", label, v), req)
		}
		of := func(label string, changes ...change) { ask(label, kmsg.ConfigResourceTypeTopic, t.name, changes...) }
		of("set", change{"segment.bytes", 0, text("2000000")})
		of("set and delete", change{"segment.bytes", 0, text("3000000")}, change{"retention.ms", 1, nil})
		of("append", change{"cleanup.policy", 2, text("compact")})
		of("subtract", change{"cleanup.policy", 3, text("compact")})
		of("append to no list", change{"retention.ms", 2, text("5")})
		of("unknown name", change{"no.such.config", 0, text("5")})
		of("bad value", change{"retention.ms", 0, text("soon")})
		of("null value", change{"retention.ms", 0, nil})
		of("unknown operation", change{"retention.ms", 9, text("5")})
		of("one twice", change{"retention.ms", 0, text("5")}, change{"retention.ms", 1, nil})
		of("no changes")
		ask("unknown topic", kmsg.ConfigResourceTypeTopic, t.name+"-gone", change{"retention.ms", 0, text("5")})
		ask("a broker", kmsg.ConfigResourceTypeBroker, "1", change{"log.cleaner.threads", 0, text("2")})
		ask("a broker's fixed setting", kmsg.ConfigResourceTypeBroker, "1", change{"node.id", 0, text("2")})
		ask("all brokers", kmsg.ConfigResourceTypeBroker, "", change{"message.max.bytes", 0, text("2000000")})
		ask("all brokers back", kmsg.ConfigResourceTypeBroker, "", change{"message.max.bytes", 1, nil})
		ask("a broker back", kmsg.ConfigResourceTypeBroker, "1", change{"log.cleaner.threads", 1, nil})
		ask("unknown broker", kmsg.ConfigResourceTypeBroker, "9", change{"log.cleaner.threads", 0, text("2")})
		ask("unknown type", 77, "x", change{"a", 0, text("2")})
		s.caughtUp()
		s.send(fmt.Sprintf("then v%d", v), describeOf(4, kmsg.ConfigResourceTypeTopic, t.name, "segment.bytes", "retention.ms", "cleanup.policy"))
	}
}

func wholeAlter(s *scene) {
	t := s.create("t", 1, "retention.ms", "5000")
	for v := int16(0); v <= 3; v++ {
		for _, c := range []struct{ label, topic, name, value string }{
			{"replace", t.name, "segment.bytes", "2000000"}, {"unknown name", t.name, "no.such.config", "1"},
			{"bad value", t.name, "retention.ms", "soon"}, {"unknown topic", t.name + "-gone", "retention.ms", "1"},
		} {
			req := kmsg.NewPtrAlterConfigsRequest()
			req.SetVersion(v)
			row := kmsg.NewAlterConfigsRequestResource()
			row.ResourceType, row.ResourceName = kmsg.ConfigResourceTypeTopic, c.topic
			set := kmsg.NewAlterConfigsRequestResourceConfig()
			set.Name, set.Value = c.name, kmsg.StringPtr(c.value)
			row.Configs = append(row.Configs, set)
			req.Resources = append(req.Resources, row)
			s.send(fmt.Sprintf("%s v%d", c.label, v), req)
		}
		s.caughtUp()
		s.send(fmt.Sprintf("then v%d", v), describeOf(4, kmsg.ConfigResourceTypeTopic, t.name, "segment.bytes", "retention.ms"))
	}
}

func listResources(s *scene) {
	for v := int16(0); v <= 2; v++ {
		for _, kinds := range [][]int8{{4}, {8}, {16}, {77}, {0}} {
			req := kmsg.NewPtrListConfigResourcesRequest()
			req.SetVersion(v)
			req.ResourceTypes = kinds
			s.send(fmt.Sprintf("types %v v%d", kinds, v), req)
		}
	}
}
