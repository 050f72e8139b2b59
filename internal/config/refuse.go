package config

import (
	"strings"
)

// A setting is refused when heeding it is a promise that cannot be kept: to
// start all the same would leave a door open that its owner believes shut, or
// a plug-in silent that he counts on. The table below is the whole rule; a
// setting at its default promises nothing.

// refusal tells why a given value must be refused, "" when it need not.
func refusal(name, value string, def *Def) string {
	if def != nil && !def.NullDefault && value == def.Default {
		return ""
	}
	for i := range refusals {
		r := &refusals[i]
		if r.matches(name) && (r.when == nil || r.when(value)) {
			return r.why
		}
	}
	return ""
}

// refusable tells whether any value of a setting is refused.
func refusable(name string) bool {
	for i := range refusals {
		if refusals[i].matches(name) {
			return true
		}
	}
	return false
}

type refusalRule struct {
	names string // a name, or the beginning of names when it ends in "."
	when  func(value string) bool
	why   string
}

func (r *refusalRule) matches(name string) bool {
	// A listener's own settings are refused where the plain ones are.
	if rest, ok := strings.CutPrefix(name, "listener.name."); ok {
		for _, part := range []string{".ssl.", ".sasl.", ".principal.builder.class", ".connections.max.reauth.ms"} {
			if i := strings.Index(rest, part); i >= 0 {
				name = rest[i+1:]
				break
			}
		}
		// listener.name.NAME.MECHANISM.sasl.jaas.config ends in it.
	}
	if strings.HasSuffix(r.names, ".") {
		return strings.HasPrefix(name, r.names)
	}
	return name == r.names
}

const (
	noTLS    = "there is no TLS yet: connections would be in plain text"
	noLogin  = "there is no authentication yet: everybody could connect"
	noAccess = "there is no access control yet: everybody could do everything"
	noTier   = "there is no remote storage: nothing would be copied there"
	noPlugin = "Java classes cannot be loaded"
	oneNode  = "there are no clusters of several nodes yet"
)

var refusals = []refusalRule{
	{names: "ssl.", when: given, why: noTLS},
	{names: "sasl.", when: given, why: noLogin},
	{names: "security.inter.broker.protocol", why: noTLS},
	{names: "security.providers", why: noPlugin},
	{names: "authorizer.class.name", when: given, why: noAccess},
	{names: "super.users", when: given, why: noAccess},
	{names: "allow.everyone.if.no.acl.found", why: noAccess},
	{names: "principal.builder.class", when: given, why: noPlugin},
	{names: "connections.max.reauth.ms", why: noLogin},
	{names: "delegation.token.secret.key", when: given, why: noLogin},
	{names: "listeners", when: secured, why: noTLS + ", and without login"},
	{names: "advertised.listeners", when: secured, why: noTLS + ", and without login"},
	{names: "client.quota.callback.class", when: given, why: noPlugin},
	{names: "alter.config.policy.class.name", when: given, why: noPlugin + ", so no policy would be asked"},
	{names: "create.topic.policy.class.name", when: given, why: noPlugin + ", so no policy would be asked"},
	{names: "replica.selector.class", when: foreignSelector, why: noPlugin + " but for Kafka's RackAwareReplicaSelector, which is built in"},
	{names: "kafka.metrics.reporters", when: given, why: noPlugin + ", so nothing would be reported"},
	{names: "metric.reporters", when: foreignReporter, why: noPlugin + ", so nothing would be reported; metrics are on HTTP under /metrics"},
	{names: "config.providers", when: given, why: noPlugin + ", so values from elsewhere would not be found"},
	{names: "group.consumer.assignors", when: className, why: noPlugin},
	{names: "group.share.assignors", when: className, why: noPlugin},
	{names: "group.streams.assignors", when: className, why: noPlugin},
	{names: "group.streams.topology.description.plugin.class", when: given, why: noPlugin},
	{names: "remote.log.storage.system.enable", when: isTrue, why: noTier},
	{names: "remote.log.storage.manager.class.name", when: given, why: noTier},
	{names: "remote.log.metadata.manager.class.name", when: given, why: noTier},
	{names: "process.roles", when: notCombined, why: oneNode + ": the one node is broker and controller"},
	{names: "controller.quorum.voters", when: several, why: oneNode},
	{names: "controller.quorum.bootstrap.servers", when: several, why: oneNode},
	{names: "controller.quorum.auto.join.enable", when: isTrue, why: oneNode},
}

func given(v string) bool { return v != "" }
func foreignSelector(v string) bool {
	return v != "" && !strings.HasSuffix(v, "RackAwareReplicaSelector")
}

func isTrue(v string) bool    { return v == "true" }
func several(v string) bool   { return len(splitList(v)) > 1 }
func className(v string) bool { return strings.Contains(v, ".") }

func secured(v string) bool {
	for _, l := range splitList(v) {
		name, _, _ := strings.Cut(l, "://")
		if p := strings.ToUpper(name); p == "SSL" || p == "SASL_SSL" || p == "SASL_PLAINTEXT" {
			return true
		}
	}
	return false
}

func foreignReporter(v string) bool {
	for _, c := range splitList(v) {
		if c != "org.apache.kafka.common.metrics.JmxReporter" {
			return true
		}
	}
	return false
}

func notCombined(v string) bool {
	roles := splitList(v)
	return len(roles) > 0 && !(contains(roles, "broker") && contains(roles, "controller"))
}

// note is what is known of a name that is no setting of Kafka 4.4's broker.
type note struct{ text string }

var notes = map[string]*note{
	"super.users":                             {"a setting of Kafka's authorizer"},
	"allow.everyone.if.no.acl.found":          {"a setting of Kafka's authorizer"},
	"zookeeper.connect":                       {"gone since Kafka 4.0"},
	"zookeeper.connection.timeout.ms":         {"gone since Kafka 4.0"},
	"zookeeper.session.timeout.ms":            {"gone since Kafka 4.0"},
	"inter.broker.protocol.version":           {"gone since Kafka 4.0"},
	"log.message.format.version":              {"gone since Kafka 4.0"},
	"offsets.commit.required.acks":            {"gone since Kafka 4.0"},
	"log.message.timestamp.difference.max.ms": {"gone since Kafka 4.0"},
}
