package topics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ottla/internal/config"
	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// What AlterConfigs and IncrementalAlterConfigs share: the checks that the
// answering broker makes, then one command to the controller for what passed.

// alterAll gives each resource's outcome, in order.
func (h *handlers) alterAll(ctx context.Context, resources []controller.AlterResource, incremental, validateOnly bool) []error {
	out := make([]error, len(resources))
	cmd := controller.AlterConfigs{Incremental: incremental, ValidateOnly: validateOnly}
	var at []int
	count := map[metadata.Resource]int{}
	for i := range resources {
		count[metadata.Resource{Type: resources[i].Type, Name: resources[i].Name}]++
	}
	for i := range resources {
		r := &resources[i]
		if count[metadata.Resource{Type: r.Type, Name: r.Name}] > 1 {
			out[i] = wire.Errorf(wire.InvalidRequest, "Each resource must appear at most once.")
			continue
		}
		if out[i] = h.checkAlter(r, incremental); out[i] != nil {
			continue
		}
		if r.Type == resourceLogger {
			out[i] = h.alterLoggers(r, validateOnly)
			continue
		}
		h.fillBases(r)
		cmd.Resources, at = append(cmd.Resources, *r), append(at, i)
	}
	if len(at) == 0 {
		return out
	}
	results, err := do[[]controller.Result](ctx, h.d.Cluster, alterTimeoutMs, cmd)
	for n, i := range at {
		switch {
		case err != nil:
			out[i] = err
		case results[n].Code != wire.None:
			out[i] = &wire.Error{Code: results[n].Code, Message: results[n].Message}
		}
	}
	return out
}

// alterTimeoutMs bounds a change of settings, whose requests carry no time of
// their own.
const alterTimeoutMs = 30_000

// checkAlter is what the broker sees without its controller.
func (h *handlers) checkAlter(r *controller.AlterResource, incremental bool) error {
	seen := map[string]bool{}
	var nulls []string
	for i := range r.Entries {
		e := &r.Entries[i]
		if seen[e.Name] {
			return wire.Errorf(wire.InvalidRequest, "Error due to duplicate config keys")
		}
		seen[e.Name] = true
		if e.Value == nil && !(incremental && e.Op == controller.OpDelete) {
			nulls = append(nulls, e.Name)
		}
	}
	if len(nulls) > 0 {
		return wire.Errorf(wire.InvalidRequest, "Null value not supported for : %s", strings.Join(nulls, ","))
	}
	switch r.Type {
	case metadata.ResourceTopic, metadata.ResourceGroup:
		return h.checkTogether(r, incremental)
	case metadata.ResourceClientMetrics:
		if r.Name == "" {
			return wire.Errorf(wire.InvalidRequest, "Subscription name can't be empty")
		}
		return checkClientMetrics(r)
	case metadata.ResourceBroker:
		return h.checkBroker(r)
	case resourceLogger:
		if !incremental {
			break
		}
		return h.checkLoggers(r)
	}
	return wire.Errorf(wire.InvalidRequest, "Unknown resource type %d", r.Type)
}

// checkClientMetrics gives what Kafka says of a subscription's values, which is
// said otherwise than of all others (ClientMetricsConfigs).
func checkClientMetrics(r *controller.AlterResource) error {
	for i := range r.Entries {
		e := &r.Entries[i]
		def := config.Lookup(config.ScopeClientMetrics, e.Name)
		if def == nil || e.Value == nil || e.Op != controller.OpSet {
			continue
		}
		_, err := def.Check(*e.Value)
		var invalid *config.InvalidError
		switch {
		case !errors.As(err, &invalid):
		case e.Name == "match":
			return wire.Errorf(wire.InvalidConfig, "%s", invalid.Reason)
		case e.Name == "interval.ms" && !strings.HasPrefix(invalid.Reason, "Not a number"):
			return wire.Errorf(wire.InvalidRequest, "Invalid value %s for %s, interval must be between 100 and 3600000 (1 hour)", invalid.Value, e.Name)
		}
	}
	return nil
}

// checkBroker wants this broker's id or "", settings that can change while it
// runs, and values that fit them.
func (h *handlers) checkBroker(r *controller.AlterResource) error {
	if r.Name != "" {
		id, err := strconv.ParseInt(r.Name, 10, 32)
		if err != nil {
			return wire.Errorf(wire.InvalidRequest, "Node id must be an integer, but it is: %s", r.Name)
		}
		if int32(id) != h.d.NodeID {
			return wire.Errorf(wire.InvalidRequest, "Unexpected broker id, expected %d, but received %s", h.d.NodeID, r.Name)
		}
	}
	var names []string
	for i := range r.Entries {
		names = append(names, r.Entries[i].Name)
	}
	if err := config.CheckDynamic(names, r.Name != ""); err != nil {
		return wire.Errorf(wire.InvalidRequest, "%w", err)
	}
	for i := range r.Entries {
		e := &r.Entries[i]
		def := config.Lookup(config.ScopeBroker, e.Name)
		if def == nil || e.Value == nil || e.Op != controller.OpSet {
			continue
		}
		normal, err := def.Check(*e.Value)
		if err != nil {
			return wire.Errorf(wire.InvalidRequest, "%w", err)
		}
		if missing := h.unknownCordons(e.Name, normal); missing != "" {
			return wire.Errorf(wire.InvalidRequest, "requirement failed: All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : %s", missing)
		}
		if why := config.Refusal(def, normal); why != "" {
			return wire.Errorf(wire.InvalidRequest, "%s cannot be %s: %s", e.Name, normal, why)
		}
	}
	return nil
}

// unknownCordons lists the directories of cordoned.log.dirs that this node does
// not have (KIP-1066).
func (h *handlers) unknownCordons(name, value string) string {
	if name != "cordoned.log.dirs" || value == "*" || value == "" {
		return ""
	}
	own := strings.Split(h.d.View.String(nil, "log.dirs"), ",")
	for i := range own {
		own[i] = strings.TrimRight(strings.TrimSpace(own[i]), "/")
	}
	var missing []string
	for _, dir := range strings.Split(value, ",") {
		if !slices.Contains(own, strings.TrimSpace(dir)) {
			missing = append(missing, strings.TrimSpace(dir))
		}
	}
	return strings.Join(missing, ", ")
}

// checkTogether looks at a topic's (or group's) settings as they would be
// after the change, where rules hold between them.
func (h *handlers) checkTogether(r *controller.AlterResource, incremental bool) error {
	scope := config.ScopeTopic
	if r.Type == metadata.ResourceGroup {
		scope = config.ScopeGroup
	}
	img := h.d.Cluster.Image()
	after := map[string]string{}
	if incremental {
		for name, value := range img.ConfigOf(scope, r.Name) {
			after[name] = value
		}
	}
	for i := range r.Entries {
		e := &r.Entries[i]
		switch {
		case incremental && e.Op == controller.OpDelete:
			delete(after, e.Name)
		case !incremental || e.Op == controller.OpSet:
			after[e.Name] = *e.Value
		}
	}
	if err := h.d.View.CheckTogether(img, scope, after); err != nil {
		return wire.Errorf(wire.InvalidConfig, "%w", err)
	}
	return nil
}

// fillBases gives append and subtract what they start from.
func (h *handlers) fillBases(r *controller.AlterResource) {
	img := h.d.Cluster.Image()
	for i := range r.Entries {
		e := &r.Entries[i]
		if e.Op != controller.OpAppend && e.Op != controller.OpSubtract {
			continue
		}
		switch r.Type {
		case metadata.ResourceTopic:
			if config.Lookup(config.ScopeTopic, e.Name) != nil {
				e.Base = h.d.View.Topic(img, r.Name, e.Name).Value
			}
		case metadata.ResourceBroker:
			if config.Lookup(config.ScopeBroker, e.Name) != nil {
				e.Base = h.d.View.Broker(img, e.Name).Value
			}
		case metadata.ResourceGroup:
			if config.Lookup(config.ScopeGroup, e.Name) != nil {
				e.Base = h.d.View.Group(img, r.Name, e.Name).Value
			}
		}
	}
}

func (h *handlers) checkLoggers(r *controller.AlterResource) error {
	id, err := strconv.ParseInt(r.Name, 10, 32)
	if err != nil {
		return wire.Errorf(wire.InvalidRequest, "Node id must be an integer, but it is: %s", r.Name)
	}
	if int32(id) != h.d.NodeID {
		return wire.Errorf(wire.InvalidRequest, "Unexpected node id. Expected %d, but received %s", h.d.NodeID, r.Name)
	}
	for i := range r.Entries {
		e := &r.Entries[i]
		switch {
		case e.Op != controller.OpSet && e.Op != controller.OpDelete:
			return wire.Errorf(wire.InvalidRequest, "Loggers have levels, not lists: they can be set and deleted")
		case e.Name != rootLogger || h.d.Level == nil:
			return wire.Errorf(wire.InvalidConfig, "Logger %s does not exist!", e.Name)
		case e.Op == controller.OpSet:
			if _, ok := levelOf(*e.Value); !ok {
				return wire.Errorf(wire.InvalidConfig, "Cannot set the log level of %s to %s as it is not a supported log level. Valid log levels are %s",
					e.Name, *e.Value, "DEBUG, ERROR, FATAL, INFO, TRACE, WARN")
			}
		default:
			return wire.Errorf(wire.InvalidRequest, "Removing the log level of the %s logger is not allowed", rootLogger)
		}
	}
	return nil
}

// alterLoggers sets levels that checkLoggers let in.
func (h *handlers) alterLoggers(r *controller.AlterResource, validateOnly bool) error {
	for i := range r.Entries {
		level, ok := levelOf(*r.Entries[i].Value)
		if !ok {
			return fmt.Errorf("log level %q passed the check", *r.Entries[i].Value)
		}
		if !validateOnly {
			h.d.Level.Set(level)
		}
	}
	return nil
}
