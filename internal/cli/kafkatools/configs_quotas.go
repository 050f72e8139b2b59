package kafkatools

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/kafkatools/words"
)

// quotaEntities are the protocol's words for the entity types of quotas, and
// what Kafka calls them in output.
var quotaEntities = map[string]struct{ kind, shown string }{
	"users": {"user", "user-principal"}, "clients": {"client-id", "client-id"}, "ips": {"ip", "ip"},
}

// quotaKeys are the quotas there are, by entity type (KIP-13, KIP-599, KIP-612).
var quotaKeys = map[string][]string{
	"users":   {"producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate"},
	"clients": {"producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate"},
	"ips":     {"connection_creation_rate"},
}

func describeQuotas(ctx context.Context, c *call, a *kadm.Client, list []entity) error {
	var filter []kadm.DescribeClientQuotaComponent
	for _, e := range list {
		f := kadm.DescribeClientQuotaComponent{Type: quotaEntities[e.kind].kind, MatchType: kmsg.QuotasMatchTypeAny}
		switch {
		case e.named && e.name == "":
			f.MatchType = kmsg.QuotasMatchTypeDefault
		case e.named:
			f.MatchType, f.MatchName = kmsg.QuotasMatchTypeExact, &e.name
		}
		filter = append(filter, f)
	}
	quotas, err := a.DescribeClientQuotas(ctx, true, filter)
	if err != nil {
		return words.Of(err, "")
	}
	for _, q := range quotas {
		var of, values []string
		for _, e := range q.Entity {
			shown := e.Type
			if e.Type == "user" {
				shown = "user-principal"
			}
			if e.Name == nil {
				of = append(of, "the default "+shown)
			} else {
				of = append(of, fmt.Sprintf("%s '%s'", shown, *e.Name))
			}
		}
		for _, v := range q.Values {
			values = append(values, v.Key+"="+words.JavaDouble(v.Value))
		}
		c.printf("Quota configs for %s are %s\n", strings.Join(of, ", "), strings.Join(values, ", "))
	}
	if len(list) == 1 && list[0].kind == "users" && (!list[0].named || list[0].name != "") {
		return describeCredentials(ctx, c, a, list[0])
	}
	return nil
}

// describeCredentials shows SCRAM credentials, without their secrets (KIP-554).
func describeCredentials(ctx context.Context, c *call, a *kadm.Client, e entity) error {
	var users []string
	if e.named {
		users = append(users, e.name)
	}
	found, err := a.DescribeUserSCRAMs(ctx, users...)
	if err != nil {
		return words.Of(err, "")
	}
	for _, u := range found.Sorted() {
		if u.Err != nil {
			if !e.named {
				c.printf("Error retrieving SCRAM credential configs for user-principal '%s': %s\n", u.User, words.WithClass(u.Err, u.ErrMessage))
			}
			continue
		}
		var credentials []string
		for _, i := range u.CredInfos {
			credentials = append(credentials, fmt.Sprintf("%s=iterations=%d", i.Mechanism, i.Iterations))
		}
		c.printf("SCRAM credential configs for user-principal '%s' are %s\n", u.User, strings.Join(credentials, ", "))
	}
	return nil
}

func alterQuotas(ctx context.Context, c *call, a *kadm.Client, list []entity, set map[string]string, unset []string) error {
	entry := kadm.AlterClientQuotaEntry{}
	for _, e := range list {
		component := kadm.ClientQuotaEntityComponent{Type: quotaEntities[e.kind].kind}
		if e.name != "" {
			component.Name = &e.name
		}
		entry.Entity = append(entry.Entity, component)
	}
	known := quotaKeys[list[0].kind]
	for _, k := range slices.Sorted(maps.Keys(set)) {
		v, err := strconv.ParseFloat(set[k], 64)
		switch {
		case strings.HasPrefix(k, "SCRAM-"):
			return words.New("%s: SCRAM credentials are not altered by this tool yet", k)
		case !slices.Contains(known, k):
			return words.New("Only quota configs can be added for '%s' using --bootstrap-server. Unexpected config names: %s", list[0].kind, k)
		case err != nil:
			return words.New("Cannot parse quota configuration value for %s: %s", k, set[k])
		}
		entry.Ops = append(entry.Ops, kadm.AlterClientQuotaOp{Key: k, Value: v})
	}
	for _, k := range unset {
		if !slices.Contains(known, k) {
			return words.New("Only quota configs can be deleted for '%s' using --bootstrap-server. Unexpected config names: %s", list[0].kind, k)
		}
		entry.Ops = append(entry.Ops, kadm.AlterClientQuotaOp{Key: k, Remove: true})
	}
	answers, err := a.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{entry})
	if err != nil {
		return words.Of(err, "")
	}
	for _, r := range answers {
		if err := words.Of(r.Err, r.ErrMessage); err != nil {
			return err
		}
	}
	c.completed(list[0])
	return nil
}
