package config

// Scope is what a setting belongs to.
type Scope string

// The scopes, by the names that the registry's table uses.
const (
	ScopeBroker        Scope = "broker"
	ScopeTopic         Scope = "topic"
	ScopeGroup         Scope = "group"
	ScopeClientMetrics Scope = "client-metrics"
	// ScopeQuota are the keys of client quotas: values of users, client ids
	// and addresses, set by AlterClientQuotas and never by a file.
	ScopeQuota Scope = "quota"
)

// Mode tells when a changed broker setting takes effect. Settings of other
// scopes have none: they always act at once.
type Mode string

// Kafka's three update modes (KIP-226).
const (
	ReadOnly    Mode = "read-only"
	PerBroker   Mode = "per-broker"
	ClusterWide Mode = "cluster-wide"
)

// Def declares one setting; everything that shows or checks settings comes
// from these. Definitions are shared and must not be changed.
type Def struct {
	Scope       Scope
	Name        string
	Type        string // boolean, short, int, long, double, string, list, class, password
	Default     string // Kafka's normal form; "" with NullDefault for none
	NullDefault bool
	Valid       string // Kafka's text of the range or the allowed values, "" when any
	Mode        Mode
	// Synonyms are the broker settings that stand behind this one: for a
	// topic or group setting the one that gives the default, and those that
	// give its default in turn (retention.ms, then log.retention.ms, …).
	Synonyms    []string
	Sensitive   bool   // shown to nobody (passwords)
	Acts        bool   // Ottla heeds it; otherwise it is known and harmless
	Refused     bool   // may promise what Ottla cannot keep: start then refuses it, see Refusal
	Own         bool   // Ottla's own, not Kafka's
	Required    bool   // Kafka will not start without it (Ottla will)
	DynamicOnly bool   // exists at run time only, never in a file
	Doc         string // one sentence

	check checker // the parsed Valid, nil when any value of the type will do
}

// Help is Doc, and says so where the setting has no effect.
func (d *Def) Help() string {
	if d.Acts {
		return d.Doc
	}
	return d.Doc + " Known, but without effect here."
}

// Dynamic tells whether the setting can be changed while the node runs, for
// the cluster or for one broker.
func (d *Def) Dynamic() bool { return d.Scope != ScopeBroker || d.Mode != ReadOnly }
