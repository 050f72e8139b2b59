package config

import (
	"fmt"
	"strconv"
	"sync"
	"time"
)

// Source is where a value comes from, by DescribeConfigs' numbers.
type Source int8

const (
	SourceTopic          Source = 1
	SourceDynamicBroker  Source = 2
	SourceDynamicDefault Source = 3
	SourceStatic         Source = 4
	SourceDefault        Source = 5
	SourceDynamicLogger  Source = 6
	SourceClientMetrics  Source = 7
	SourceGroup          Source = 8
)

// Dynamic gives the values set at run time, nil when none.
type Dynamic interface {
	// ConfigOf returns the overrides of a resource: topic NAME, broker ID or
	// broker "" (cluster-wide), group NAME. A map handed out never changes
	// again: views keep it to see by its identity that nothing has changed.
	ConfigOf(s Scope, name string) map[string]string
}

// Value is an effective value with the chain it comes from, highest first.
type Value struct {
	Def    *Def
	Value  string
	Null   bool
	Source Source
	Chain  []Origin
}

// Origin is one link of the chain, as DescribeConfigs' synonyms.
type Origin struct {
	Name   string
	Value  string
	Null   bool
	Source Source
}

// View resolves settings: static values of this node below what was set at
// run time. Safe for concurrent use.
type View struct {
	Static *Static
	NodeID int32

	base topicBase
}

// topicBase remembers the topic settings that follow from the broker's alone,
// so that resolving thousands of topics costs their overrides only.
type topicBase struct {
	mu                 sync.Mutex // guards the fields below
	broker, dynDefault map[string]string
	valid              bool
	topic              Topic
}

// brokerMaps are a broker's overrides: its own and the cluster-wide ones.
type brokerMaps struct{ own, cluster map[string]string }

func (v *View) brokerMaps(d Dynamic) brokerMaps {
	if d == nil {
		return brokerMaps{}
	}
	return brokerMaps{
		own:     d.ConfigOf(ScopeBroker, strconv.Itoa(int(v.NodeID))),
		cluster: d.ConfigOf(ScopeBroker, ""),
	}
}

func overrides(d Dynamic, s Scope, name string) map[string]string {
	if d == nil {
		return nil
	}
	return d.ConfigOf(s, name)
}

// raw finds a broker setting's own value, without the settings that stand in
// for it when it has none.
func (v *View) raw(m brokerMaps, def *Def) (value string, null bool, source Source) {
	if s, ok := m.own[def.Name]; ok {
		return s, false, SourceDynamicBroker
	}
	if s, ok := m.cluster[def.Name]; ok {
		return s, false, SourceDynamicDefault
	}
	if s, ok := v.Static.Get(def.Name); ok {
		return s, false, SourceStatic
	}
	return def.Default, def.NullDefault, SourceDefault
}

// effective is raw, but follows Kafka's stand-ins where there is no own value:
// log.retention.ms, else .minutes, else .hours, in the unit of the first name.
func (v *View) effective(m brokerMaps, def *Def) (value string, null bool) {
	value, null, _ = v.raw(m, def)
	if !null {
		return value, false
	}
	g := standInsOf(def.Name)
	if g == nil || g[0].name != def.Name {
		return value, null
	}
	for _, s := range g[1:] {
		other, none, _ := v.raw(m, must(ScopeBroker, s.name))
		if none {
			continue
		}
		n, err := strconv.ParseInt(other, 10, 64)
		if err != nil {
			continue
		}
		return strconv.FormatInt(scaleMs(n, s.unitMs), 10), false
	}
	return value, null
}

// scaleMs turns n units into milliseconds; negative means without limit, and
// what does not fit is cut to the largest number.
func scaleMs(n, unitMs int64) int64 {
	if n < 0 {
		return -1
	}
	if n > (1<<63-1)/unitMs {
		return 1<<63 - 1
	}
	return n * unitMs
}

// Broker resolves a broker setting as DescribeConfigs shows it. It panics on
// an unknown name (our bug: requests look names up first).
func (v *View) Broker(d Dynamic, name string) Value {
	def, m := must(ScopeBroker, name), v.brokerMaps(d)
	value, null, _ := v.raw(m, def)
	out := Value{Def: def, Value: value, Null: null, Chain: v.brokerChain(m, def), Source: SourceDefault}
	if len(out.Chain) > 0 {
		out.Source = out.Chain[0].Source
	}
	return out
}

// Topic resolves a topic setting as DescribeConfigs shows it. It panics on an
// unknown name.
func (v *View) Topic(d Dynamic, topic, name string) Value {
	return v.resource(d, must(ScopeTopic, name), topic, SourceTopic)
}

// Group resolves a group setting as DescribeConfigs shows it. It panics on an
// unknown name.
func (v *View) Group(d Dynamic, group, name string) Value {
	return v.resource(d, must(ScopeGroup, name), group, SourceGroup)
}

// ClientMetrics resolves a setting of a client-metrics subscription.
func (v *View) ClientMetrics(d Dynamic, subscription, name string) Value {
	return v.resource(d, must(ScopeClientMetrics, name), subscription, SourceClientMetrics)
}

func (v *View) resource(d Dynamic, def *Def, name string, own Source) Value {
	m := v.brokerMaps(d)
	out := Value{Def: def, Source: SourceDefault}
	switch {
	case len(def.Synonyms) > 0:
		out.Chain = v.brokerChain(m, must(ScopeBroker, def.Synonyms[0]))
	case def.Scope == ScopeGroup && !def.NullDefault:
		// Groups show their built-in defaults as a link, topics do not.
		out.Chain = []Origin{{Name: def.Name, Value: def.Default, Source: SourceDefault}}
	}
	if s, ok := overrides(d, def.Scope, name)[def.Name]; ok {
		out.Value = s
		out.Chain = append([]Origin{{Name: def.Name, Value: s, Source: own}}, out.Chain...)
	} else {
		out.Value, out.Null = v.resourceDefault(m, def)
	}
	if len(out.Chain) > 0 {
		out.Source = out.Chain[0].Source
	}
	return out
}

// resourceDefault is what a topic or group setting is without an override.
func (v *View) resourceDefault(m brokerMaps, def *Def) (value string, null bool) {
	if len(def.Synonyms) == 0 {
		return def.Default, def.NullDefault
	}
	value, null = v.effective(m, must(ScopeBroker, def.Synonyms[0]))
	if null {
		return def.Default, def.NullDefault
	}
	return value, null
}

// String gives a broker setting that exists (it panics on an unknown name: our
// bug), "" when it has no value. Stand-ins are followed, as for all typed
// shortcuts.
func (v *View) String(d Dynamic, name string) string {
	s, _ := v.effective(v.brokerMaps(d), must(ScopeBroker, name))
	return s
}

// Int gives a broker setting of a whole number, -1 when it has no value.
func (v *View) Int(d Dynamic, name string) int64 {
	def := must(ScopeBroker, name)
	s, null := v.effective(v.brokerMaps(d), def)
	if null {
		return -1
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	// Stored by another version or by hand: the default holds.
	n, err := strconv.ParseInt(def.Default, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("config: %s is no whole number by default", name))
	}
	return n
}

// Bool gives a boolean broker setting.
func (v *View) Bool(d Dynamic, name string) bool { return v.String(d, name) == "true" }

// Duration gives a broker setting whose name ends in its unit: .ms, .seconds,
// .secs, .minutes or .hours. Negative numbers, and names without a value, give
// -1 ns ("no limit"); what is too long for a Duration is cut to the longest.
func (v *View) Duration(d Dynamic, name string) time.Duration {
	unit := unitMsOf(name)
	if unit == 0 {
		panic(fmt.Sprintf("config: setting %q has no unit of time in its name", name))
	}
	ms := scaleMs(v.Int(d, name), unit)
	if ms < 0 {
		return -1
	}
	if ms > int64(1<<63-1)/int64(time.Millisecond) {
		return 1<<63 - 1
	}
	return time.Duration(ms) * time.Millisecond
}

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
