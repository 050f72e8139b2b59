package kafkatools

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/kafkatools/words"
)

// describeResources shows the settings of one entity, or of all of its kind.
func describeResources(ctx context.Context, c *call, client *kgo.Client, a *kadm.Client, e entity) error {
	names := []string{e.name}
	existing, err := existingResources(ctx, a, e.kind)
	if err != nil {
		return err
	}
	if !e.named {
		names = existing
	}
	if e.named && e.kind == "groups" && !slices.Contains(existing, e.name) {
		groups, err := a.ListGroups(ctx)
		if err != nil {
			return words.Of(err, "")
		}
		existing = append(existing, groups.Groups()...) // known without a setting of its own
	}
	for _, name := range names {
		switch {
		case e.named && name != "" && !slices.Contains(existing, name) && !strings.HasPrefix(e.kind, "broker"):
			c.printf("The %s '%s' doesn't exist and doesn't have dynamic config.\n", e.kind[:len(e.kind)-1], name)
			continue
		case name == "":
			c.printf("Default configs for %s in the cluster are:\n", e.kind)
		case c.has("all"):
			c.printf("All configs for %s %s are:\n", e.kind[:len(e.kind)-1], name)
		default:
			c.printf("Dynamic configs for %s %s are:\n", e.kind[:len(e.kind)-1], name)
		}
		found, err := describeConfigs(ctx, client, resourceTypes[e.kind].resource, name)
		if err != nil {
			return err
		}
		dynamic := resourceTypes[e.kind].dynamic
		if e.kind == "brokers" && name == "" {
			dynamic = kmsg.ConfigSourceDynamicDefaultBrokerConfig
		}
		for _, s := range found {
			if c.has("all") || dynamic == 0 || s.Source == dynamic {
				c.printf("  %s\n", settingLine(s))
			}
		}
	}
	return nil
}

// existingResources lists the entities of a kind that there are; the default
// broker ("") is the last broker.
func existingResources(ctx context.Context, a *kadm.Client, kind string) ([]string, error) {
	switch kind {
	case "topics":
		topics, err := a.ListTopicsWithInternal(ctx)
		if err != nil {
			return nil, words.Of(err, "")
		}
		return topics.Names(), nil
	case "brokers", "broker-loggers":
		brokers, err := a.ListBrokers(ctx)
		if err != nil {
			return nil, words.Of(err, "")
		}
		var out []string
		for _, b := range brokers {
			out = append(out, strconv.Itoa(int(b.NodeID)))
		}
		return append(out, ""), nil
	}
	listed, err := a.ListConfigResources(ctx, resourceTypes[kind].resource)
	if err == nil {
		err = listed.Err
	}
	if err != nil {
		return nil, words.Of(err, "")
	}
	var out []string
	for _, r := range listed.Sorted() {
		out = append(out, r.Name)
	}
	return out, nil
}

type setting = kmsg.DescribeConfigsResponseResourceConfig

func describeConfigs(ctx context.Context, client *kgo.Client, kind kmsg.ConfigResourceType, name string) ([]setting, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	r := kmsg.NewDescribeConfigsRequestResource()
	r.ResourceType, r.ResourceName = kind, name
	req.Resources, req.IncludeSynonyms = append(req.Resources, r), true
	var out []setting
	for _, shard := range client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return nil, words.Of(shard.Err, "")
		}
		for _, r := range shard.Resp.(*kmsg.DescribeConfigsResponse).Resources {
			if err := words.Of(kerr.ErrorForCode(r.ErrorCode), orEmpty(r.ErrorMessage)); err != nil {
				return nil, err
			}
			out = append(out, r.Configs...)
		}
	}
	slices.SortFunc(out, func(a, b setting) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// sources are Kafka's names for where a value comes from.
var sources = map[kmsg.ConfigSource]string{
	1: "DYNAMIC_TOPIC_CONFIG", 2: "DYNAMIC_BROKER_CONFIG", 3: "DYNAMIC_DEFAULT_BROKER_CONFIG", 4: "STATIC_BROKER_CONFIG",
	5: "DEFAULT_CONFIG", 6: "DYNAMIC_BROKER_LOGGER_CONFIG", 7: "DYNAMIC_CLIENT_METRICS_CONFIG", 8: "DYNAMIC_GROUP_CONFIG",
}

func settingLine(s setting) string {
	var synonyms []string
	for _, y := range s.ConfigSynonyms {
		synonyms = append(synonyms, fmt.Sprintf("%s:%s=%s", sources[y.Source], y.Name, orNull(y.Value)))
	}
	return fmt.Sprintf("%s=%s sensitive=%t synonyms={%s}", s.Name, orNull(s.Value), s.IsSensitive, strings.Join(synonyms, ", "))
}

func orNull(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}
