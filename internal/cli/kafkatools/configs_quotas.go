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

// quotaOrder is the order in which the parts of an entity are shown.
var quotaOrder = []string{"user", "client-id", "ip"}

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
		slices.SortFunc(q.Entity, func(a, b kadm.ClientQuotaEntityComponent) int {
			return slices.Index(quotaOrder, a.Type) - slices.Index(quotaOrder, b.Type)
		})
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

// alterQuotas changes quotas, or the credentials of one user.
func alterQuotas(ctx context.Context, c *call, a *kadm.Client, list []entity, set map[string]string, unset []string) error {
	if len(list) == 1 && list[0].kind == "users" && slices.ContainsFunc(append(slices.Collect(maps.Keys(set)), unset...), isSCRAM) {
		return alterCredentials(ctx, c, a, list[0], set, unset)
	}
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

var scramMechanisms = map[string]kadm.ScramMechanism{"SCRAM-SHA-256": kadm.ScramSha256, "SCRAM-SHA-512": kadm.ScramSha512}

func isSCRAM(name string) bool { _, ok := scramMechanisms[name]; return ok }

// scramIterations are those of a credential that names none; Kafka allows no
// fewer.
const scramIterations = 4096

// alterCredentials sets and deletes SCRAM credentials (KIP-554).
func alterCredentials(ctx context.Context, c *call, a *kadm.Client, e entity, set map[string]string, unset []string) error {
	if e.name == "" {
		return words.New("The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using --bootstrap-server.")
	}
	var upserts []kadm.UpsertSCRAM
	var deletes []kadm.DeleteSCRAM
	for _, k := range slices.Sorted(maps.Keys(set)) {
		if !isSCRAM(k) {
			return bothKinds
		}
		u := kadm.UpsertSCRAM{User: e.name, Mechanism: scramMechanisms[k], Iterations: scramIterations}
		for part := range strings.SplitSeq(set[k], ",") {
			name, value, _ := strings.Cut(part, "=")
			switch strings.TrimSpace(name) {
			case "password":
				u.Password = value
			case "iterations":
				n, err := strconv.ParseInt(value, 10, 32)
				if err != nil || n < scramIterations {
					return words.New("Iterations %s is less than the minimum %d required for %s", value, scramIterations, k)
				}
				u.Iterations = int32(n)
			}
		}
		if u.Password == "" {
			return words.New("Invalid credential property %s: it is [iterations=N,password=TEXT]", k)
		}
		upserts = append(upserts, u)
	}
	for _, k := range unset {
		if !isSCRAM(k) {
			return bothKinds
		}
		deletes = append(deletes, kadm.DeleteSCRAM{User: e.name, Mechanism: scramMechanisms[k]})
	}
	answers, err := a.AlterUserSCRAMs(ctx, deletes, upserts)
	if err != nil {
		return words.Of(err, "")
	}
	for _, r := range answers.Sorted() {
		if err := words.Of(r.Err, r.ErrMessage); err != nil {
			return err
		}
	}
	c.completed(e)
	return nil
}

var bothKinds = words.New("Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server.")
