package sns

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/pattern"
	"ottla/internal/event/plan"
	"ottla/internal/event/sns/notice"
)

// view is what runners are told: a source for each topic that has subscriptions.
type view struct {
	s *Service

	mu      sync.Mutex // guards what follows
	topics  map[name.Ref]Topic
	subs    map[name.Ref]map[name.Ref]Subscription // by topic
	pending map[name.Ref]Subscription              // those that wait to be confirmed
	sources map[name.Ref]*plan.Source
	stale   map[name.Ref]struct{} // topics whose sources are made anew when they are asked for
	version int64
	loading bool // the key of notifications is being read
}

func newView(s *Service) *view {
	return &view{s: s, topics: map[name.Ref]Topic{}, subs: map[name.Ref]map[name.Ref]Subscription{}, pending: map[name.Ref]Subscription{}, sources: map[name.Ref]*plan.Source{}, stale: map[name.Ref]struct{}{}}
}

// news takes up what happened to a definition.
func (v *view) news(n object.News) {
	v.mu.Lock()
	topic := n.Object.Ref
	if n.Object.Ref.Kind == name.Subscription {
		topic = topicOf(n.Object.Ref)
	}
	if err := v.note(n, topic); err != nil {
		v.s.o.Logger.Error("a topic or a subscription cannot be read and gets nothing", "object", n.Object.Ref.Name, "err", err)
	}
	changed := v.rebuild(topic)
	var called []string
	if v.s.o.Called != nil {
		called = v.called(&n.Object, topic)
	}
	v.mu.Unlock()
	if changed {
		v.s.changed()
	}
	for _, key := range called {
		v.s.o.Called(key)
	}
}

// called are the keys of targets that are called and for which a definition counts. mu
// held.
func (v *view) called(o *object.Object, topic name.Ref) (keys []string) {
	add := func(sub *Subscription) {
		if called(sub.Protocol) || sub.Protocol == notice.Lambda {
			keys = append(keys, targetKey(sub, deliveries), targetKey(sub, confirmations))
		}
	}
	if o.Ref.Kind == name.Subscription {
		if sub, err := readSubscription(o); err == nil {
			add(&sub)
		}
		return keys
	}
	for _, sub := range v.subs[topic] {
		add(&sub)
	}
	return keys
}

// note notes a definition. mu held.
func (v *view) note(n object.News, topic name.Ref) error {
	if n.Object.Ref.Kind == name.SNS {
		delete(v.topics, topic)
		t, err := readTopic(&n.Object)
		if !n.Deleted && err == nil && t.there() {
			v.topics[topic] = t
		}
		return err
	}
	of := v.subs[topic]
	delete(of, n.Object.Ref)
	delete(v.pending, n.Object.Ref)
	if n.Deleted {
		if len(of) == 0 {
			delete(v.subs, topic)
		}
		return nil
	}
	sub, err := readSubscription(&n.Object)
	if err != nil {
		return err
	}
	if sub.Pending {
		v.pending[sub.Ref] = sub
		return nil
	}
	if of == nil {
		of = map[name.Ref]Subscription{}
		v.subs[topic] = of
	}
	of[sub.Ref] = sub
	return nil
}

// unconfirmed are some of those that nobody confirmed in time.
func (v *view) unconfirmed(nowMs int64, most int) (out []Subscription) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, sub := range v.pending {
		if sub.over(nowMs) && len(out) < most {
			out = append(out, sub)
		}
	}
	return out
}

// rebuild has the source of a topic made anew, and tells whether there was or is one.
// It is made once for as many changes as come until somebody asks. mu held.
func (v *view) rebuild(topic name.Ref) bool {
	_, had := v.sources[topic]
	_, stale := v.stale[topic]
	delete(v.sources, topic)
	delete(v.stale, topic)
	if _, ok := v.topics[topic]; !ok || len(v.subs[topic]) == 0 {
		return had || stale
	}
	if v.s.signer.have.Load() == nil {
		v.load()
		return had || stale
	}
	v.stale[topic] = struct{}{}
	return true
}

// renew makes the sources that are stale. mu held.
func (v *view) renew() {
	for topic := range v.stale {
		v.version++
		v.sources[topic] = v.s.source(v.topics[topic], v.subs[topic], v.version)
	}
	clear(v.stale)
}

// load has the key read, then all sources made: what they render is signed. mu held.
func (v *view) load() {
	if v.loading {
		return
	}
	v.loading = true
	v.s.working.Go(func() {
		for try := 1; ; try++ {
			err := v.s.signer.ready(v.s.ctx)
			if v.s.ctx.Err() != nil {
				return
			}
			if err == nil {
				break
			}
			v.s.o.Logger.Warn("topics wait for the key of notifications; it is tried again", "err", err)
			rest(v.s.ctx, min(try, 50))
		}
		v.mu.Lock()
		v.loading = false
		for topic := range v.subs {
			v.rebuild(topic)
		}
		v.mu.Unlock()
		v.s.changed()
	})
}

// changed tells who runs sources.
func (s *Service) changed() {
	if s.o.Changed != nil {
		s.o.Changed()
	}
}

// Sources are those of topics that have subscriptions, as this node knows them now, by
// name.
func (s *Service) Sources() []*plan.Source {
	s.view.mu.Lock()
	defer s.view.mu.Unlock()
	s.view.renew()
	out := make([]*plan.Source, 0, len(s.view.sources))
	for _, src := range s.view.sources {
		out = append(out, src)
	}
	slices.SortFunc(out, func(a, b *plan.Source) int { return strings.Compare(a.Ref.Key(), b.Ref.Key()) })
	return out
}

// ruleOf is what a subscription is for who runs its topic.
func (s *Service) ruleOf(sub *Subscription) (*plan.Source, *plan.Rule) {
	s.view.mu.Lock()
	defer s.view.mu.Unlock()
	s.view.renew()
	src := s.view.sources[sub.TopicRef()]
	if src == nil {
		return nil, nil
	}
	i := slices.IndexFunc(src.Rules, func(r *plan.Rule) bool { return r.Ref == sub.Ref })
	if i < 0 {
		return nil, nil
	}
	return src, src.Rules[i]
}

// Current returns when what was stored anywhere before is in Sources.
func (s *Service) Current(ctx context.Context) error {
	if _, _, err := s.o.Objects.List(ctx, name.Ref{Kind: name.SNS}, "", 1); err != nil { // reads to the end
		return objectError(err)
	}
	s.view.mu.Lock()
	wanted := s.view.loading
	s.view.mu.Unlock()
	if !wanted {
		return nil
	}
	if err := s.signer.ready(ctx); err != nil {
		return err
	}
	s.view.mu.Lock()
	defer s.view.mu.Unlock()
	for topic := range s.view.subs {
		s.view.rebuild(topic)
	}
	return nil
}

// matchers are lent to who matches.
var matchers = sync.Pool{New: func() any { return new(pattern.Matcher) }}

// source makes what a runner is told of a topic.
func (s *Service) source(t Topic, of map[name.Ref]Subscription, version int64) *plan.Source {
	subs := make([]Subscription, 0, len(of))
	for _, sub := range of {
		subs = append(subs, sub)
	}
	slices.SortFunc(subs, func(a, b Subscription) int { return strings.Compare(a.Ref.Name, b.Ref.Name) })
	src := &plan.Source{Ref: t.Ref, ID: t.ID, Version: version, Topic: t.Topic, Document: document}
	policies := make([]*pattern.Pattern, len(subs))
	for i := range subs {
		sub := &subs[i]
		if p := sub.Attributes[FilterPolicy]; p != "" {
			var err error
			if policies[i], err = notice.ParseFilter(sub.Scope(), p); err != nil { // it was checked when it was stored
				s.o.Logger.Error("a filter policy cannot be read and takes everything", "subscription", sub.Ref.Name, "err", err)
			}
		}
		src.Rules = append(src.Rules, s.rule(&t, sub))
	}
	filters := notice.NewFilters(policies, func(i int) bool { return subs[i].Scope() == notice.ScopeBody })
	src.Match = func(into []int, doc []byte) ([]int, error) {
		m := matchers.Get().(*pattern.Matcher)
		defer matchers.Put(m)
		return filters.Match(into, doc, m)
	}
	return src
}

func document(into []byte, r *plan.Raw) []byte {
	m := notice.Read(r)
	return m.Document(into)
}

// logPatience is how long a queue, a topic or a function that takes nothing is tried.
// SNS's is twenty-three days; this is below what topics keep (seven days, unless told
// otherwise), so that what is given up is still there to become a dead letter.
const logPatience = 3 * 24 * time.Hour

// rule is the rule of a subscription.
func (s *Service) rule(t *Topic, sub *Subscription) *plan.Rule {
	dead, _ := redriveTo(sub.Attributes[RedrivePolicy]) // it was checked when it was stored
	r := &renderer{s: s, topic: *t, sub: *sub}
	target := &plan.Target{
		Key: targetKey(sub, deliveries), ID: deliveries, To: placeOf(sub), From: sub.From, Render: r.render, Letter: r.letter, DeadLetters: dead,
		Retry: plan.Retry{Most: -1, MaxAgeMs: logPatience.Milliseconds()},
	}
	return &plan.Rule{Ref: sub.Ref, ID: sub.ID, Version: sub.Version, From: sub.From, Targets: []*plan.Target{target}}
}

// Targets of a subscription.
const (
	deliveries    = "endpoint"
	confirmations = "confirm"
)

// targetKey is the key of a subscription's target.
func targetKey(sub *Subscription, id string) string { return sub.Ref.Key() + "#" + sub.ID + "/" + id }

// placeOf is where a subscription's messages go.
func placeOf(sub *Subscription) plan.Place {
	ref, err := name.ParseARN(sub.Endpoint)
	switch {
	case sub.Protocol == notice.SQS && err == nil:
		return plan.Place{Kind: plan.Queue, Ref: ref}
	case sub.Protocol == notice.Kafka && err == nil:
		return plan.Place{Kind: plan.Topic, Topic: ref.Name}
	}
	return plan.Place{Kind: plan.Call}
}
