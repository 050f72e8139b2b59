package topics

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// DescribeConfigs (32), versions 1 to 4.
//
//	v1  synonyms and sources (KIP-226)
//	v3  types and documentation (KIP-569)
//	v4  flexible
//
// Resource types: 2 topic, 4 broker (this one, or "" for the cluster-wide
// values), 8 this broker's loggers, 16 client metrics, 32 group. Secrets are
// never shown.
func (h *handlers) describeConfigs() api.API {
	return api.Row(1, 4, h.serveDescribeConfigs,
		"Documentation is in Ottla's words and says whether a setting acts here.",
		"Settings come in order of name; Kafka's order is that of a hash table.",
		"There is one broker logger, root.")
}

// errUnknownTopic has no message, as Kafka's answer.
var errUnknownTopic = &wire.Error{Code: wire.UnknownTopicOrPartition}

func (h *handlers) serveDescribeConfigs(_ context.Context, _ *api.Conn, req *kmsg.DescribeConfigsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
	img := h.d.Cluster.Image()
	for i := range req.Resources {
		q := &req.Resources[i]
		r := kmsg.NewDescribeConfigsResponseResource()
		r.ResourceType, r.ResourceName = q.ResourceType, q.ResourceName
		rows, err := h.describeResource(img, q, newDescriber(req, q.ConfigNames))
		r.Configs, r.ErrorCode = rows, int16(wire.CodeOf(err))
		r.ErrorMessage = kmsg.StringPtr(wire.MessageOf(err))
		resp.Resources = append(resp.Resources, r)
	}
	return resp, nil
}

type configRows = []kmsg.DescribeConfigsResponseResourceConfig

func (h *handlers) describeResource(img *metadata.Image, q *kmsg.DescribeConfigsRequestResource, d describer) (configRows, error) {
	switch q.ResourceType {
	case metadata.ResourceTopic:
		if err := controller.CheckTopicName(q.ResourceName); err != nil {
			return nil, err
		}
		if img.TopicByName(q.ResourceName) == nil {
			return nil, errUnknownTopic
		}
		return h.scopeRows(config.ScopeTopic, d, func(name string) config.Value {
			return h.d.View.Topic(img, q.ResourceName, name)
		}), nil
	case metadata.ResourceBroker:
		return h.describeBroker(img, q.ResourceName, d)
	case resourceLogger:
		return h.describeLoggers(q.ResourceName, d)
	case metadata.ResourceClientMetrics:
		if q.ResourceName == "" {
			return nil, wire.Errorf(wire.InvalidRequest, "Client metrics subscription name must not be empty")
		}
		return h.scopeRows(config.ScopeClientMetrics, d, func(name string) config.Value {
			return h.d.View.ClientMetrics(img, q.ResourceName, name)
		}), nil
	case metadata.ResourceGroup:
		if q.ResourceName == "" {
			return nil, wire.Errorf(wire.InvalidRequest, "Group name must not be empty")
		}
		return h.scopeRows(config.ScopeGroup, d, func(name string) config.Value {
			return h.d.View.Group(img, q.ResourceName, name)
		}), nil
	}
	return nil, wire.InvalidRequest
}

func (h *handlers) scopeRows(s config.Scope, d describer, value func(name string) config.Value) configRows {
	var out configRows
	for _, def := range config.All(s) {
		if d.wants(def.Name) {
			out = append(out, d.row(value(def.Name)))
		}
	}
	return out
}

func (h *handlers) describeBroker(img *metadata.Image, name string, d describer) (configRows, error) {
	if name == "" {
		return h.describeClusterWide(img, d), nil
	}
	id, err := strconv.ParseInt(name, 10, 32)
	if err != nil {
		return nil, wire.Errorf(wire.InvalidRequest, "Broker id must be an integer, but it is: %s", name)
	}
	if int32(id) != h.d.NodeID {
		return nil, wire.Errorf(wire.InvalidRequest, "Unexpected broker id, expected %d or empty string, but received %s", h.d.NodeID, name)
	}
	var out configRows
	for _, def := range config.All(config.ScopeBroker) {
		if !d.wants(def.Name) {
			continue
		}
		v := h.d.View.Broker(img, def.Name)
		if listed(def, v.Source != config.SourceDefault) {
			out = append(out, d.row(v))
		}
	}
	own, cluster := img.ConfigOf(config.ScopeBroker, name), img.ConfigOf(config.ScopeBroker, "")
	out = append(out, unknownRows(d, own, config.SourceDynamicBroker, nil)...)
	return append(out, unknownRows(d, cluster, config.SourceDynamicDefault, own)...), nil
}

// unknownRows shows overrides without a definition, but for those in covered.
func unknownRows(d describer, values map[string]string, source config.Source, covered map[string]string) configRows {
	var out configRows
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, twice := covered[name]; !twice && config.Lookup(config.ScopeBroker, name) == nil && d.wants(name) {
			out = append(out, d.unknownRow(name, source))
		}
	}
	return out
}

// describeClusterWide lists what is set for all brokers, and nothing below it.
func (h *handlers) describeClusterWide(img *metadata.Image, d describer) configRows {
	var out configRows
	values := img.ConfigOf(config.ScopeBroker, "")
	for _, name := range slices.Sorted(maps.Keys(values)) {
		def := config.Lookup(config.ScopeBroker, name)
		if def == nil || !d.wants(name) {
			continue
		}
		link := config.Origin{Name: name, Value: values[name], Null: def.Sensitive, Source: config.SourceDynamicDefault}
		out = append(out, d.row(config.Value{Def: def, Value: values[name], Source: link.Source, Chain: []config.Origin{link}}))
	}
	return append(out, unknownRows(d, values, config.SourceDynamicDefault, nil)...)
}

// resourceLogger is the type of broker loggers (KIP-412), which live in the
// node and not in the metadata.
const resourceLogger = 8

// rootLogger is the one logger there is.
const rootLogger = "root"

func (h *handlers) describeLoggers(name string, d describer) (configRows, error) {
	if name == "" {
		return nil, wire.Errorf(wire.InvalidRequest, "Broker id must not be empty")
	}
	id, err := strconv.ParseInt(name, 10, 32)
	if err != nil {
		return nil, wire.Errorf(wire.InvalidRequest, "Broker id must be an integer, but it is: %s", name)
	}
	if int32(id) != h.d.NodeID {
		return nil, wire.Errorf(wire.InvalidRequest, "Unexpected broker id, expected %d but received %s", h.d.NodeID, name)
	}
	if h.d.Level == nil || !d.wants(rootLogger) {
		return nil, nil
	}
	r := kmsg.NewDescribeConfigsResponseResourceConfig()
	r.Name, r.Value = rootLogger, kmsg.StringPtr(levelName(h.d.Level.Level()))
	r.Source = kmsg.ConfigSource(config.SourceDynamicLogger)
	return configRows{r}, nil
}

// levelName is a level by Kafka's names.
func levelName(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "DEBUG"
	case l < slog.LevelWarn:
		return "INFO"
	case l < slog.LevelError:
		return "WARN"
	}
	return "ERROR"
}

// levelOf reads Kafka's names; slog has no TRACE and no FATAL, so those mean
// the nearest there is.
func levelOf(name string) (slog.Level, bool) {
	switch name {
	case "TRACE", "DEBUG":
		return slog.LevelDebug, true
	case "INFO":
		return slog.LevelInfo, true
	case "WARN":
		return slog.LevelWarn, true
	case "ERROR", "FATAL":
		return slog.LevelError, true
	}
	return 0, false
}
