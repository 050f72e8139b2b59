package config

import (
	"strconv"
	"time"
)

// The typed shortcuts below are for the state machines of groups: a group's
// own setting (ConfigResource GROUP), else the broker's that stands behind it,
// else the default. Numbers are held within the bounds that broker settings
// draw (group.consumer.min.session.timeout.ms, …), which may have moved since
// the group's value was set. They panic on an unknown name (our bug), and d may
// be nil.

// GroupString gives a group's setting as text, "" when it has no value.
func (v *View) GroupString(d Dynamic, group, name string) string {
	s, _ := v.groupValue(d, must(ScopeGroup, name), group)
	return s
}

// GroupBool gives a boolean setting of a group.
func (v *View) GroupBool(d Dynamic, group, name string) bool {
	return v.GroupString(d, group, name) == "true"
}

// GroupInt gives a setting of a group that is a whole number.
func (v *View) GroupInt(d Dynamic, group, name string) int64 {
	def := must(ScopeGroup, name)
	s, _ := v.groupValue(d, def, group)
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil { // stored by another version or by hand
		n = number(def.Default)
	}
	for _, b := range groupBounds {
		if b.name == name {
			n = min(max(n, v.Int(d, b.low)), v.Int(d, b.high))
		}
	}
	if name == standbys {
		n = min(n, v.Int(d, mostStandbys))
	}
	return n
}

// GroupDuration gives a setting of a group whose name ends in ".ms".
func (v *View) GroupDuration(d Dynamic, group, name string) time.Duration {
	return time.Duration(v.GroupInt(d, group, name)) * time.Millisecond
}

// GroupSets tells whether the group or a broker setting behind it was set by
// anybody: what is not is a default, which a machine may adapt.
func (v *View) GroupSets(d Dynamic, group, name string) bool {
	def := must(ScopeGroup, name)
	if _, ok := overrides(d, ScopeGroup, group)[name]; ok {
		return true
	}
	if len(def.Synonyms) == 0 {
		return false
	}
	_, _, source := v.raw(v.brokerMaps(d), must(ScopeBroker, def.Synonyms[0]))
	return source != SourceDefault
}

// groupValue is the effective value without its chain; an override that no
// longer fits its definition is passed by.
func (v *View) groupValue(d Dynamic, def *Def, group string) (value string, null bool) {
	if s, ok := overrides(d, ScopeGroup, group)[def.Name]; ok {
		if normal, err := def.Check(s); err == nil {
			return normal, false
		}
	}
	return v.resourceDefault(v.brokerMaps(d), def)
}
