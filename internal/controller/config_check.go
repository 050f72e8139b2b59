package controller

import (
	"strconv"
	"strings"

	"ottla/internal/config"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// newTopicConfigs checks the settings that a topic is made with and gives
// their normal forms.
func newTopicConfigs(entries []ConfigEntry) (map[string]string, error) {
	values := make(map[string]string, len(entries))
	topics := kinds[metadata.ResourceTopic]
	for _, e := range entries {
		if e.Value == nil {
			return nil, wire.Errorf(wire.InvalidConfig, "Null value not supported for topic configs: %s", e.Name)
		}
		def, err := topics.settingOf(e.Name)
		if err != nil {
			return nil, err
		}
		if values[e.Name], err = topics.check(def, *e.Value); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// checkResource tells whether a resource may have settings: it must exist where
// existing means something.
func (c *Controller) checkResource(r *AlterResource, incremental bool) error {
	switch r.Type {
	case metadata.ResourceTopic:
		if r.Name == "" {
			return wire.Errorf(wire.InvalidRequest, "Default topic resources are not allowed.")
		}
		if err := CheckTopicName(r.Name); err != nil {
			return err
		}
		if c.image().TopicByName(r.Name) == nil {
			return wire.Errorf(wire.UnknownTopicOrPartition, "The topic '%s' does not exist.", r.Name)
		}
		return nil
	case metadata.ResourceBroker:
		return c.checkBrokerResource(r, incremental)
	case metadata.ResourceClientMetrics:
		if r.Name == "" {
			return wire.Errorf(wire.InvalidRequest, "Subscription name can't be empty")
		}
		return nil
	case metadata.ResourceGroup:
		if r.Name == "" {
			return wire.Errorf(wire.InvalidRequest, "Default group resources are not allowed.")
		}
		return nil
	}
	return wire.Errorf(wire.InvalidRequest, "Unknown resource type %d", r.Type)
}

// checkBrokerResource wants the id of a registered broker, or "" for the
// cluster-wide defaults, and only settings that may change while it runs
// (KIP-226). What is deleted need not be one.
func (c *Controller) checkBrokerResource(r *AlterResource, incremental bool) error {
	if r.Name != "" {
		id, err := strconv.ParseInt(r.Name, 10, 32)
		if err != nil {
			return wire.Errorf(wire.InvalidRequest, "Node id must be an integer, but it is: %s", r.Name)
		}
		if c.image().Broker(int32(id)) == nil {
			return wire.Errorf(wire.BrokerIDNotRegistered, "No node with id %d found.", id)
		}
	}
	var fixed, bare, perBroker []string
	for i := range r.Entries {
		e := &r.Entries[i]
		def, _ := lookupBroker(e.Name)
		switch {
		case def == nil || incremental && e.Op == OpDelete:
		case !def.Dynamic():
			fixed = append(fixed, e.Name)
		case strings.HasPrefix(e.Name, "ssl."):
			bare = append(bare, e.Name)
		case r.Name == "" && def.Mode == config.PerBroker:
			perBroker = append(perBroker, e.Name)
		}
	}
	for _, why := range []struct {
		text  string
		names []string
	}{
		{"Cannot update these configs dynamically", fixed},
		{"These security configs can be dynamically updated only per-listener using the listener prefix", bare},
		{"Cannot update these configs at default cluster level, broker id must be specified", perBroker},
	} {
		if len(why.names) > 0 {
			return wire.Errorf(wire.InvalidRequest, "%s: [%s]", why.text, strings.Join(why.names, ", "))
		}
	}
	return nil
}

// checkMinInsync keeps one min.insync.replicas for the cluster as long as
// eligible leader replicas are on (KIP-966).
func (c *Controller) checkMinInsync(r *AlterResource, incremental bool) error {
	if r.Type != metadata.ResourceBroker || c.level(metadata.ELRVersion) == 0 {
		return nil
	}
	names, removed := false, !incremental // what a whole change does not name goes
	for i := range r.Entries {
		if r.Entries[i].Name == minInsync {
			names, removed = true, incremental && r.Entries[i].Op == OpDelete
		}
	}
	switch {
	case names && r.Name != "":
		return wire.Errorf(wire.InvalidConfig, "Broker-level min.insync.replicas cannot be altered while ELR is enabled.")
	case removed && r.Name == "":
		return wire.Errorf(wire.InvalidConfig, "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.")
	}
	return nil
}

// kind is what differs between the resource types: where their settings are
// declared, what an unknown one is called, and the code of a refusal (Kafka
// has two).
type kind struct {
	scope  config.Scope
	called string
	code   wire.Code
}

var kinds = map[int8]kind{
	metadata.ResourceTopic:         {config.ScopeTopic, "topic config name", wire.InvalidConfig},
	metadata.ResourceBroker:        {config.ScopeBroker, "broker config name", wire.InvalidRequest},
	metadata.ResourceGroup:         {config.ScopeGroup, "group config name", wire.InvalidConfig},
	metadata.ResourceClientMetrics: {config.ScopeClientMetrics, "client metrics configuration", wire.InvalidRequest},
}

// settingOf finds the definition of a resource's setting. An unknown one is
// refused for brokers too, where Kafka keeps it silently.
func (k kind) settingOf(name string) (*config.Def, error) {
	var def *config.Def
	if k.scope == config.ScopeBroker {
		def, name = lookupBroker(name)
	} else {
		def = config.Lookup(k.scope, name)
	}
	if def != nil {
		return def, nil
	}
	hint := ""
	if near := config.Nearest(k.scope, name); near != "" {
		hint = ". Did you mean " + near + "?"
	}
	code := k.code
	if k.scope == config.ScopeBroker {
		code = wire.InvalidConfig
	}
	return nil, wire.Errorf(code, "Unknown %s: %s%s", k.called, name, hint)
}

// check gives a value's normal form, or a refusal.
func (k kind) check(def *config.Def, value string) (string, error) {
	if len(value) > maxConfigValue {
		return "", wire.Errorf(wire.InvalidConfig, "The configuration value cannot be added because it exceeds the maximum value size of %d bytes.", maxConfigValue)
	}
	normal, err := def.Check(value)
	if err != nil {
		return "", wire.Errorf(k.code, "%w", err)
	}
	return normal, nil
}

// lookupBroker finds a broker setting, also one for a single listener
// (listener.name.<listener>.[<mechanism>.]<setting>), and gives its bare name.
func lookupBroker(name string) (*config.Def, string) {
	if def := config.Lookup(config.ScopeBroker, name); def != nil {
		return def, name
	}
	rest, ok := strings.CutPrefix(name, "listener.name.")
	for ok {
		if _, rest, ok = strings.Cut(rest, "."); !ok {
			break
		}
		if def := config.Lookup(config.ScopeBroker, rest); def != nil {
			return def, rest
		}
	}
	return nil, name
}
