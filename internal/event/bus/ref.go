package bus

import "ottla/internal/event/name"

// Default is the name of the bus that is always there.
const Default = name.DefaultBus

// Ref names a bus. What is empty is the default.
type Ref struct {
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	Name    string `json:"name"`
}

// Full is the name of the object.
func (r Ref) Full() name.Ref { return placed(name.Bus, r.Account, r.Region, or(r.Name, Default)) }

// Filled is the Ref with the default where it says none.
func (r Ref) Filled() Ref { return RefOf(r.Full()) }

// ARN is the bus's Amazon Resource Name.
func (r Ref) ARN() string { return r.Full().ARN() }

// Rule names a rule of the bus.
func (r Ref) Rule(called string) RuleRef { return RuleRef{r.Account, r.Region, r.Name, called} }

// RefOf is the inverse of Full.
func RefOf(r name.Ref) Ref { return Ref{r.Account, r.Region, r.Name} }

// RuleRef names a rule. An empty Account, Region or Bus is the default one.
type RuleRef struct {
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	Bus     string `json:"bus"`
	Name    string `json:"name"`
}

// Full is the name of the object.
func (r RuleRef) Full() name.Ref {
	return placed(name.Rule, r.Account, r.Region, or(r.Bus, Default)+"/"+r.Name)
}

// ARN is the rule's Amazon Resource Name.
func (r RuleRef) ARN() string { return r.Full().ARN() }

// Of is the bus of the rule.
func (r RuleRef) Of() Ref { return Ref{r.Account, r.Region, r.Bus}.Filled() }

// RuleRefOf is the inverse of Full.
func RuleRefOf(r name.Ref) RuleRef {
	owner, own, _ := name.Split(r.Name)
	return RuleRef{r.Account, r.Region, owner, own}
}

// NamedRef names an archive or a replay: the methods that take one say which. An
// empty Account or Region is the default one.
type NamedRef struct{ Account, Region, Name string }

func (r NamedRef) full(kind name.Kind) name.Ref { return placed(kind, r.Account, r.Region, r.Name) }

func placed(kind name.Kind, account, region, called string) name.Ref {
	return name.Ref{Kind: kind, Account: or(account, name.DefaultAccount), Region: or(region, name.DefaultRegion), Name: called}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
