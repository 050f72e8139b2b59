package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/kafkatools/settings"
	"ottla/internal/cli/kafkatools/words"
)

// entityFlags are the options that name an entity's type and name in one; those
// that end in -defaults name the default entity.
var entityFlags = map[string]string{
	"topic": "topics", "client": "clients", "user": "users", "broker": "brokers", "broker-logger": "broker-loggers",
	"ip": "ips", "client-metrics": "client-metrics", "group": "groups",
	"client-defaults": "clients", "user-defaults": "users", "broker-defaults": "brokers", "ip-defaults": "ips",
}

// entityTypes in the order in which Kafka lists them.
var entityTypes = []string{"topics", "clients", "users", "brokers", "ips", "client-metrics", "groups", "broker-loggers"}

// resourceTypes are the entity types whose settings are resources of
// DescribeConfigs, and what marks a setting there as dynamic.
var resourceTypes = map[string]struct {
	resource kmsg.ConfigResourceType
	dynamic  kmsg.ConfigSource // 0: all are shown
}{
	"topics": {kmsg.ConfigResourceTypeTopic, kmsg.ConfigSourceDynamicTopicConfig}, "brokers": {kmsg.ConfigResourceTypeBroker, kmsg.ConfigSourceDynamicBrokerConfig},
	"broker-loggers": {kmsg.ConfigResourceTypeBrokerLogger, 0}, "client-metrics": {kmsg.ConfigResourceType(16), 7}, "groups": {kmsg.ConfigResourceType(32), 8},
}

func configsTool() *tool {
	return &tool{
		name: "kafka-configs", about: "Show and change the settings of topics, brokers, groups, clients and users.",
		options: append(bootstrapOptions(false),
			option{name: "describe", help: "show settings"},
			option{name: "alter", help: "change settings"},
			option{name: "all", help: "show every setting, not only those set"},
			option{name: "add-config", arg: "K=V,...", help: "set these; a value with commas stands in [ ]"},
			option{name: "add-config-file", arg: "FILE", help: "set what a properties file holds"},
			option{name: "delete-config", arg: "K,...", help: "let these fall back to their defaults"},
			option{name: "entity-type", arg: "TYPE", many: true, help: "topics, clients, users, brokers, broker-loggers, ips, client-metrics or groups"},
			option{name: "entity-name", arg: "NAME", many: true, help: "name of the entity of the type before it"},
			option{name: "entity-default", many: true, help: "the default entity of the type before it"},
			option{name: "bootstrap-controller", arg: "HOST:PORT", help: "as --bootstrap-server: a node of ours is both"},
			option{name: "topic", arg: "NAME", help: "a topic"}, option{name: "client", arg: "ID", help: "a client id"},
			option{name: "client-defaults", help: "the defaults of clients"}, option{name: "user", arg: "NAME", help: "a user"},
			option{name: "user-defaults", help: "the defaults of users"}, option{name: "broker", arg: "ID", help: "a broker"},
			option{name: "broker-defaults", help: "the defaults of brokers"}, option{name: "broker-logger", arg: "ID", help: "the loggers of a broker"},
			option{name: "ip", arg: "ADDRESS", help: "a client address"}, option{name: "ip-defaults", help: "the defaults of addresses"},
			option{name: "client-metrics", arg: "NAME", help: "a subscription of client metrics"}, option{name: "group", arg: "ID", help: "a group"},
		),
		check: checkConfigs, run: runConfigs,
		failed: func(c *call, err error) {
			var k *kerr.Error
			if !errors.As(err, &k) && !words.TooOld(err) {
				fmt.Fprintln(c.err, err)
				return
			}
			fmt.Fprintf(c.err, "Error while executing config command with args '%s'\n%s\n", strings.Join(c.args, " "), words.WithClass(err, err.Error()))
		},
	}
}

// entity is what settings belong to.
type entity struct {
	kind, name string
	named      bool // a name, or the default entity (name is ""), was given
}

// entities reads the entity options in their order.
func (c *call) entities() []entity {
	var out []entity
	next := map[string]int{}
	for _, flag := range c.order {
		value := ""
		if v := c.given[flag]; next[flag] < len(v) {
			value = v[next[flag]]
			next[flag]++
		}
		switch kind, short := entityFlags[flag]; {
		case short:
			out = append(out, entity{kind, value, true})
		case flag == "entity-type":
			out = append(out, entity{kind: value})
		case flag == "entity-name" || flag == "entity-default":
			for i := range out {
				if !out[i].named {
					out[i].name, out[i].named = value, true
					break
				}
			}
		}
	}
	return out
}

func checkConfigs(c *call) error {
	if c.has("describe") == c.has("alter") {
		return usagef("Command must include exactly one action: --describe, --alter")
	}
	for _, o := range []string{"add-config", "delete-config"} {
		if c.has("describe") && c.has(o) {
			return usagef("Option \"[describe]\" can't be used with option \"[%s]\"", o)
		}
	}
	list := c.entities()
	if err := checkEntities(c, list); err != nil {
		return err
	}
	if c.has("alter") {
		return checkAlter(c, list)
	}
	return nil
}

func checkEntities(c *call, list []entity) error {
	var kinds []string
	for _, e := range list {
		if slices.Contains(kinds, e.kind) {
			return words.New("Duplicate entity type(s) specified: %s", e.kind)
		}
		if !slices.Contains(entityTypes, e.kind) {
			return words.New("Invalid entity type %s, the entity type must be one of %s with a --bootstrap-server or --bootstrap-controller argument", e.kind, strings.Join(entityTypes, ", "))
		}
		kinds = append(kinds, e.kind)
		if _, err := strconv.Atoi(e.name); strings.HasPrefix(e.kind, "broker") && e.name != "" && err != nil {
			return words.New("The entity name for %s must be a valid integer broker id, but it is: %s", e.kind, e.name)
		}
		if c.has("describe") && c.has("entity-default") && !slices.Contains([]string{"users", "clients", "brokers", "ips"}, e.kind) {
			return words.New("--entity-default must not be specified with --describe of %s", e.kind)
		}
		if c.has("describe") && e.kind == "broker-loggers" && e.name == "" {
			return words.New("An entity name must be specified with --describe of %s", e.kind)
		}
	}
	short := slices.ContainsFunc(slices.Collect(maps.Keys(entityFlags)), c.has)
	switch {
	case len(list) == 0:
		return words.New("At least one entity type must be specified")
	case len(list) > 1 && !(len(list) == 2 && slices.Contains(kinds, "users") && slices.Contains(kinds, "clients")):
		return words.New("Only 'users' and 'clients' entity types may be specified together")
	case short && c.any("entity-type", "entity-name", "entity-default"):
		return words.New("--entity-{type,name,default} should not be used in conjunction with specific entity flags")
	case !c.any("bootstrap-server", "bootstrap-controller"):
		return words.New("One of the required --bootstrap-server or --bootstrap-controller arguments must be specified")
	case c.has("bootstrap-server") && c.has("bootstrap-controller"):
		return words.New("Only one of --bootstrap-server or --bootstrap-controller can be specified")
	}
	return nil
}

func checkAlter(c *call, list []entity) error {
	for _, e := range list {
		switch {
		case e.named && e.name != "":
		case !slices.Contains([]string{"users", "clients", "brokers", "ips"}, e.kind):
			return words.New("An entity name must be specified with --alter of %s", e.kind)
		case !e.named:
			return words.New("An entity-name or default entity must be specified with --alter of users, clients, brokers or ips")
		}
	}
	switch {
	case c.has("add-config") && c.has("add-config-file"):
		return words.New("Only one of --add-config or --add-config-file must be specified")
	case !c.any("add-config", "add-config-file", "delete-config"):
		return words.New("At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter")
	}
	return nil
}

func runConfigs(ctx context.Context, c *call) error {
	var set map[string]string
	var unset []string
	if c.has("alter") {
		var err error
		if set, unset, err = c.changes(); err != nil {
			return err
		}
	}
	if c.has("bootstrap-controller") {
		c.given["bootstrap-server"] = c.given["bootstrap-controller"]
	}
	a, client, err := c.admin(ctx, "kafka-configs")
	if err != nil {
		return err
	}
	defer client.Close()
	list := c.entities()
	_, resource := resourceTypes[list[0].kind]
	switch {
	case resource && c.has("alter"):
		return alterResource(ctx, c, client, list[0], set, unset)
	case resource:
		return describeResources(ctx, c, client, a, list[0])
	case c.has("alter"):
		return alterQuotas(ctx, c, a, list, set, unset)
	}
	return describeQuotas(ctx, c, a, list)
}

// changes reads --add-config (commas inside [ ] belong to the value),
// --add-config-file and --delete-config.
func (c *call) changes() (set map[string]string, unset []string, err error) {
	set = map[string]string{}
	if path := c.value("add-config-file", ""); path != "" {
		p, err := settings.Read(path)
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(set, p)
	}
	if list := c.value("add-config", ""); list != "" {
		for _, kv := range splitOutsideBrackets(list) {
			k, v, ok := strings.Cut(kv, "=")
			if !ok {
				return nil, nil, words.New("requirement failed: Invalid entity config: all configs to be added must be in the format \"key=val\" or  \"key=[val1,val2]\" to group values which contain commas.")
			}
			set[strings.TrimSpace(k)] = strings.TrimSpace(strings.NewReplacer("[", "", "]", "").Replace(v))
		}
	}
	for name := range strings.SplitSeq(c.value("delete-config", ""), ",") {
		if name = strings.TrimSpace(name); name != "" {
			unset = append(unset, name)
		}
	}
	return set, unset, nil
}

func splitOutsideBrackets(list string) []string {
	var out []string
	depth, begin := 0, 0
	for i, r := range list {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case r == ',' && depth <= 0:
			out = append(out, list[begin:i])
			begin = i + 1
		}
	}
	return append(out, list[begin:])
}

func alterResource(ctx context.Context, c *call, client *kgo.Client, e entity, set map[string]string, unset []string) error {
	if e.kind == "broker-loggers" {
		if err := checkLoggers(ctx, client, e, append(slices.Sorted(maps.Keys(set)), unset...)); err != nil {
			return err
		}
	}
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = resourceTypes[e.kind].resource, e.name
	for _, k := range slices.Sorted(maps.Keys(set)) {
		v := set[k]
		s := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		s.Name, s.Op, s.Value = k, kmsg.IncrementalAlterConfigOpSet, &v
		r.Configs = append(r.Configs, s)
	}
	for _, k := range unset {
		s := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		s.Name, s.Op = k, kmsg.IncrementalAlterConfigOpDelete
		r.Configs = append(r.Configs, s)
	}
	req.Resources = append(req.Resources, r)
	for _, shard := range client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return words.Of(shard.Err, "")
		}
		for _, r := range shard.Resp.(*kmsg.IncrementalAlterConfigsResponse).Resources {
			if err := words.Of(kerr.ErrorForCode(r.ErrorCode), orEmpty(r.ErrorMessage)); err != nil {
				return err
			}
		}
	}
	c.completed(e)
	return nil
}

// checkLoggers refuses loggers that the broker does not have, before it is
// asked for a change.
func checkLoggers(ctx context.Context, client *kgo.Client, e entity, names []string) error {
	found, err := describeConfigs(ctx, client, resourceTypes[e.kind].resource, e.name)
	if err != nil {
		return err
	}
	unknown := slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(found, func(s setting) bool { return s.Name == name })
	})
	if len(unknown) > 0 {
		return words.New("Invalid broker logger(s): %s", strings.Join(unknown, ","))
	}
	return nil
}

func (c *call) completed(e entity) {
	if e.name == "" {
		c.printf("Completed updating default config for %s in the cluster.\n", e.kind)
		return
	}
	c.printf("Completed updating config for %s %s.\n", e.kind[:len(e.kind)-1], e.name)
}
