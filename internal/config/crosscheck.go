package config

import (
	"fmt"
)

// crossCheck looks at settings that must fit together.
func crossCheck(s *Static) Mistakes {
	var out Mistakes
	if _, _, err := s.Listeners(); err != nil {
		if m, ok := err.(*Mistake); ok {
			out = append(out, m)
		}
	}
	out = append(out, topicDefaults(s)...)
	node, hasNode := s.Get("node.id")
	if id, ok := s.Get("broker.id"); ok && hasNode && id != node && id != "-1" {
		at, _ := s.Origin("broker.id")
		out = append(out, &Mistake{At: at, What: fmt.Sprintf("broker.id is %s but node.id is %s; they are the same thing, set node.id alone", id, node)})
	}
	return out
}

// topicDefaults wants the broker's settings to be good as the defaults of
// topics' own, whose ranges are narrower here and there: log.roll.ms may be 0
// for all that Kafka says of it, segment.ms may not.
func topicDefaults(s *Static) Mistakes {
	var out Mistakes
	v := &View{Static: s}
	for _, def := range All(ScopeTopic) {
		if len(def.Synonyms) == 0 {
			continue
		}
		value, null := v.effective(brokerMaps{}, must(ScopeBroker, def.Synonyms[0]))
		if null {
			continue
		}
		if _, err := def.Check(value); err == nil {
			continue
		}
		for _, name := range def.Synonyms {
			if at, ok := s.Origin(name); ok {
				given, _ := s.Get(name)
				out = append(out, &Mistake{At: at, What: fmt.Sprintf("%s is %q, which makes %s %s; that must be %s", name, given, def.Name, value, def.want(false))})
				break
			}
		}
	}
	return out
}
