package consumer

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"

	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// Bounds of a regular expression: how long its text may be, and how large the
// machine that it becomes. Both are far above what selects topics by name.
const (
	maxRegexText = 4096
	maxRegexSize = 20_000
)

// resolvedRegex is a regular expression with the topics that it matches.
type resolvedRegex struct {
	regex  string
	topics []string
}

// compile makes a regular expression that matches whole names, or tells why
// not (RE2's syntax).
func compile(text string) (*regexp.Regexp, error) {
	bad := func(why string) error {
		return wire.Errorf(wire.InvalidRegularExpression, "SubscribedTopicRegex `%s` is not a valid regular expression: %s.", text, why)
	}
	if len(text) > maxRegexText {
		return nil, wire.Errorf(wire.InvalidRegularExpression, "SubscribedTopicRegex has %d bytes, it may have %d.", len(text), maxRegexText)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		if e, ok := errors.AsType[*syntax.Error](err); ok {
			return nil, bad(e.Code.String())
		}
		return nil, bad(err.Error())
	}
	if sizeOf(parsed, maxRegexSize) > maxRegexSize {
		return nil, bad("it repeats more than can be looked up")
	}
	re, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		return nil, bad(err.Error())
	}
	return re, nil
}

// sizeOf is about how many instructions a regular expression becomes; it stops
// counting above a limit.
func sizeOf(re *syntax.Regexp, limit int) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		if n += sizeOf(sub, limit); n > limit {
			return n
		}
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return n
}

// changeRegex looks at what a member reads by: the last reader of an
// expression takes its topics with it, a new expression must be a good one.
// The target follows at once where it is known what the expression stands for.
func (e *edit) changeRegex(old, m *member) (subscription, error) {
	was, is := old.regex(), m.regex()
	if was == is {
		return subscription{}, nil
	}
	if is != "" && e.g.readers[is] == 0 {
		if _, err := compile(is); err != nil {
			return subscription{}, err
		}
	}
	_, known := e.g.regexes[is]
	known = known && e.g.readers[is] > 0
	e.dropRegex(was, 1)
	return subscription{any: true, bump: known || is == ""}, nil
}

// dropRegex writes the end of an expression when so many of its readers, who
// are about to go, are all that it has.
func (e *edit) dropRegex(regex string, readers int) {
	if _, ok := e.g.regexes[regex]; ok && e.g.readers[regex] <= readers {
		e.write(schema.ConsumerRegex, regex, nil)
	}
}

// resolve begins to look up what the group's expressions stand for, beside the
// shard, when some are not known or the topics have changed. One look at a
// time is enough.
func (e *edit) resolve() {
	g := e.g
	if len(g.readers) == 0 || g.resolving {
		return
	}
	var list []string
	unknown := e.outdated()
	for regex := range g.readers {
		list = append(list, regex)
		if _, ok := g.regexes[regex]; !ok {
			unknown = true
		}
	}
	if !unknown {
		return
	}
	slices.Sort(list)
	id, img := g.id, e.k.s.Image()
	e.t.Work(func() any { return lookUp(id, list, img) })
	e.then(func(g *group) { g.resolving = true })
}

// lookUp finds the topics that expressions match. It runs outside of the
// shard.
func lookUp(id string, regexes []string, img *metadata.Image) resolved {
	r := resolved{group: id, version: img.Offset}
	for _, text := range regexes {
		row := resolvedRegex{regex: text}
		if re, err := compile(text); err == nil {
			for topic := range img.Topics() {
				if re.MatchString(topic.Name) {
					row.topics = append(row.topics, topic.Name)
				}
			}
		}
		slices.Sort(row.topics)
		r.list = append(r.list, row)
	}
	return r
}

// resolved takes over what was looked up; the group gets a new epoch when it
// reads other topics than before.
func (k *Kind) resolved(t *kind.Turn, r *resolved) {
	g := k.Groups[r.group]
	if g == nil {
		return
	}
	e, changed := k.edit(t, g), false
	for i := range r.list {
		row := &r.list[i]
		if g.readers[row.regex] == 0 {
			continue
		}
		if old, ok := g.regexes[row.regex]; ok && slices.Equal(old.Topics, row.topics) {
			continue
		}
		changed = true
		e.write(schema.ConsumerRegex, row.regex, schema.AppendRegex(nil, schema.RegexValue{Topics: row.topics, Version: r.version, AtMs: t.Wall.UnixMilli()}))
	}
	if changed {
		e.bump(e.hash())
	}
	e.then(func(g *group) { g.resolving = false })
}
