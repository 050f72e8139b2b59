package name

import (
	"strings"
	"testing"
)

func TestKeysAndARNsAreReadBack(t *testing.T) {
	for _, r := range []Ref{
		Of(Queue, "orders"), Of(Queue, "orders.fifo"), Of(Schedule, "default/nightly"), Of(ScheduleGroup, "default"), Of(Bus, "partner/shop"),
		Of(Rule, "default/late"), Of(Topic, "a.b_c-d"), {Queue, "000000000001", "eu-west-1", "q"},
		Of(Rule, "partner/shop/late"), Of(Archive, "all"), Of(Replay, "again.1"), Of(Connection, "crm"), Of(Destination, "crm"),
		Of(SNS, "orders.fifo"), Of(Subscription, "orders/2bcfbf39-05c3-41de-beaa-fcfcc21c8f55"), Of(Function, "resize"), Of(Mapping, "orders-resize"),
	} {
		if err := Check(r.Kind, r.Name); err != nil {
			t.Errorf("%v: %v", r, err)
		}
		if got, err := ParseKey(r.Key()); err != nil || got != r {
			t.Errorf("key %q: got %+v, %v", r.Key(), got, err)
		}
		if got, err := ParseARN(r.ARN()); err != nil || got != r {
			t.Errorf("ARN %q: got %+v, %v; want %+v", r.ARN(), got, err, r)
		}
	}
}

func TestARNsAreAmazons(t *testing.T) {
	for ref, want := range map[Ref]string{
		Of(Queue, "orders"):               "arn:aws:sqs:us-east-1:123456789012:orders",
		Of(Schedule, "default/nightly"):   "arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly",
		Of(ScheduleGroup, "mine"):         "arn:aws:scheduler:us-east-1:123456789012:schedule-group/mine",
		Of(Bus, "shop"):                   "arn:aws:events:us-east-1:123456789012:event-bus/shop",
		Of(Rule, "shop/late"):             "arn:aws:events:us-east-1:123456789012:rule/shop/late",
		Of(System, "receipts"):            "",
		Of(Rule, "default/late"):          "arn:aws:events:us-east-1:123456789012:rule/late",
		Of(Subscription, "orders/7"):      "arn:aws:sns:us-east-1:123456789012:orders:7",
		Of(Destination, "crm"):            "arn:aws:events:us-east-1:123456789012:api-destination/crm",
		{Queue, "1", "eu-central-1", "q"}: "arn:aws:sqs:eu-central-1:1:q",
	} {
		if got := ref.ARN(); got != want {
			t.Errorf("%+v: got %q, want %q", ref, got, want)
		}
	}
	if r, err := ParseARN("arn:aws:events:us-east-1:123456789012:rule/late"); err != nil || r != Of(Rule, "default/late") {
		t.Errorf("a rule of the default bus: %+v, %v", r, err)
	}
	for arn, want := range map[string]Ref{
		"arn:aws:events:us-east-1:123456789012:connection/crm/2bcfbf39-05c3": Of(Connection, "crm"),
		"arn:aws:lambda:us-east-1:123456789012:function:resize:live":         Of(Function, "resize"),
	} {
		if r, err := ParseARN(arn); err != nil || r != want {
			t.Errorf("%s: %+v, %v; want %+v", arn, r, err, want)
		}
	}
}

func TestWhatIsNoNameIsRefused(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		name string
	}{
		{Queue, ""}, {Queue, "a b"}, {Queue, "a.b"}, {Queue, ".fifo"}, {Queue, strings.Repeat("x", 81)}, {Queue, "a/b"},
		{Schedule, "alone"}, {Schedule, "/x"}, {Schedule, "x/"}, {ScheduleGroup, "a/b"}, {Rule, "x"}, {"thing", "x"}, {Topic, "."}, {Schedule, "default/.."}, {Topic, strings.Repeat("x", 250)},
	} {
		if Check(c.kind, c.name) == nil {
			t.Errorf("%s %q is taken", c.kind, c.name)
		}
	}
	for _, arn := range []string{"", "arn", "arn:aws:sqs", "arn:aws:sqs:us-east-1:123:q", "arn:aws:sqs:US:123456789012:q", "arn:aws:s3:us-east-1:123456789012:b",
		"arn:gcp:sqs:us-east-1:123456789012:q", "arn:aws:sqs:us-east-1:123456789012:a b"} {
		if r, err := ParseARN(arn); err == nil {
			t.Errorf("%q is %+v", arn, r)
		}
	}
	for _, key := range []string{"", "queue", "queue/a/b", "queue/a/b/", "/a/b/c"} {
		if r, err := ParseKey(key); err == nil {
			t.Errorf("key %q is %+v", key, r)
		}
	}
}

func TestTopicsOfObjects(t *testing.T) {
	for ref, want := range map[Ref]string{
		Of(Queue, "orders"):                            "orders",
		{Queue, DefaultAccount, "eu-west-1", "orders"}: "queue.eu-west-1.orders",
		{Queue, "000000000001", DefaultRegion, "q"}:    "queue.000000000001.us-east-1.q",
		Of(Bus, "partner/shop"):                        "bus.us-east-1.partner.shop",
	} {
		if got := ref.TopicName(); got != want {
			t.Errorf("%+v: got %q, want %q", ref, got, want)
		}
	}
	if got := Of(Bus, "a/b").LongTopicName(); got != "bus.us-east-1.a.b" {
		t.Errorf("got %q", got)
	}
	if got := (Ref{Kind: Queue}).Prefix(); got != "queue/" {
		t.Errorf("all queues: %q", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("arn:aws:sqs:us-east-1:123456789012:orders")
	f.Add("arn:aws:events:us-east-1:123456789012:rule/late")
	f.Add("queue/123456789012/us-east-1/orders")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := ParseARN(text); err == nil {
			if again, err := ParseARN(r.ARN()); err != nil || again != r {
				t.Errorf("%q is %+v, whose ARN %q is %+v, %v", text, r, r.ARN(), again, err)
			}
		}
		if r, err := ParseKey(text); err == nil && r.Key() != text {
			t.Errorf("%q is %+v, whose key is %q", text, r, r.Key())
		}
	})
}
