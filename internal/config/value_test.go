package config

import (
	"strings"
	"testing"
)

func TestCheckGivesTheNormalForm(t *testing.T) {
	for _, c := range []struct {
		scope             Scope
		name, value, want string
	}{
		{ScopeTopic, "retention.ms", " 100 ", "100"},
		{ScopeTopic, "retention.ms", "+5", "5"},
		{ScopeTopic, "retention.ms", "0007", "7"},
		{ScopeTopic, "preallocate", "TRUE", "true"},
		{ScopeTopic, "cleanup.policy", " compact ,delete", "compact,delete"},
		{ScopeTopic, "cleanup.policy", "", ""},
		{ScopeTopic, "min.cleanable.dirty.ratio", "1", "1.0"},
		{ScopeTopic, "min.cleanable.dirty.ratio", "1e-5", "1.0E-5"},
		{ScopeTopic, "leader.replication.throttled.replicas", "*", "*"},
		{ScopeTopic, "leader.replication.throttled.replicas", "0:1,2:3", "0:1,2:3"},
		{ScopeBroker, "log.cleaner.io.max.bytes.per.second", "1.7976931348623157E308", "1.7976931348623157E308"},
		{ScopeBroker, "log.cleaner.io.max.bytes.per.second", "12345678", "1.2345678E7"},
		{ScopeBroker, "group.consumer.migration.policy", "Upgrade", "Upgrade"},
		{ScopeBroker, "broker.rack", " r1 ", "r1"},
		{ScopeGroup, "share.auto.offset.reset", "by_duration:PT1H", "by_duration:PT1H"},
		{ScopeGroup, "share.auto.offset.reset", "by_duration:P3DT0.5S", "by_duration:P3DT0.5S"},
		{ScopeGroup, "share.auto.offset.reset", "EARLIEST", "EARLIEST"},
		{ScopeClientMetrics, "match", "client_id=a.*,client_software_name=x", "client_id=a.*,client_software_name=x"},
	} {
		got, err := Lookup(c.scope, c.name).Check(c.value)
		if err != nil || got != c.want {
			t.Errorf("%s=%q: got %q, %v, want %q", c.name, c.value, got, err, c.want)
		}
	}
}

func TestCheckRefusesInKafkasWords(t *testing.T) {
	for _, c := range []struct {
		scope             Scope
		name, value, want string
	}{
		{ScopeTopic, "retention.ms", "-5", "Invalid value -5 for configuration retention.ms: Value must be at least -1"},
		{ScopeTopic, "retention.ms", "1.0", "Invalid value 1.0 for configuration retention.ms: Not a number of type LONG"},
		{ScopeTopic, "segment.bytes", "99999999999", "Invalid value 99999999999 for configuration segment.bytes: Not a number of type INT"},
		{ScopeBroker, "transaction.state.log.replication.factor", "40000", "Invalid value 40000 for configuration transaction.state.log.replication.factor: Not a number of type SHORT"},
		{ScopeTopic, "min.cleanable.dirty.ratio", "2", "Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1"},
		{ScopeTopic, "min.cleanable.dirty.ratio", "NaN", "Invalid value NaN for configuration min.cleanable.dirty.ratio: Not a number of type DOUBLE"},
		{ScopeTopic, "cleanup.policy", "delete,foo", "Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete"},
		{ScopeTopic, "cleanup.policy", "delete,,compact", "Configuration 'cleanup.policy' values must not be empty."},
		{ScopeTopic, "compression.type", "Gzip", "Invalid value Gzip for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer"},
		{ScopeBroker, "group.consumer.migration.policy", "both", "Invalid value both for configuration group.consumer.migration.policy: String must be one of (case insensitive): DISABLED, DOWNGRADE, UPGRADE, BIDIRECTIONAL"},
		{ScopeBroker, "remote.log.metadata.manager.impl.prefix", "", "Invalid value  for configuration remote.log.metadata.manager.impl.prefix: String must be non-empty"},
		{ScopeGroup, "share.auto.offset.reset", "by_duration:P", "Invalid value by_duration:P for configuration share.auto.offset.reset: Invalid value `by_duration:P` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."},
		{ScopeGroup, "share.auto.offset.reset", "by_duration:PT", "Invalid value by_duration:PT for configuration share.auto.offset.reset: Invalid value `by_duration:PT` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."},
		{ScopeClientMetrics, "match", "client_id", "Invalid value client_id for configuration match: Illegal client matching pattern: client_id"},
		{ScopeClientMetrics, "match", "client_id=(", "Invalid value client_id=( for configuration match: Illegal client matching pattern: client_id=("},
	} {
		_, err := Lookup(c.scope, c.name).Check(c.value)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s=%q:\ngot  %v\nwant %s", c.name, c.value, err, c.want)
		}
	}
}

func TestASecretIsNotRepeatedInAnError(t *testing.T) {
	d := &Def{Name: "x", Type: "password", Sensitive: true, check: nonEmpty("String must be non-empty")}
	if _, err := d.Check(""); err == nil || !strings.Contains(err.Error(), "***") {
		t.Errorf("got %v", err)
	}
	if got := d.given("secret"); got != "***" {
		t.Errorf("got %s", got)
	}
}

func TestSpansAndSizesBecomePlainNumbers(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"log.retention.ms", "7d", "604800000"},
		{"log.retention.ms", "1h30m", "5400000"},
		{"log.retention.ms", "1w", "604800000"},
		{"log.retention.ms", "5ms", "5"},
		{"log.retention.ms", "5", "5"},
		{"log.retention.ms", "-1", "-1"},
		{"log.retention.hours", "7d", "168"},
		{"log.retention.minutes", "2h", "120"},
		{"quota.window.size.seconds", "1m", "60"},
		{"kafka.metrics.polling.interval.secs", "1m", "60"},
		{"log.segment.bytes", "64MiB", "67108864"},
		{"log.segment.bytes", "64 MiB", "67108864"},
		{"log.segment.bytes", "5B", "5"},
		{"metadata.log.max.record.bytes.between.snapshots", "1GiB", "1073741824"},
		{"log.retention.bytes", "1TiB", "1099511627776"},
		{"num.partitions", "7d", "7d"},
		{"log.dirs", "7d", "7d"},
		{"log.retention.ms", "", ""},
	} {
		got, err := must(ScopeBroker, c.name).withoutUnit(c.value)
		if err != nil || got != c.want {
			t.Errorf("%s=%q: got %q, %v, want %q", c.name, c.value, got, err, c.want)
		}
	}
}

func TestDoublesReadAsJavaWritesThem(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 0.5: "0.5", 0.001: "0.001", 0.0001: "1.0E-4", 1e6: "1000000.0", 1e7: "1.0E7",
		2147483647: "2.147483647E9", 123456.789: "123456.789", -0.25: "-0.25",
	} {
		if got := formatDouble(f); got != want {
			t.Errorf("%g: got %s, want %s", f, got, want)
		}
	}
}

func TestNearestKnowsCommonSlips(t *testing.T) {
	for _, c := range []struct {
		scope      Scope
		name, want string
	}{
		{ScopeBroker, "retention.ms", "log.retention.ms"},
		{ScopeBroker, "max_message_bytes", "message.max.bytes"},
		{ScopeBroker, "LOG.DIRS", "log.dirs"},
		{ScopeBroker, "log.retetnion.ms", "log.retention.ms"},
		{ScopeTopic, "log.retention.hours", "retention.ms"},
		{ScopeTopic, "retention", "retention.ms"},
		{ScopeTopic, "retention.mss", "retention.ms"},
		{ScopeTopic, "nosuch", ""},
		{ScopeBroker, "x", ""},
	} {
		got := Nearest(c.scope, c.name)
		if c.name == "retention" { // several are as near; any of them helps
			if !strings.HasPrefix(got, "retention.") && got != "" {
				t.Errorf("%s: got %q", c.name, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
