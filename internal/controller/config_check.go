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
	for _, e := range entries {
		if e.Value == nil {
			return nil, wire.Errorf(wire.InvalidConfig, "Null value not supported for topic configs: %s", e.Name)
		}
		def, err := settingOf(metadata.ResourceTopic, "", e.Name)
		if err != nil {
			return nil, err
		}
		if values[e.Name], err = checkValue(def, *e.Value); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// checkResource tells whether a resource may have settings: it must exist where
// existing means something.
func (c *Controller) checkResource(r *AlterResource) error {
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
		return c.checkBrokerResource(r)
	case metadata.ResourceClientMetrics:
		if r.Name == "" {
			return wire.Errorf(wire.InvalidRequest, "Default client metrics resources are not allowed.")
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
// (KIP-226).
func (c *Controller) checkBrokerResource(r *AlterResource) error {
	if r.Name != "" {
		id, err := strconv.ParseInt(r.Name, 10, 32)
		if err != nil {
			return wire.Errorf(wire.InvalidRequest, "Unable to parse broker name as a base 10 number.")
		}
		if c.image().Broker(int32(id)) == nil {
			return wire.Errorf(wire.BrokerIDNotRegistered, "No node with id %d found.", id)
		}
	}
	var fixed, perBroker []string
	for _, e := range r.Entries {
		def, _ := lookupBroker(e.Name)
		switch {
		case def == nil:
		case !def.Dynamic():
			fixed = append(fixed, e.Name)
		case r.Name == "" && def.Mode == config.PerBroker:
			perBroker = append(perBroker, e.Name)
		}
	}
	switch {
	case len(fixed) > 0:
		return wire.Errorf(wire.InvalidRequest, "Cannot update these configs dynamically: [%s]", strings.Join(fixed, ", "))
	case len(perBroker) > 0:
		return wire.Errorf(wire.InvalidRequest, "Cannot update these configs at default cluster level: [%s]", strings.Join(perBroker, ", "))
	}
	return nil
}

// settingOf finds the definition of a resource's setting.
func settingOf(resourceType int8, resource, name string) (*config.Def, error) {
	var def *config.Def
	var scope config.Scope
	kind, code := "", wire.InvalidConfig
	switch resourceType {
	case metadata.ResourceTopic:
		scope, kind = config.ScopeTopic, "topic config name"
	case metadata.ResourceBroker:
		scope, kind = config.ScopeBroker, "broker config name"
		def, name = lookupBroker(name)
	case metadata.ResourceGroup:
		scope, kind = config.ScopeGroup, "group config name"
	case metadata.ResourceClientMetrics:
		scope, kind, code = config.ScopeClientMetrics, "client metrics configuration", wire.InvalidRequest
	}
	if def == nil {
		def = config.Lookup(scope, name)
	}
	if def != nil {
		return def, nil
	}
	hint := ""
	if near := config.Nearest(scope, name); near != "" {
		hint = ". Did you mean " + near + "?"
	}
	return nil, wire.Errorf(code, "Unknown %s: %s%s", kind, name, hint)
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
