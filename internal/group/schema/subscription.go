package schema

import "fmt"

// ParseSubscription reads the topics out of a consumer's subscription, which
// is what members of protocol type "consumer" send as metadata. All its
// versions begin alike: a version, then the topics.
func ParseSubscription(b []byte) ([]string, error) {
	r := reader{b: b}
	if version := r.int16(); r.err == nil && version < 0 {
		return nil, fmt.Errorf("subscription of version %d", version)
	}
	n := r.count(false, 2)
	topics := make([]string, 0, n)
	for range n {
		topics = append(topics, r.text(false))
	}
	if r.err != nil {
		return nil, fmt.Errorf("subscription of %d bytes: %w", len(b), r.err)
	}
	return topics, nil
}
