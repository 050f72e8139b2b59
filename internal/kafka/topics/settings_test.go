package topics

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

func describe(n *node, resourceType int8, name string, keys ...string) kmsg.DescribeConfigsResponseResource {
	n.t.Helper()
	req := kmsg.NewPtrDescribeConfigsRequest()
	q := kmsg.NewDescribeConfigsRequestResource()
	q.ResourceType, q.ResourceName, q.ConfigNames = kmsg.ConfigResourceType(resourceType), name, keys
	req.Resources = append(req.Resources, q)
	req.IncludeSynonyms, req.IncludeDocumentation = true, true
	return ask[*kmsg.DescribeConfigsResponse](n, req, -1).Resources[0]
}

func configText(c kmsg.DescribeConfigsResponseResourceConfig) string {
	s := fmt.Sprintf("%s=%s from %d type %d", c.Name, str(c.Value), c.Source, c.ConfigType)
	if c.ReadOnly {
		s += " fixed"
	}
	if c.IsSensitive {
		s += " secret"
	}
	for _, y := range c.ConfigSynonyms {
		s += fmt.Sprintf(" <- %d:%s=%s", y.Source, y.Name, str(y.Value))
	}
	return s
}

// alter runs one IncrementalAlterConfigs of "op name value" triples.
func alter(n *node, resourceType int8, name string, edits ...string) string {
	n.t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	q := kmsg.NewIncrementalAlterConfigsRequestResource()
	q.ResourceType, q.ResourceName = kmsg.ConfigResourceType(resourceType), name
	for i := 0; i < len(edits); i += 3 {
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Op = map[string]kmsg.IncrementalAlterConfigOp{"set": 0, "del": 1, "app": 2, "sub": 3, "bad": 9}[edits[i]]
		c.Name = edits[i+1]
		if edits[i+2] != "<null>" {
			c.Value = kmsg.StringPtr(edits[i+2])
		}
		q.Configs = append(q.Configs, c)
	}
	req.Resources = append(req.Resources, q)
	r := ask[*kmsg.IncrementalAlterConfigsResponse](n, req, -1).Resources[0]
	return fmt.Sprintf("%d %s", r.ErrorCode, str(r.ErrorMessage))
}

// The wanted texts are a Kafka 4.4.0 broker's answers to the same requests.
func TestIncrementalAlterConfigsAnswersInKafkasWords(t *testing.T) {
	const ok = "0 <null>"
	for _, c := range []struct {
		resourceType int8
		name         string
		edits        []string
		want         string
	}{
		{2, "dt", []string{"set", "retention.ms", "abc"}, "40 Invalid value abc for configuration retention.ms: Not a number of type LONG"},
		{2, "dt", []string{"set", "retention.ms", "-5"}, "40 Invalid value -5 for configuration retention.ms: Value must be at least -1"},
		{2, "dt", []string{"set", "nosuch", "1"}, "40 Unknown topic config name: nosuch"},
		{2, "dt", []string{"set", "cleanup.policy", "foo"}, "40 Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete"},
		{2, "dt", []string{"set", "cleanup.policy", ""}, ok},
		{2, "dt", []string{"set", "cleanup.policy", "delete,,compact"}, "40 Configuration 'cleanup.policy' values must not be empty."},
		{2, "dt", []string{"set", "compression.type", "Gzip"}, "40 Invalid value Gzip for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer"},
		{2, "dt", []string{"set", "compression.gzip.level", "0"}, "40 Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1"},
		{2, "dt", []string{"set", "compression.lz4.level", "99"}, "40 Invalid value 99 for configuration compression.lz4.level: Value must be no more than 17"},
		{2, "dt", []string{"set", "preallocate", "maybe"}, "40 Invalid value maybe for configuration preallocate: Expected value to be either true or false"},
		{2, "dt", []string{"set", "preallocate", "TRUE"}, ok},
		{2, "dt", []string{"set", "min.cleanable.dirty.ratio", "x"}, "40 Invalid value x for configuration min.cleanable.dirty.ratio: Not a number of type DOUBLE"},
		{2, "dt", []string{"set", "min.cleanable.dirty.ratio", "2"}, "40 Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1"},
		{2, "dt", []string{"set", "retention.ms", "<null>"}, "42 Null value not supported for : retention.ms"},
		{2, "dt", []string{"del", "retention.ms", "<null>"}, ok},
		{2, "dt", []string{"del", "nosuch", "<null>"}, ok},
		{2, "dt", []string{"app", "retention.ms", "1"}, "40 Can't APPEND to key retention.ms because its type is not LIST."},
		{2, "dt", []string{"app", "cleanup.policy", "compact"}, ok},
		{2, "dt", []string{"bad", "cleanup.policy", "compact"}, "42 Unknown operation type 9 for config cleanup.policy"},
		{2, "dt", []string{"set", "retention.ms", "1", "set", "retention.ms", "2"}, "42 Error due to duplicate config keys"},
		{2, "dt", []string{"set", "min.compaction.lag.ms", "10", "set", "max.compaction.lag.ms", "5"}, "40 conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)"},
		{2, "dt", []string{"set", "leader.replication.throttled.replicas", "1:2,x"}, "40 Invalid value [1:2, x] for configuration leader.replication.throttled.replicas: leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],..."},
		{2, "dt", []string{"set", "leader.replication.throttled.replicas", "*"}, ok},
		{2, "dt", []string{"set", "remote.storage.enable", "true"}, "40 Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage."},
		{2, "dt", nil, ok},
		{2, "nope", []string{"set", "retention.ms", "1"}, "3 The topic 'nope' does not exist."},
		{2, "", []string{"set", "retention.ms", "1"}, "42 Default topic resources are not allowed."},
		{2, "a b", []string{"set", "retention.ms", "1"}, "17 Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"},
		{4, "1", []string{"set", "num.partitions", "3", "set", "log.dirs", "/tmp"}, "42 Cannot update these configs dynamically: [num.partitions, log.dirs]"},
		{4, "", []string{"set", "num.partitions", "3"}, "42 Cannot update these configs dynamically: [num.partitions]"},
		{4, "", []string{"set", "ssl.keystore.type", "PKCS12"}, "42 These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.type]"},
		{4, "1", []string{"set", "listeners", "PLAINTEXT://:1"}, "42 Cannot update these configs dynamically: [listeners]"},
		{4, "1", []string{"set", "nosuch", "3"}, "40 Unknown broker config name: nosuch"},
		{4, "1", []string{"set", "log.retention.ms", "abc"}, "42 Invalid value abc for configuration log.retention.ms: Not a number of type LONG"},
		{4, "1", []string{"set", "log.retention.hours", "5"}, "42 Cannot update these configs dynamically: [log.retention.hours]"},
		{4, "x", []string{"set", "log.retention.ms", "5"}, "42 Node id must be an integer, but it is: x"},
		{4, "99", []string{"set", "log.retention.ms", "5"}, "42 Unexpected broker id, expected 1, but received 99"},
		{4, "", []string{"set", "message.max.bytes", "-1"}, "42 Invalid value -1 for configuration message.max.bytes: Value must be at least 0"},
		{4, "", []string{"set", "metric.reporters", "com.example.R"}, "42 metric.reporters cannot be com.example.R: Java classes cannot be loaded, so nothing would be reported; metrics are on HTTP under /metrics"},
		{4, "", []string{"set", "log.retention.ms", "777"}, ok},
		{4, "1", []string{"app", "log.cleanup.policy", "compact"}, ok},
		{8, "1", []string{"set", "root", "DEBUG"}, ok},
		{8, "1", []string{"set", "nosuch", "DEBUG"}, "40 Logger nosuch does not exist!"},
		{8, "1", []string{"set", "root", "LOUD"}, "40 Cannot set the log level of root to LOUD as it is not a supported log level. Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN"},
		{8, "1", []string{"del", "root", "<null>"}, "42 Removing the log level of the root logger is not allowed"},
		{8, "1", []string{"app", "root", "INFO"}, "42 Loggers have levels, not lists: they can be set and deleted"},
		{8, "9", []string{"set", "root", "DEBUG"}, "42 Unexpected node id. Expected 1, but received 9"},
		{8, "x", []string{"set", "root", "DEBUG"}, "42 Node id must be an integer, but it is: x"},
		{16, "sub", []string{"set", "interval.ms", "5000"}, ok},
		{16, "sub", []string{"set", "interval.ms", "1"}, "42 Invalid value 1 for interval.ms, interval must be between 100 and 3600000 (1 hour)"},
		{16, "sub", []string{"set", "interval.ms", "x"}, "42 Invalid value x for configuration interval.ms: Not a number of type INT"},
		{16, "sub", []string{"set", "match", "client_id=("}, "40 Illegal client matching pattern: client_id=("},
		{16, "sub", []string{"set", "foo", "1"}, "42 Unknown client metrics configuration: foo"},
		{16, "sub", []string{"set", "match", "foo=bar"}, "40 Illegal client matching pattern: foo=bar"},
		{16, "", []string{"set", "interval.ms", "5000"}, "42 Subscription name can't be empty"},
		{32, "g", []string{"set", "consumer.session.timeout.ms", "50000"}, ok},
		{32, "g", []string{"set", "consumer.session.timeout.ms", "1"}, "40 consumer.session.timeout.ms must be in the range 45000 to 60000 inclusive."},
		{32, "g", []string{"set", "foo", "1"}, "40 Unknown group config name: foo"},
		{32, "", []string{"set", "consumer.session.timeout.ms", "50000"}, "42 Default group resources are not allowed."},
		{3, "g", []string{"set", "foo", "1"}, "42 Unknown resource type 3"},
	} {
		n := newNode(t, nil)
		withLevel(n)
		create(n, newTopicRequest("dt", 1, 1))
		if got := alter(n, c.resourceType, c.name, c.edits...); got != c.want {
			t.Errorf("type %d %q %q:\ngot  %s\nwant %s", c.resourceType, c.name, c.edits, got, c.want)
		}
	}
}

// withLevel gives a node a log level to change.
func withLevel(n *node) *slog.LevelVar {
	level := new(slog.LevelVar)
	d := Deps{Cluster: n.fakeCluster, Records: fakeRecords{}, View: &config.View{NodeID: 1}, NodeID: 1, Level: level}
	for _, r := range APIs(d) {
		n.rows[r.Key] = r
	}
	return level
}

func TestLoggersAreShownAndSet(t *testing.T) {
	n := newNode(t, nil)
	if r := describe(n, 8, "1"); r.ErrorCode != 0 || len(r.Configs) != 0 {
		t.Errorf("without a level: got %+v", r)
	}
	level := withLevel(n)
	for _, c := range []struct{ set, shown string }{{"TRACE", "DEBUG"}, {"INFO", "INFO"}, {"WARN", "WARN"}, {"FATAL", "ERROR"}} {
		if got := alter(n, 8, "1", "set", "root", c.set); got != "0 <null>" {
			t.Fatalf("%s: got %s", c.set, got)
		}
		if got := str(describe(n, 8, "1").Configs[0].Value); got != c.shown {
			t.Errorf("%s: got %s, want %s", c.set, got, c.shown)
		}
	}
	if level.Level() != slog.LevelError {
		t.Errorf("got %v", level.Level())
	}
}

func TestAppendAndSubtractStartFromTheEffectiveValue(t *testing.T) {
	n := newNode(t, map[string]string{"log.cleanup.policy": "delete"})
	create(n, newTopicRequest("dt", 1, 1))
	alter(n, 2, "dt", "app", "cleanup.policy", "compact")
	if got := n.Image().Config(metadata.ResourceTopic, "dt")["cleanup.policy"]; got != "delete,compact" {
		t.Errorf("appended: got %q", got)
	}
	alter(n, 2, "dt", "sub", "cleanup.policy", "delete")
	if got := n.Image().Config(metadata.ResourceTopic, "dt")["cleanup.policy"]; got != "compact" {
		t.Errorf("subtracted: got %q", got)
	}
	alter(n, 4, "", "app", "log.cleanup.policy", "compact")
	if got := n.Image().Config(metadata.ResourceBroker, "")["log.cleanup.policy"]; got != "delete,compact" {
		t.Errorf("cluster-wide: got %q", got)
	}
}

func TestAResourceNamedTwiceIsRefusedTwice(t *testing.T) {
	n := newNode(t, nil)
	create(n, newTopicRequest("dt", 1, 1))
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	q := kmsg.NewIncrementalAlterConfigsRequestResource()
	q.ResourceType, q.ResourceName = 2, "dt"
	req.Resources = append(req.Resources, q, q)
	for _, r := range ask[*kmsg.IncrementalAlterConfigsResponse](n, req, -1).Resources {
		if r.ErrorCode != 42 || str(r.ErrorMessage) != "Each resource must appear at most once." {
			t.Errorf("got %+v", r)
		}
	}
}

func replace(n *node, version int16, resourceType int8, name string, pairs ...string) string {
	n.t.Helper()
	req := kmsg.NewPtrAlterConfigsRequest()
	q := kmsg.NewAlterConfigsRequestResource()
	q.ResourceType, q.ResourceName = kmsg.ConfigResourceType(resourceType), name
	for i := 0; i < len(pairs); i += 2 {
		c := kmsg.NewAlterConfigsRequestResourceConfig()
		c.Name = pairs[i]
		if pairs[i+1] != "<null>" {
			c.Value = kmsg.StringPtr(pairs[i+1])
		}
		q.Configs = append(q.Configs, c)
	}
	req.Resources = append(req.Resources, q)
	r := ask[*kmsg.AlterConfigsResponse](n, req, version).Resources[0]
	return fmt.Sprintf("%d %s", r.ErrorCode, str(r.ErrorMessage))
}

func TestAlterConfigsReplacesEverything(t *testing.T) {
	n := newNode(t, nil)
	create(n, newTopicRequest("dt", 1, 1, "retention.ms", "5"))
	for v := int16(0); v <= 2; v++ {
		if got := replace(n, v, 2, "dt", "segment.bytes", fmt.Sprint(2000000+int(v))); got != "0 <null>" {
			t.Fatalf("v%d: got %s", v, got)
		}
	}
	if got := n.Image().Config(metadata.ResourceTopic, "dt"); len(got) != 1 || got["segment.bytes"] != "2000002" {
		t.Errorf("got %v", got)
	}
	for _, c := range []struct {
		resourceType int8
		name         string
		pairs        []string
		want         string
	}{
		{2, "dt", []string{"retention.ms", "<null>"}, "42 Null value not supported for : retention.ms"},
		{2, "dt", []string{"retention.ms", "1", "retention.ms", "2"}, "42 Error due to duplicate config keys"},
		{2, "dt", []string{"retention.ms", "x"}, "40 Invalid value x for configuration retention.ms: Not a number of type LONG"},
		{2, "nope", []string{"retention.ms", "1"}, "3 The topic 'nope' does not exist."},
		{4, "1", []string{"num.partitions", "3"}, "42 Cannot update these configs dynamically: [num.partitions]"},
		{8, "1", []string{"root", "INFO"}, "42 Unknown resource type 8"},
		{4, "1", []string{"log.retention.ms", "3"}, "0 <null>"},
		{2, "dt", nil, "0 <null>"},
	} {
		if got := replace(n, 2, c.resourceType, c.name, c.pairs...); got != c.want {
			t.Errorf("type %d %q %q:\ngot  %s\nwant %s", c.resourceType, c.name, c.pairs, got, c.want)
		}
	}
	if got := n.Image().Config(metadata.ResourceTopic, "dt"); len(got) != 0 {
		t.Errorf("got %v, want none", got)
	}
	n.fail = wire.NotController
	if got := replace(n, 2, 2, "dt", "retention.ms", "1"); !strings.HasPrefix(got, "41 ") {
		t.Errorf("refused: got %s", got)
	}
}

func TestDescribeConfigsBuildsKafkasChains(t *testing.T) {
	n := newNode(t, map[string]string{"log.dirs": "/a,/b"})
	create(n, newTopicRequest("dt", 1, 1, "cleanup.policy", "compact,delete"))
	alter(n, 4, "", "set", "log.retention.ms", "777777777")
	alter(n, 4, "1", "set", "log.retention.ms", "888888888")
	alter(n, 32, "g1", "set", "consumer.session.timeout.ms", "50000")
	alter(n, 16, "sub1", "set", "interval.ms", "5000")
	for _, c := range []struct {
		resourceType int8
		name, key    string
		want         string
	}{
		{2, "dt", "cleanup.policy", "cleanup.policy=compact,delete from 1 type 7 <- 1:cleanup.policy=compact,delete <- 5:log.cleanup.policy=delete"},
		{2, "dt", "retention.ms", "retention.ms=888888888 from 2 type 5 <- 2:log.retention.ms=888888888 <- 3:log.retention.ms=777777777 <- 5:log.retention.hours=168"},
		{2, "dt", "segment.ms", "segment.ms=604800000 from 5 type 5"},
		{2, "dt", "errors.deadletterqueue.group.enable", "errors.deadletterqueue.group.enable=false from 5 type 1"},
		{4, "1", "log.retention.ms", "log.retention.ms=888888888 from 2 type 5 <- 2:log.retention.ms=888888888 <- 3:log.retention.ms=777777777 <- 5:log.retention.hours=168"},
		{4, "1", "log.retention.minutes", "log.retention.minutes=<null> from 5 type 3 fixed"},
		{4, "1", "log.retention.hours", "log.retention.hours=168 from 5 type 3 fixed <- 5:log.retention.hours=168"},
		{4, "1", "log.dirs", "log.dirs=/a,/b from 4 type 7 fixed <- 4:log.dirs=/a,/b"},
		{4, "1", "ssl.keystore.password", "ssl.keystore.password=<null> from 5 type 9 secret"},
		{4, "1", "offsets.topic.replication.factor", "offsets.topic.replication.factor=3 from 5 type 4 fixed <- 5:offsets.topic.replication.factor=3"},
		{4, "", "log.retention.ms", "log.retention.ms=777777777 from 3 type 5 <- 3:log.retention.ms=777777777"},
		{32, "g1", "consumer.session.timeout.ms", "consumer.session.timeout.ms=50000 from 8 type 3 <- 8:consumer.session.timeout.ms=50000 <- 5:group.consumer.session.timeout.ms=45000"},
		{32, "g1", "streams.assignor.name", "streams.assignor.name=sticky from 5 type 2 <- 5:group.streams.assignors=sticky"},
		{32, "g2", "share.auto.offset.reset", "share.auto.offset.reset=latest from 5 type 2 <- 5:share.auto.offset.reset=latest"},
		{16, "sub1", "interval.ms", "interval.ms=5000 from 7 type 3 <- 7:interval.ms=5000"},
		{16, "nosub", "match", "match= from 5 type 7"},
	} {
		r := describe(n, c.resourceType, c.name, c.key)
		if r.ErrorCode != 0 || len(r.Configs) != 1 {
			t.Errorf("%s of %q: got %d %s and %d settings", c.key, c.name, r.ErrorCode, str(r.ErrorMessage), len(r.Configs))
			continue
		}
		if got := configText(r.Configs[0]); got != c.want {
			t.Errorf("%s of %q:\ngot  %s\nwant %s", c.key, c.name, got, c.want)
		}
	}
}

func TestDescribeConfigsRefusesInKafkasWords(t *testing.T) {
	n := newNode(t, nil)
	for _, c := range []struct {
		resourceType int8
		name         string
		want         string
	}{
		{2, "nope", "3 "},
		{2, "no/pe", "17 Topic name is invalid: 'no/pe' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"},
		{2, "", "17 Topic name is invalid: the empty string is not allowed"},
		{4, "x", "42 Broker id must be an integer, but it is: x"},
		{4, "99", "42 Unexpected broker id, expected 1 or empty string, but received 99"},
		{8, "99", "42 Unexpected broker id, expected 1 but received 99"},
		{8, "x", "42 Broker id must be an integer, but it is: x"},
		{8, "", "42 Broker id must not be empty"},
		{32, "", "42 Group name must not be empty"},
		{16, "", "42 Client metrics subscription name must not be empty"},
	} {
		r := describe(n, c.resourceType, c.name)
		if got := fmt.Sprintf("%d %s", r.ErrorCode, str(r.ErrorMessage)); got != c.want {
			t.Errorf("type %d %q:\ngot  %s\nwant %s", c.resourceType, c.name, got, c.want)
		}
	}
	if r := describe(n, 3, "1"); r.ErrorCode != 42 {
		t.Errorf("type 3: got %+v", r)
	}
}

func TestABrokersDescriptionIsWhole(t *testing.T) {
	n := newNode(t, nil)
	r := describe(n, 4, "1")
	kafka := 0
	for _, c := range r.Configs {
		def := config.Lookup(config.ScopeBroker, c.Name)
		if !def.Own {
			kafka++
		}
		if str(c.Documentation) == "" && def.Acts {
			t.Errorf("%s has no documentation", c.Name)
		}
	}
	if kafka != 350 { // what a Kafka 4.4.0 broker lists
		t.Errorf("got %d of Kafka's settings, want 350", kafka)
	}
	if got := len(describe(n, 2, "nope").Configs); got != 0 {
		t.Errorf("an unknown topic has %d settings", got)
	}
}

func TestOverridesThatNobodyKnowsAreSecrets(t *testing.T) {
	d := describer{synonyms: true}
	rows := unknownRows(d, map[string]string{"my.plugin.password": "x", "log.retention.ms": "1", "other": "y"}, config.SourceDynamicDefault, map[string]string{"other": "z"})
	if len(rows) != 1 || configText(rows[0]) != "my.plugin.password=<null> from 3 type 0 fixed secret <- 3:my.plugin.password=<null>" {
		t.Errorf("got %+v", rows)
	}
}

func TestOldDescribeConfigsVersionsWork(t *testing.T) {
	n := newNode(t, nil)
	create(n, newTopicRequest("dt", 1, 1))
	for v := int16(1); v <= 4; v++ {
		req := kmsg.NewPtrDescribeConfigsRequest()
		q := kmsg.NewDescribeConfigsRequestResource()
		q.ResourceType, q.ResourceName = 2, "dt"
		req.Resources = append(req.Resources, q)
		r := ask[*kmsg.DescribeConfigsResponse](n, req, v).Resources[0]
		if r.ErrorCode != 0 || len(r.Configs) != len(config.All(config.ScopeTopic)) || r.Configs[0].ConfigSynonyms != nil {
			t.Errorf("v%d: got %d and %d settings", v, r.ErrorCode, len(r.Configs))
		}
	}
}

func TestListConfigResources(t *testing.T) {
	n := newNode(t, nil)
	create(n, newTopicRequest("dt", 1, 1))
	alter(n, 32, "g1", "set", "consumer.session.timeout.ms", "50000")
	alter(n, 16, "s1", "set", "interval.ms", "5000")
	for _, c := range []struct {
		version int16
		types   []int8
		want    string
	}{
		{1, nil, "0 16:s1 32:g1 8:1 4:1 2:dt"},
		{1, []int8{2}, "0 2:dt"},
		{1, []int8{2, 4}, "0 4:1 2:dt"},
		{1, []int8{3}, "35"},
		{0, nil, "0 16:s1"},
	} {
		req := kmsg.NewPtrListConfigResourcesRequest()
		req.ResourceTypes = c.types
		resp := ask[*kmsg.ListConfigResourcesResponse](n, req, c.version)
		got := fmt.Sprint(resp.ErrorCode)
		for _, r := range resp.ConfigResources {
			resourceType := r.Type
			if c.version == 0 {
				resourceType = metadata.ResourceClientMetrics
			}
			got += fmt.Sprintf(" %d:%s", resourceType, r.Name)
		}
		if got != c.want {
			t.Errorf("v%d %v: got %s, want %s", c.version, c.types, got, c.want)
		}
	}
}
