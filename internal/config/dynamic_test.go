package config

import "testing"

func TestCheckDynamicSpeaksKafkasWords(t *testing.T) {
	for _, c := range []struct {
		what      string
		names     []string
		perBroker bool
		want      string
	}{
		{"fixed", []string{"num.partitions", "log.dirs", "log.retention.ms"}, true, "Cannot update these configs dynamically: [num.partitions, log.dirs]"},
		{"fixed here", []string{"listeners"}, true, "Cannot update these configs dynamically: [listeners]"},
		{"security", []string{"ssl.keystore.type"}, false, "These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.type]"},
		{"fine", []string{"log.retention.ms", "my.own"}, false, ""},
	} {
		got := ""
		if err := CheckDynamic(c.names, c.perBroker); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.what, got, c.want)
		}
	}
}

func TestRulesBetweenSettings(t *testing.T) {
	v := viewOf(t, map[string]string{"group.share.min.delivery.count.limit": "3"})
	for _, c := range []struct {
		what    string
		scope   Scope
		entries map[string]string
		want    string
	}{
		{"lags cross", ScopeTopic, map[string]string{"min.compaction.lag.ms": "10", "max.compaction.lag.ms": "5"}, "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)"},
		{"lags meet", ScopeTopic, map[string]string{"min.compaction.lag.ms": "5", "max.compaction.lag.ms": "5"}, ""},
		{"a bad value is told elsewhere", ScopeTopic, map[string]string{"min.compaction.lag.ms": "x"}, ""},
		{"remote storage", ScopeTopic, map[string]string{"remote.storage.enable": " TRUE"}, "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage."},
		{"session too short", ScopeGroup, map[string]string{"consumer.session.timeout.ms": "1"}, "consumer.session.timeout.ms must be in the range 45000 to 60000 inclusive."},
		{"session fits", ScopeGroup, map[string]string{"consumer.session.timeout.ms": "45000"}, ""},
		{"session is no number", ScopeGroup, map[string]string{"consumer.session.timeout.ms": "x"}, ""},
		{"the bound is the broker's", ScopeGroup, map[string]string{"share.delivery.count.limit": "2"}, "share.delivery.count.limit must be in the range 3 to 10 inclusive."},
		{"no rules", ScopeClientMetrics, map[string]string{"interval.ms": "1"}, ""},
	} {
		got := ""
		if err := v.CheckTogether(nil, c.scope, c.entries); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.what, got, c.want)
		}
	}
	for _, b := range groupBounds {
		if Lookup(ScopeGroup, b.name) == nil || Lookup(ScopeBroker, b.low) == nil || Lookup(ScopeBroker, b.high) == nil {
			t.Errorf("%+v names what does not exist", b)
		}
	}
}
