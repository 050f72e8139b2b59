package config

import "strings"

// standIn is a setting that may give another its value, and its unit.
type standIn struct {
	name   string
	unitMs int64
}

const (
	msPerMs     = int64(1)
	msPerSecond = int64(1000)
	msPerMinute = 60 * msPerSecond
	msPerHour   = 60 * msPerMinute
)

// standIns are Kafka's groups of broker settings that say the same thing in
// several units, the finest first: it wins.
var standIns = [...][]standIn{
	{{"log.retention.ms", msPerMs}, {"log.retention.minutes", msPerMinute}, {"log.retention.hours", msPerHour}},
	{{"log.roll.ms", msPerMs}, {"log.roll.hours", msPerHour}},
	{{"log.roll.jitter.ms", msPerMs}, {"log.roll.jitter.hours", msPerHour}},
	{{"log.flush.interval.ms", msPerMs}, {"log.flush.scheduler.interval.ms", msPerMs}},
}

// standInsOf returns the group that a broker setting belongs to, nil for none.
// The scheduler's interval is read for log.flush.interval.ms but is a setting
// of its own beside that, so it counts only as a member, not as a way in.
func standInsOf(name string) []standIn {
	if name == "log.flush.scheduler.interval.ms" || !strings.HasPrefix(name, "log.") {
		return nil
	}
	for _, g := range standIns {
		for _, s := range g {
			if s.name == name {
				return g
			}
		}
	}
	return nil
}

// unitMsOf reads the unit from the end of a setting's name, in milliseconds; 0
// when there is none.
func unitMsOf(name string) int64 {
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "ms":
		return msPerMs
	case "seconds", "secs":
		return msPerSecond
	case "minutes":
		return msPerMinute
	case "hours":
		return msPerHour
	}
	return 0
}

// brokerChain lists where a broker setting's value may come from, as
// DescribeConfigs' synonyms: level by level (this broker, the cluster, the
// start-up values, the built-in default), on each level the group's names from
// fine to coarse. As in Kafka the list begins at the first entry that bears
// the asked name, so a retention.ms that comes from log.retention.hours alone
// has an empty chain (ConfigHelper.configSynonyms, kept because tools show it).
func (v *View) brokerChain(m brokerMaps, def *Def) []Origin {
	names := []*Def{def}
	if g := standInsOf(def.Name); g != nil {
		names = names[:0]
		for _, s := range g {
			names = append(names, must(ScopeBroker, s.name))
		}
	}
	var chain []Origin
	add := func(d *Def, value string, ok bool, source Source) {
		if !ok || len(chain) == 0 && d != def {
			return
		}
		o := Origin{Name: d.Name, Value: value, Source: source}
		if d.Sensitive {
			o.Value, o.Null = "", true
		}
		chain = append(chain, o)
	}
	for _, d := range names {
		s, ok := m.own[d.Name]
		add(d, s, ok, SourceDynamicBroker)
	}
	for _, d := range names {
		s, ok := m.cluster[d.Name]
		add(d, s, ok, SourceDynamicDefault)
	}
	for _, d := range names {
		s, ok := v.Static.Get(d.Name)
		add(d, s, ok, SourceStatic)
	}
	for _, d := range names {
		add(d, d.Default, !d.NullDefault, SourceDefault)
	}
	return chain
}
