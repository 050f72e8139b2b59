package config

import (
	"testing"
	"time"
)

// setAt is what was set at run time, by scope and name.
type setAt map[string]map[string]string

func (s setAt) ConfigOf(scope Scope, name string) map[string]string {
	return s[string(scope)+" "+name]
}

func TestAGroupsSettingIsItsOwnThenTheBrokersWithinBounds(t *testing.T) {
	static, err := StaticOf("test", map[string]string{"group.consumer.session.timeout.ms": "50000", "group.share.max.session.timeout.ms": "55000"})
	if err != nil {
		t.Fatal(err)
	}
	v := &View{Static: static, NodeID: 1}
	d := setAt{
		"group mine":  {"consumer.heartbeat.interval.ms": "6000", "share.auto.offset.reset": "earliest", "share.renew.acknowledge.enable": "false", "consumer.session.timeout.ms": "odd"},
		"group wide":  {"share.session.timeout.ms": "59000", "consumer.session.timeout.ms": "1"},
		"broker ":     {"group.consumer.assignment.interval.ms": "7"},
		"broker 1":    {"group.share.assignment.interval.ms": "9"},
		"broker 2":    {"group.share.assignment.interval.ms": "11"},
		"topic other": {"share.session.timeout.ms": "46000"},
	}
	for _, c := range []struct {
		group, name string
		want        time.Duration
		set         bool
	}{
		{"mine", "consumer.heartbeat.interval.ms", 6 * time.Second, true},
		{"other", "consumer.heartbeat.interval.ms", 5 * time.Second, false},
		{"other", "consumer.session.timeout.ms", 50 * time.Second, true},
		{"mine", "consumer.session.timeout.ms", 50 * time.Second, true}, // its own does not fit
		{"wide", "share.session.timeout.ms", 55 * time.Second, true},    // above the bound
		{"wide", "consumer.session.timeout.ms", 45 * time.Second, true}, // below it
		{"other", "consumer.assignment.interval.ms", 7 * time.Millisecond, true},
		{"other", "share.assignment.interval.ms", 9 * time.Millisecond, true},
		{"other", "streams.assignment.interval.ms", time.Second, false},
	} {
		if got := v.GroupDuration(d, c.group, c.name); got != c.want {
			t.Errorf("%s of %s: got %v, want %v", c.name, c.group, got, c.want)
		}
		if got := v.GroupSets(d, c.group, c.name); got != c.set {
			t.Errorf("%s of %s: set %v, want %v", c.name, c.group, got, c.set)
		}
	}
	if got := v.GroupString(d, "mine", "share.auto.offset.reset"); got != "earliest" {
		t.Errorf("share.auto.offset.reset: got %q", got)
	}
	if v.GroupBool(d, "mine", "share.renew.acknowledge.enable") || !v.GroupBool(nil, "mine", "share.renew.acknowledge.enable") {
		t.Error("share.renew.acknowledge.enable: the group's own is false, the default true")
	}
	if v.GroupSets(d, "mine", "share.isolation.level") || !v.GroupSets(d, "mine", "share.auto.offset.reset") {
		t.Error("a setting without a broker's behind it is set by the group alone")
	}
}
