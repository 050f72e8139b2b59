package sns_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/event/sns"
	"ottla/internal/event/sns/notice"
)

func text(name, value string) plan.Attribute {
	return plan.Attribute{Name: name, Type: "String", Value: []byte(value)}
}

// verify checks a notification's signature by what SNS documents of it.
func (r *rig) verify(n *notice.Notification) {
	r.Helper()
	_, file, ok := strings.Cut(n.SigningCertURL, sns.CertificatePath)
	if !ok {
		r.Fatalf("the certificate is at %q", n.SigningCertURL)
	}
	b, err := r.sns.Certificate(r.ctx(), file)
	r.must(err)
	block, _ := pem.Decode(b)
	cert, err := x509.ParseCertificate(block.Bytes)
	r.must(err)
	text := "Message\n" + n.Message + "\nMessageId\n" + n.MessageID + "\n"
	if n.Type == "Notification" && n.Subject != "" {
		text += "Subject\n" + n.Subject + "\n"
	}
	if n.Type != "Notification" {
		text += "SubscribeURL\n" + n.SubscribeURL + "\n"
	}
	text += "Timestamp\n" + n.Timestamp + "\n"
	if n.Type != "Notification" {
		text += "Token\n" + n.Token + "\n"
	}
	text += "TopicArn\n" + n.TopicARN + "\nType\n" + n.Type + "\n"
	signature, err := base64.StdEncoding.DecodeString(n.Signature)
	r.must(err)
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		r.Fatalf("the key is a %T", cert.PublicKey)
	}
	if n.SignatureVersion == "2" {
		sum := sha256.Sum256([]byte(text))
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	} else {
		sum := sha1.Sum([]byte(text))
		err = rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature)
	}
	if err != nil {
		r.Errorf("the signature of %s: %v", n.Type, err)
	}
}

func (r *rig) notification(b []byte) *notice.Notification {
	r.Helper()
	n, err := notice.ParseNotification(b)
	r.must(err)
	r.verify(n)
	return n
}

func TestQueuesGetWhatTheirPolicyTakes(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	all, north := r.queue("all", false), r.queue("north", false)
	r.subscribe("orders", "sqs", all, nil)
	r.subscribe("orders", "sqs", north, map[string]string{"FilterPolicy": `{"shop":["north"]}`, "RawMessageDelivery": "true"})
	sent := r.publish("orders",
		sns.Message{Body: "one", Subject: "A sale", Attributes: []plan.Attribute{{Name: "n", Type: "Number", Value: []byte("7")}, text("shop", "north")}},
		sns.Message{Body: "two", Attributes: []plan.Attribute{text("shop", "south")}})
	for i, m := range r.take("all", 2) {
		n := r.notification(m.Body)
		if n.TopicARN != topic.ARN() || n.MessageID != sent[i].ID || !strings.HasPrefix(n.UnsubscribeURL, "http://ottla:8080/?Action=Unsubscribe&SubscriptionArn=arn") || len(m.Attributes) > 0 {
			t.Errorf("message %d is %+v", i, n)
		}
		if want := []notice.Value{{Type: "String", Value: "north"}, {Type: "String", Value: "south"}}[i]; n.Attributes["shop"] != want {
			t.Errorf("message %d has the attributes %v", i, n.Attributes)
		}
	}
	raw := r.take("north", 1)[0]
	if want := map[string]queue.Attribute{"n": {Type: "Number", Value: []byte("7")}, "shop": {Type: "String", Value: []byte("north")}}; string(raw.Body) != "one" || !reflect.DeepEqual(raw.Attributes, want) {
		t.Errorf("raw delivery gives %s with %v", raw.Body, raw.Attributes)
	}
}

// Kafka's topic refuses a batch that is larger than it takes, whole.
func TestMessagesThatFitArePublishedHoweverManyComeAtOnce(t *testing.T) {
	r := newRig(t)
	r.topic("orders", nil)
	var all []sns.Message
	for range sns.MostPublished {
		all = append(all, sns.Message{Body: strings.Repeat("x", 200<<10)})
	}
	r.publish("orders", all...)
}

func TestGroupsKeepTheirOrderAndRepeatsAreDropped(t *testing.T) {
	r := newRig(t)
	r.topic("orders.fifo", map[string]string{"FifoTopic": "true", "ContentBasedDeduplication": "true", "SignatureVersion": "2"})
	r.subscribe("orders.fifo", "sqs", r.queue("q.fifo", true), nil)
	for _, body := range []string{"1", "2", "2", "3"} {
		if got := r.publish("orders.fifo", sns.Message{Body: body, Group: "g"}); len(got[0].Sequence) != 20 {
			t.Errorf("the sequence number is %q", got[0].Sequence)
		}
	}
	var got []string
	for _, m := range r.take("q.fifo", 3) {
		n := r.notification(m.Body)
		if n.SignatureVersion != "2" || len(n.SequenceNumber) != 20 || m.Group != "g" {
			t.Errorf("got %+v of the group %q", n, m.Group)
		}
		got = append(got, n.Message)
	}
	if want := []string{"1", "2", "3"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for what, m := range map[string]sns.Message{"MessageGroupId": {Body: "x"}, "Message:": {Group: "g"}, "Subject": {Body: "x", Group: "g", Subject: "a\nb"}} {
		out, err := r.sns.Publish(r.ctx(), topicRef("orders.fifo"), []sns.Message{m})
		r.must(err)
		if !errors.Is(out[0].Err, sns.ErrInvalid) || !strings.Contains(out[0].Err.Error(), what) {
			t.Errorf("got %v, want %s", out[0].Err, what)
		}
	}
}

func TestAddressesConfirmBeforeTheyGetAnything(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	url, calls := r.address()
	sub := r.subscribe("orders", "http", url, nil)
	if !sub.Pending {
		t.Fatal("an address is subscribed that did not confirm")
	}
	r.publish("orders", sns.Message{Body: "too early"})
	ask := r.next(calls)
	n := r.notification(ask.body)
	if n.Type != "SubscriptionConfirmation" || ask.header.Get("x-amz-sns-message-type") != n.Type || ask.header.Get("x-amz-sns-topic-arn") != topic.ARN() ||
		!strings.Contains(n.SubscribeURL, "Action=ConfirmSubscription") || !strings.Contains(n.SubscribeURL, n.Token) {
		t.Fatalf("it is asked by %+v, %v", n, ask.header)
	}
	if _, err := r.sns.Confirm(r.ctx(), topicRef("orders"), strings.Repeat("0", len(n.Token)), false); !errors.Is(err, sns.ErrInvalid) {
		t.Errorf("another token: %v", err)
	}
	for range 2 { // the second time it is confirmed already
		got, err := r.sns.Confirm(r.ctx(), topicRef("orders"), n.Token, true)
		r.must(err)
		if got.Ref != sub.Ref || got.Pending {
			t.Errorf("confirmed is %+v", got)
		}
	}
	sent := r.publish("orders", sns.Message{Body: "now", JSON: false})
	got := r.next(calls)
	if m := r.notification(got.body); m.Message != "now" || got.header.Get("x-amz-sns-message-id") != sent[0].ID || got.header.Get("x-amz-sns-subscription-arn") != sub.ARN() ||
		got.header.Get("Content-Type") != "text/plain; charset=UTF-8" || got.header.Get("x-amz-sns-message-type") != "Notification" {
		t.Errorf("it got %s with %v", got.body, got.header)
	}
	if err := r.sns.Unsubscribe(r.ctx(), sub.Ref, false); !errors.Is(err, sns.ErrRefused) {
		t.Errorf("a call that nobody signed: %v", err)
	}
	r.must(r.sns.Unsubscribe(r.ctx(), sub.Ref, true))
	r.must(r.sns.Unsubscribe(r.ctx(), sub.Ref, true))
	if _, err := r.sns.Subscription(r.ctx(), sub.Ref); !errors.Is(err, sns.ErrNotFound) {
		t.Errorf("what was ended: %v", err)
	}
}

func TestWhoDoesNotConfirmIsForgotten(t *testing.T) {
	r := newRig(t)
	r.topic("orders", nil)
	url, calls := r.address()
	sub := r.subscribe("orders", "http", url, nil)
	first := r.notification(r.next(calls).body)
	if again := r.subscribe("orders", "http", url, nil); again.Ref != sub.Ref || again.Token != sub.Token {
		t.Errorf("subscribed again it is %+v", again)
	}
	if second := r.notification(r.next(calls).body); second.Token != first.Token || second.MessageID == first.MessageID {
		t.Errorf("asked again by %+v", second)
	}
	r.must(r.clock.Advance(r.ctx(), 73*time.Hour))
	if _, err := r.sns.Confirm(r.ctx(), topicRef("orders"), first.Token, false); !errors.Is(err, sns.ErrInvalid) {
		t.Errorf("three days later: %v", err)
	}
	subs, _, err := r.sns.Subscriptions(r.ctx(), topicRef("orders"), true, "", 10)
	r.must(err)
	if len(subs) > 0 {
		t.Errorf("there is %+v", subs)
	}
	r.topic("other", nil)
	r.subscribe("other", "sqs", r.queue("q", false), nil)
	if left, _, err := r.Objects().List(r.ctx(), name.Ref{Kind: name.Subscription}, "", 10); err != nil || len(left) != 1 {
		t.Errorf("when another subscribed there are %+v, %v", left, err)
	}
	if later := r.subscribe("orders", "http", url, nil); !later.Pending || later.Token == sub.Token {
		t.Errorf("subscribed anew it is %+v", later)
	}
}

func TestProtocolsGetBodiesOfTheirOwn(t *testing.T) {
	r := newRig(t)
	r.topic("orders", nil)
	r.queue("q", false)
	r.subscribe("orders", "sqs", name.Of(name.Queue, "q").ARN(), map[string]string{"RawMessageDelivery": "true"})
	r.publish("orders", sns.Message{Body: `{"default":"d","sqs":"for queues"}`, JSON: true}, sns.Message{Body: `{"default":"d"}`, JSON: true})
	if got := r.take("q", 2); string(got[0].Body) != "for queues" || string(got[1].Body) != "d" {
		t.Errorf("got %s, %s", got[0].Body, got[1].Body)
	}
}

func TestAMessageOfARuleIsPublished(t *testing.T) {
	r := newRig(t)
	r.topic("orders", nil)
	r.subscribe("orders", "sqs", r.queue("q", false), nil)
	target := &plan.Target{Key: "rule/x#1/t", To: plan.Place{Kind: plan.SNS, Ref: topicRef("orders")}}
	e := &plan.Event{Topic: "bus", Offset: 7, Source: &plan.Source{Ref: name.Of(name.Bus, "b")}}
	rec, err := r.sns.Record(target, e, plan.Payload{Body: []byte(`{"x":1}`)})
	r.must(err)
	r.must(r.kafka.ProduceSync(r.ctx(), rec).FirstErr())
	if n := r.notification(r.take("q", 1)[0].Body); n.Message != `{"x":1}` || n.MessageID == "" {
		t.Errorf("got %+v", n)
	}
	if _, err := r.sns.Record(target, e, plan.Payload{Body: make([]byte, 300<<10)}); !errors.Is(err, sns.ErrTooLarge) {
		t.Errorf("a large one: %v", err)
	}
}

func TestTopicsAreMadeOnce(t *testing.T) {
	r := newRig(t)
	first := r.topic("orders", map[string]string{"DisplayName": "Orders"})
	if again := r.topic("orders", nil); again.ID != first.ID {
		t.Errorf("made again it is %+v", again)
	}
	for what, spec := range map[string]sns.TopicSpec{
		"DisplayName is another": {Attributes: map[string]string{"DisplayName": "Others"}}, "different tags": {Tags: map[string]string{"a": "b"}},
		"there is no attribute": {Attributes: map[string]string{"Colour": "red"}}, ".fifo": {Attributes: map[string]string{"FifoTopic": "true"}},
		"of FIFO topics": {Attributes: map[string]string{"ContentBasedDeduplication": "true"}}, "no archives": {Attributes: map[string]string{"ArchivePolicy": `{"MessageRetentionPeriod":3}`}},
		"1024 to": {Attributes: map[string]string{"MaximumMessageSize": "7"}}, "no JSON": {Attributes: map[string]string{"Policy": "x"}},
	} {
		if _, err := r.sns.Create(r.ctx(), topicRef("orders"), spec); !errors.Is(err, sns.ErrInvalid) || !strings.Contains(err.Error(), what) {
			t.Errorf("got %v, want %q", err, what)
		}
	}
	if own := r.topic(object.Topic, nil); own.Adopted || own.Topic == object.Topic {
		t.Errorf("it has a topic of the cluster's own: %+v", own)
	}
	r.queue("mails", false)
	if mails := r.topic("mails", nil); mails.Topic == "mails" {
		t.Error("a topic takes a queue's")
	}
	r.subscribe("orders", "sqs", name.Of(name.Queue, "mails").ARN(), nil)
	r.must(r.sns.Delete(r.ctx(), first.Ref))
	if _, err := r.sns.Get(r.ctx(), first.Ref); !errors.Is(err, sns.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	r.eventually("its topic of Kafka's is gone", func() bool { return r.partitions("orders") == 0 })
	subs, _, err := r.sns.Subscriptions(r.ctx(), name.Of(name.SNS, ""), false, "", 10)
	r.must(err)
	if second := r.topic("orders", nil); len(subs) > 0 || second.ID == first.ID {
		t.Errorf("made anew it is %+v, with %v", second, subs)
	}
}

func TestWhatCannotBeSubscribedIsRefusedByName(t *testing.T) {
	r := newRig(t)
	r.topic("orders", nil)
	r.topic("orders.fifo", map[string]string{"FifoTopic": "true"})
	q := r.queue("q", false)
	for _, c := range []struct{ topic, protocol, endpoint, attribute, value, want string }{
		{"orders", "email", "a@b.c", "", "", "no mail"}, {"orders", "sms", "+1", "", "", "no text messages"}, {"orders", "application", "x", "", "", "mobile"},
		{"orders", "firehose", "x", "", "", "no Firehose"}, {"orders", "", "x", "", "", "missing"}, {"orders", "ftp", "x", "", "", `no protocol "ftp"`},
		{"orders", "sqs", "q", "", "", "no queue's"}, {"orders", "sqs", name.Of(name.Queue, "f.fifo").ARN(), "", "", "FIFO queues"},
		{"orders", "http", "https://x", "", "", "begins with http://"}, {"orders", "https", "https://x/#y", "", "", "fragment"}, {"orders.fifo", "https", "https://x", "", "", "FIFO topics"},
		{"orders", "lambda", "f", "", "", "no function"}, {"orders", "kafka", name.Of(name.Topic, "none").ARN(), "", "", "there is no topic none"},
		{"orders", "kafka", name.Of(name.Topic, "orders").ARN(), "", "", "never end"}, {"orders", "sqs", q, "FilterPolicy", `{"a":"b"}`, "is a list"},
		{"orders", "sqs", q, "DeliveryPolicy", `{"healthyRetryPolicy":{}}`, "http and https"}, {"orders", "sqs", q, "RedrivePolicy", `{"deadLetterTargetArn":"x"}`, "no queue's ARN"},
		{"orders", "sqs", q, "ReplayPolicy", "{}", "not replayed"}, {"orders", "sqs", q, "Colour", "red", "no attribute"}, {"orders", "sqs", q, "RawMessageDelivery", "yes", "none of true, false"},
		{"none", "sqs", q, "", "", "does not exist"},
	} {
		spec := sns.SubscriptionSpec{Protocol: c.protocol, Endpoint: c.endpoint}
		if c.attribute != "" {
			spec.Attributes = map[string]string{c.attribute: c.value}
		}
		if _, err := r.sns.Subscribe(r.ctx(), topicRef(c.topic), spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}

func TestSubscriptionsAreThereOnceAndChange(t *testing.T) {
	r := newRig(t)
	r.topic("orders", nil)
	q := r.queue("q", false)
	sub := r.subscribe("orders", "sqs", q, map[string]string{"RawMessageDelivery": "true"})
	if again := r.subscribe("orders", "sqs", q, nil); again.ID != sub.ID {
		t.Errorf("subscribed again it is %+v", again)
	}
	for _, other := range []map[string]string{{"FilterPolicy": `{"a":["b"]}`}, {"RawMessageDelivery": "false"}, {"RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody"}} {
		if _, err := r.sns.Subscribe(r.ctx(), topicRef("orders"), sns.SubscriptionSpec{Protocol: "sqs", Endpoint: q, Attributes: other}); !errors.Is(err, sns.ErrInvalid) {
			t.Errorf("with %v: %v", other, err)
		}
	}
	if same := r.subscribe("orders", "sqs", q, map[string]string{"RawMessageDelivery": "true", "FilterPolicyScope": "MessageAttributes"}); same.ID != sub.ID {
		t.Errorf("with what holds where nothing is said: %+v", same)
	}
	r.topic("plain", nil)
	plain := r.subscribe("plain", "sqs", q, nil)
	if same := r.subscribe("plain", "sqs", q, map[string]string{"RawMessageDelivery": "false"}); same.ID != plain.ID {
		t.Errorf("as it is where nothing was said: %+v", same)
	}
	_, err := r.sns.Change(r.ctx(), sub.Ref, map[string]string{"FilterPolicy": `{"kind":["sale"]}`, "FilterPolicyScope": "MessageBody"})
	r.must(err)
	offer, sale := sns.Message{Body: `{"kind":"offer"}`}, sns.Message{Body: `{"kind":"sale"}`}
	r.publish("orders", offer, sale)
	if got := string(r.take("q", 1)[0].Body); got != sale.Body {
		t.Errorf("got %s", got)
	}
	_, err = r.sns.Change(r.ctx(), sub.Ref, map[string]string{"FilterPolicy": `{}`})
	r.must(err)
	r.publish("orders", offer)
	if got := string(r.take("q", 1)[0].Body); got != offer.Body {
		t.Errorf("without a policy it got %s", got)
	}
}

func TestATopicOfKafkasIsSubscribed(t *testing.T) {
	r := newRig(t)
	r.topic("orders", nil)
	r.make("sink")
	r.subscribe("orders", "kafka", name.Of(name.Topic, "sink").ARN(), map[string]string{"RawMessageDelivery": "true"})
	r.publish("orders", sns.Message{Body: "hello", Group: "g", Attributes: []plan.Attribute{text("shop", "north")}})
	r.kafka.AddConsumeTopics("sink")
	got := r.kafka.PollFetches(r.ctx())
	r.must(got.Err())
	rec := got.Records()[0]
	if string(rec.Value) != "hello" || string(rec.Key) != "g" || len(rec.Headers) != 1 || rec.Headers[0].Key != "shop" {
		b, err := json.Marshal(rec)
		t.Errorf("got %s, %v", b, err)
	}
}

func TestWhatAQueueRefusesIsADeadLetter(t *testing.T) {
	r := newRig(t)
	r.topic("orders", nil)
	r.queue("dead", false)
	spec := queue.DefaultSpec()
	spec.MaxMessageBytes = queue.MinMessageBytes
	q, _, err := r.Queues().Create(r.ctx(), queue.Ref{Name: "small"}, spec)
	r.must(err)
	redrive := map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + name.Of(name.Queue, "dead").ARN() + `"}`}
	r.subscribe("orders", "sqs", q.ARN(), redrive)
	body := strings.Repeat("x", int(spec.MaxMessageBytes))
	r.publish("orders", sns.Message{Body: body, Attributes: []plan.Attribute{text("a", "b")}})
	got := r.take("dead", 1)[0]
	if n := r.notification(got.Body); n.Message != body || n.Attributes["a"].Value != "b" || string(got.Attributes["ERROR_CODE"].Value) != "PAYLOAD_TOO_LARGE" {
		t.Errorf("the dead letter is %s with %v", got.Body, got.Attributes)
	}
}

func TestAnAddressThatRefusesMakesDeadLetters(t *testing.T) {
	r := newRig(t)
	r.topic("orders", nil)
	r.queue("dead", false)
	url, calls := r.address()
	sub := r.subscribe("orders", "http", url, map[string]string{
		"RedrivePolicy":  `{"deadLetterTargetArn":"` + name.Of(name.Queue, "dead").ARN() + `"}`,
		"DeliveryPolicy": `{"healthyRetryPolicy":{"numRetries":2,"numNoDelayRetries":2}}`,
	})
	_, err := r.sns.Confirm(r.ctx(), topicRef("orders"), r.notification(r.next(calls).body).Token, false)
	r.must(err)
	r.refuse.Store(http.StatusInternalServerError)
	r.publish("orders", sns.Message{Body: "hello"})
	id := ""
	for i := range 3 {
		got := r.next(calls)
		if at := got.header.Get("x-amz-sns-message-id"); id != "" && at != id {
			t.Errorf("call %d has the id %s, want %s", i, at, id)
		} else {
			id = at
		}
	}
	letter := r.take("dead", 1)[0]
	if n := r.notification(letter.Body); n.Message != "hello" || n.MessageID != id || !strings.Contains(string(letter.Attributes["RULE_ARN"].Value), sub.ARN()) {
		t.Errorf("the dead letter is %s with %v", letter.Body, letter.Attributes)
	}
}

// What was published is delivered by whoever serves next.
func TestMessagesOutliveTheNode(t *testing.T) {
	r := newRig(t)
	r.topic("orders", nil)
	q := r.queue("q", false)
	r.subscribe("orders", "sqs", q, nil)
	r.publish("orders", sns.Message{Body: "before"})
	key := r.notification(r.take("q", 1)[0].Body).SigningCertURL
	r.stop()
	r.start()
	r.publish("orders", sns.Message{Body: "after"})
	if n := r.notification(r.take("q", 1)[0].Body); n.Message != "after" || n.SigningCertURL != key {
		t.Errorf("got %+v, signed by %s before", n, key)
	}
}
