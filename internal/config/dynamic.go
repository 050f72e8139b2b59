package config

import (
	"fmt"
	"strings"
)

// CheckDynamic tells whether broker settings can be changed while brokers run
// (KIP-226): for one broker, or (perBroker false) for all. Settings that it
// does not know pass. The texts are Kafka's, printed by its tools; what Kafka
// can change but Ottla cannot (its listeners, for one) is refused likewise.
func CheckDynamic(names []string, perBroker bool) error {
	var fixed, security, single []string
	for _, name := range names {
		def := Lookup(ScopeBroker, name)
		switch {
		case def == nil:
		case !def.Dynamic() || notDynamicHere[name]:
			fixed = append(fixed, name)
		case strings.HasPrefix(name, "ssl.") || strings.HasPrefix(name, "sasl."):
			security = append(security, name)
		case !perBroker && def.Mode == PerBroker:
			single = append(single, name)
		}
	}
	list := func(names []string) string { return "[" + strings.Join(names, ", ") + "]" }
	switch {
	case len(fixed) > 0:
		return inKafkasWords("Cannot update these configs dynamically: %s", list(fixed))
	case len(security) > 0:
		return inKafkasWords("These security configs can be dynamically updated only per-listener using the listener prefix: %s", list(security))
	case len(single) > 0:
		return inKafkasWords("Cannot update these configs at default cluster level, broker id must be specified: %s", list(single))
	}
	return nil
}

// notDynamicHere are settings that a running Kafka can change and Ottla reads
// at start only.
var notDynamicHere = map[string]bool{
	"listeners": true, "listener.security.protocol.map": true, "principal.builder.class": true,
}

// Refusal tells why a value of a broker setting is refused, at start and while
// running alike: it would promise what cannot be kept. "" when it is not.
func Refusal(d *Def, normal string) string { return refusal(d.Name, normal, d) }

// CheckTogether checks the overrides that a topic or group would have: rules
// between settings, and bounds that other settings draw. Names and single
// values that are wrong pass: their own check says so.
func (v *View) CheckTogether(d Dynamic, s Scope, entries map[string]string) error {
	switch s {
	case ScopeTopic:
		return checkTopicTogether(entries)
	case ScopeGroup:
		return v.checkGroupTogether(d, entries)
	}
	return nil
}

func checkTopicTogether(entries map[string]string) error {
	number := func(name string) int64 {
		def := must(ScopeTopic, name)
		normal, err := def.Check(entries[name])
		if err != nil {
			normal = def.Default
		}
		return number(normal)
	}
	if low, high := number("min.compaction.lag.ms"), number("max.compaction.lag.ms"); low > high {
		return inKafkasWords("conflict topic config setting min.compaction.lag.ms (%d) > max.compaction.lag.ms (%d)", low, high)
	}
	if strings.EqualFold(strings.TrimSpace(entries["remote.storage.enable"]), "true") {
		return inKafkasWords("Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.")
	}
	return nil
}

// groupBounds are group settings that must lie between two broker settings.
var groupBounds = []struct{ name, low, high string }{
	{"consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms"},
	{"consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms"},
	{"consumer.assignment.interval.ms", "group.consumer.min.assignment.interval.ms", "group.consumer.max.assignment.interval.ms"},
	{"share.session.timeout.ms", "group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms"},
	{"share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms"},
	{"share.assignment.interval.ms", "group.share.min.assignment.interval.ms", "group.share.max.assignment.interval.ms"},
	{"share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms", "group.share.max.record.lock.duration.ms"},
	{"share.delivery.count.limit", "group.share.min.delivery.count.limit", "group.share.max.delivery.count.limit"},
	{"share.partition.max.record.locks", "group.share.min.partition.max.record.locks", "group.share.max.partition.max.record.locks"},
	{"streams.session.timeout.ms", "group.streams.min.session.timeout.ms", "group.streams.max.session.timeout.ms"},
	{"streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms", "group.streams.max.heartbeat.interval.ms"},
	{"streams.assignment.interval.ms", "group.streams.min.assignment.interval.ms", "group.streams.max.assignment.interval.ms"},
}

// The one group setting that has a bound on one side only.
const (
	standbys     = "streams.num.standby.replicas"
	mostStandbys = "group.streams.max.standby.replicas"
)

func (v *View) checkGroupTogether(d Dynamic, entries map[string]string) error {
	for _, b := range groupBounds {
		text, ok := entries[b.name]
		if !ok {
			continue
		}
		normal, err := must(ScopeGroup, b.name).Check(text)
		if err != nil {
			continue
		}
		n, low, high := number(normal), v.Int(d, b.low), v.Int(d, b.high)
		if n < low || n > high {
			return inKafkasWords("%s must be in the range %d to %d inclusive.", b.name, low, high)
		}
	}
	if text, ok := entries[standbys]; ok {
		normal, err := must(ScopeGroup, standbys).Check(text)
		if most := v.Int(d, mostStandbys); err == nil && number(normal) > most {
			return inKafkasWords("%s must be less than or equal to %d", standbys, most)
		}
	}
	return nil
}

// inKafkasWords makes an error whose text Kafka's tools print, capitals, full
// stops and all.
func inKafkasWords(format string, args ...any) error { return fmt.Errorf(format, args...) }
