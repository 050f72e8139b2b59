package topics

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
)

// typeNumbers are DescribeConfigs' numbers of types (KIP-569).
var typeNumbers = map[string]kmsg.ConfigType{
	"boolean": 1, "string": 2, "int": 3, "short": 4, "long": 5, "double": 6, "list": 7, "class": 8, "password": 9,
}

// shown is a value as clients see it: nil for null and for secrets.
func shown(v config.Value) *string {
	if v.Null || v.Def.Sensitive {
		return nil
	}
	return &v.Value
}

// describer makes DescribeConfigs' rows as one request wants them.
type describer struct {
	synonyms, documentation bool
	only                    map[string]bool // nil: all
}

func newDescriber(req *kmsg.DescribeConfigsRequest, names []string) describer {
	d := describer{synonyms: req.IncludeSynonyms, documentation: req.IncludeDocumentation}
	if len(names) > 0 {
		d.only = make(map[string]bool, len(names))
		for _, n := range names {
			d.only[n] = true
		}
	}
	return d
}

func (d describer) wants(name string) bool { return d.only == nil || d.only[name] }

func (d describer) row(v config.Value) kmsg.DescribeConfigsResponseResourceConfig {
	r := kmsg.NewDescribeConfigsResponseResourceConfig()
	r.Name, r.Value = v.Def.Name, shown(v)
	r.ReadOnly, r.IsSensitive = !v.Def.Dynamic(), v.Def.Sensitive
	r.Source, r.IsDefault = kmsg.ConfigSource(v.Source), v.Source == config.SourceDefault
	r.ConfigType = typeNumbers[v.Def.Type]
	if d.documentation {
		r.Documentation = kmsg.StringPtr(v.Def.Help())
	}
	if d.synonyms {
		r.ConfigSynonyms = synonymRows(v.Chain)
	}
	return r
}

func synonymRows(chain []config.Origin) []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym {
	var out []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym
	for i := range chain {
		s := kmsg.NewDescribeConfigsResponseResourceConfigConfigSynonym()
		s.Name, s.Source = chain[i].Name, kmsg.ConfigSource(chain[i].Source)
		if !chain[i].Null {
			s.Value = &chain[i].Value
		}
		out = append(out, s)
	}
	return out
}

// unknownRow shows an override that no setting has a name for: as in Kafka it
// may hold a secret, so its value is withheld.
func (d describer) unknownRow(name string, source config.Source) kmsg.DescribeConfigsResponseResourceConfig {
	v := config.Value{Def: &config.Def{Scope: config.ScopeBroker, Name: name, Mode: config.ReadOnly, Sensitive: true}, Source: source}
	v.Chain = []config.Origin{{Name: name, Null: true, Source: source}}
	return d.row(v)
}

// listed tells whether a broker's description has a setting by itself. Those
// that exist at run time only, and those of a remote-storage plug-in, appear
// once they are set, as in Kafka.
func listed(def *config.Def, set bool) bool {
	return set || !def.DynamicOnly && !strings.HasPrefix(def.Name, "rlmm.config.")
}
