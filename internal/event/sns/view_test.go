package sns

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// Many subscriptions that are heard of in a row, as when a node starts, cost what each
// costs, not what all of their topic do.
func TestManyNewsOfATopicMakeOneSource(t *testing.T) {
	s := &Service{o: Options{Logger: slog.New(slog.DiscardHandler)}}
	s.view = newView(s)
	s.signer.have.Store(&signing{})
	told := 0
	s.o.Changed = func() { told++ }
	hear := func(ref name.Ref, spec any, deleted bool) {
		t.Helper()
		text, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		s.view.news(object.News{Object: object.Object{Ref: ref, ID: ref.Name, Version: 1, Spec: text}, Deleted: deleted})
	}
	topic := name.Of(name.SNS, "orders")
	sub := func(i int) name.Ref { return name.Of(name.Subscription, fmt.Sprintf("orders/%d", i)) }
	hear(topic, noteOf{TopicSpec: TopicSpec{Topic: "orders"}}, false)
	const many = 50
	for i := range many {
		hear(sub(i), SubscriptionSpec{Protocol: "sqs", Endpoint: name.Of(name.Queue, "q").ARN(), Attributes: map[string]string{FilterPolicy: `{"a":["b"]}`}}, false)
	}
	all := s.Sources()
	if len(all) != 1 || len(all[0].Rules) != many || all[0].Version != 1 || told != many {
		t.Fatalf("%d sources, told of %d times: %+v", len(all), told, all)
	}
	if again := s.Sources(); again[0] != all[0] {
		t.Error("a source is made anew of which nothing changed")
	}
	for i := range many {
		hear(sub(i), SubscriptionSpec{}, true)
	}
	if left := s.Sources(); len(left) != 0 {
		t.Errorf("without subscriptions there is %+v", left)
	}
}
