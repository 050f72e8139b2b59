package metadata

import "ottla/internal/config"

var _ config.Dynamic = (*Image)(nil)

// ConfigOf implements config.Dynamic: the overrides that config's views put
// above what a node was started with. Not to be changed.
func (i *Image) ConfigOf(s config.Scope, name string) map[string]string {
	switch s {
	case config.ScopeTopic:
		return i.Config(ResourceTopic, name)
	case config.ScopeBroker:
		return i.Config(ResourceBroker, name)
	case config.ScopeGroup:
		return i.Config(ResourceGroup, name)
	case config.ScopeClientMetrics:
		return i.Config(ResourceClientMetrics, name)
	}
	return nil
}
