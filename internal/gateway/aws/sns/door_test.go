package sns_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"ottla/internal/clock"
	"ottla/internal/event/queue"
	"ottla/internal/event/sns/notice"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// patience bounds what a test waits for; it is met only when something is wrong.
const patience = 2 * time.Minute

// rig is a node in memory, asked as SDKs ask.
type rig struct {
	*testing.T
	*server.Server
	base string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t}
	c := &clock.Clock{}
	var err error
	r.Server, err = server.Start(r.ctx(), server.Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, HTTP: "127.0.0.1:0",
		Now: c.Now, Live: time.Now, Clock: c, Logger: slog.New(slog.DiscardHandler), VerifyAge: time.Minute, Version: "test", LoopbackTargets: true,
	})
	r.must(err)
	t.Cleanup(func() { r.must(r.Server.Close()) })
	r.base = "http://" + r.HTTPAddr()
	return r
}

func (r *rig) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.Cleanup(cancel)
	return ctx
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// do makes a request and gives its answer.
func (r *rig) do(method, address, body string) (int, string) {
	r.Helper()
	q, err := http.NewRequestWithContext(r.ctx(), method, address, strings.NewReader(body))
	r.must(err)
	if body != "" {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	got, err := http.DefaultClient.Do(q)
	r.must(err)
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	r.must(err)
	return got.StatusCode, string(b)
}

// ask makes a call: pairs of names and values.
func (r *rig) ask(op string, pairs ...string) (int, string) {
	r.Helper()
	form := url.Values{"Action": {op}, "Version": {"2010-03-31"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return r.do(http.MethodPost, r.base+"/", form.Encode())
}

// good is ask, which must go well.
func (r *rig) good(op string, pairs ...string) string {
	r.Helper()
	status, body := r.ask(op, pairs...)
	if status != http.StatusOK {
		r.Fatalf("%s %v: %d %s", op, pairs, status, body)
	}
	return body
}

// element is the text of the first element of a name.
func (r *rig) element(body, called string) string {
	r.Helper()
	d := xml.NewDecoder(strings.NewReader(body))
	for {
		t, err := d.Token()
		if err != nil {
			r.Fatalf("%s is not in %s", called, body)
		}
		if start, ok := t.(xml.StartElement); ok && start.Name.Local == called {
			var text string
			r.must(d.DecodeElement(&text, &start))
			return text
		}
	}
}

// attribute is one of an answer's.
func (r *rig) attribute(body, called string) string {
	r.Helper()
	_, rest, ok := strings.Cut(body, "<entry><key>"+called+"</key><value>")
	if !ok {
		r.Fatalf("the attribute %s is not in %s", called, body)
	}
	value, _, _ := strings.Cut(rest, "</value>")
	return value
}

const (
	account = "arn:aws:sns:us-east-1:123456789012:"
	queues  = "arn:aws:sqs:us-east-1:123456789012:"
)

func (r *rig) queue(called string) string {
	r.Helper()
	_, _, err := r.Queues().Create(r.ctx(), queue.Ref{Name: called}, queue.DefaultSpec())
	r.must(err)
	return queues + called
}

func (r *rig) take(called string) queue.Taken {
	r.Helper()
	for ctx := r.ctx(); ; {
		got, err := r.Queues().Take(ctx, queue.Ref{Name: called}, queue.TakeOptions{Max: 1, WaitMs: 20_000, VisibilityMs: -1})
		r.must(err)
		if len(got) > 0 {
			return got[0]
		}
	}
}

func TestATopicsLife(t *testing.T) {
	r := newRig(t)
	arn := r.element(r.good("CreateTopic", "Name", "orders", "Attributes.entry.1.key", "DisplayName", "Attributes.entry.1.value", "Orders", "Tags.member.1.Key", "team", "Tags.member.1.Value", "shop"), "TopicArn")
	if arn != account+"orders" {
		t.Errorf("its ARN is %s", arn)
	}
	if body := r.good("ListTopics"); !strings.Contains(body, "<Topics><member><TopicArn>"+arn+"</TopicArn></member></Topics>") {
		t.Errorf("topics are %s", body)
	}
	r.good("SetTopicAttributes", "TopicArn", arn, "AttributeName", "SignatureVersion", "AttributeValue", "2")
	body := r.good("GetTopicAttributes", "TopicArn", arn)
	for name, want := range map[string]string{"DisplayName": "Orders", "SignatureVersion": "2", "Owner": "123456789012", "SubscriptionsConfirmed": "0", "TopicArn": arn} {
		if got := r.attribute(body, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	var policy map[string]any
	r.must(json.Unmarshal([]byte(strings.ReplaceAll(r.attribute(body, "Policy"), "&#34;", `"`)), &policy))
	if policy["Id"] != "__default_policy_ID" {
		t.Errorf("its policy is %v", policy)
	}
	r.good("TagResource", "ResourceArn", arn, "Tags.member.1.Key", "stage", "Tags.member.1.Value", "test")
	r.good("UntagResource", "ResourceArn", arn, "TagKeys.member.1", "team")
	if body := r.good("ListTagsForResource", "ResourceArn", arn); !strings.Contains(body, "<Tags><member><Key>stage</Key><Value>test</Value></member></Tags>") {
		t.Errorf("tags are %s", body)
	}
	r.good("PutDataProtectionPolicy", "ResourceArn", arn, "DataProtectionPolicy", `{"Name":"x"}`)
	if got := r.element(r.good("GetDataProtectionPolicy", "ResourceArn", arn), "DataProtectionPolicy"); got != `{"Name":"x"}` {
		t.Errorf("its data protection policy is %s", got)
	}
	r.good("DeleteTopic", "TopicArn", arn)
	r.good("DeleteTopic", "TopicArn", arn)
	if body := r.good("ListTopics"); !strings.Contains(body, "<Topics></Topics>") {
		t.Errorf("topics are %s", body)
	}
}

func TestAMessageGoesToAQueue(t *testing.T) {
	r := newRig(t)
	arn := r.element(r.good("CreateTopic", "Name", "orders"), "TopicArn")
	sub := r.element(r.good("Subscribe", "TopicArn", arn, "Protocol", "sqs", "Endpoint", r.queue("orders-q"),
		"Attributes.entry.1.key", "FilterPolicy", "Attributes.entry.1.value", `{"shop":[{"prefix":"no"}]}`), "SubscriptionArn")
	if !strings.HasPrefix(sub, arn+":") {
		t.Errorf("the subscription is %s", sub)
	}
	body := r.good("GetSubscriptionAttributes", "SubscriptionArn", sub)
	for name, want := range map[string]string{"PendingConfirmation": "false", "FilterPolicyScope": "MessageAttributes", "RawMessageDelivery": "false", "TopicArn": arn, "ConfirmationWasAuthenticated": "true"} {
		if got := r.attribute(body, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, list := range []string{r.good("ListSubscriptions"), r.good("ListSubscriptionsByTopic", "TopicArn", arn)} {
		if r.element(list, "SubscriptionArn") != sub || r.element(list, "Endpoint") != queues+"orders-q" {
			t.Errorf("subscriptions are %s", list)
		}
	}
	body = r.good("PublishBatch", "TopicArn", arn,
		"PublishBatchRequestEntries.member.1.Id", "a", "PublishBatchRequestEntries.member.1.Message", "not this",
		"PublishBatchRequestEntries.member.2.Id", "b", "PublishBatchRequestEntries.member.2.Message", "hello", "PublishBatchRequestEntries.member.2.Subject", "s",
		"PublishBatchRequestEntries.member.2.MessageAttributes.entry.1.Name", "shop", "PublishBatchRequestEntries.member.2.MessageAttributes.entry.1.Value.DataType", "String",
		"PublishBatchRequestEntries.member.2.MessageAttributes.entry.1.Value.StringValue", "north",
		"PublishBatchRequestEntries.member.3.Id", "c", "PublishBatchRequestEntries.member.3.Message", "x", "PublishBatchRequestEntries.member.3.MessageDeduplicationId", "d")
	if r.element(body, "Code") != "InvalidParameter" || !strings.Contains(body, "<SenderFault>true</SenderFault>") || strings.Count(body, "<MessageId>") != 2 {
		t.Errorf("the batch gives %s", body)
	}
	n, err := notice.ParseNotification(r.take("orders-q").Body)
	r.must(err)
	if n.Message != "hello" || n.Subject != "s" || n.Attributes["shop"].Value != "north" || !strings.HasPrefix(n.SigningCertURL, r.base+"/certificates/") {
		t.Errorf("it got %+v", n)
	}
	if status, pem := r.do(http.MethodGet, n.SigningCertURL, ""); status != http.StatusOK || !strings.HasPrefix(pem, "-----BEGIN CERTIFICATE-----") {
		t.Errorf("the certificate: %d %s", status, pem)
	}
	if status, _ := r.do(http.MethodGet, r.base+"/certificates/other.pem", ""); status != http.StatusNotFound {
		t.Errorf("another certificate: %d", status)
	}
	if status, body := r.do(http.MethodGet, n.UnsubscribeURL, ""); status != http.StatusOK {
		t.Errorf("unsubscribe: %d %s", status, body)
	}
	if body := r.good("ListSubscriptionsByTopic", "TopicArn", arn); !strings.Contains(body, "<Subscriptions></Subscriptions>") {
		t.Errorf("subscriptions are %s", body)
	}
}

func TestAnAddressConfirmsByTheURLThatItIsSent(t *testing.T) {
	r := newRig(t)
	got := make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		b, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		got <- string(b)
	}))
	t.Cleanup(s.Close)
	next := func() *notice.Notification {
		select {
		case body := <-got:
			n, err := notice.ParseNotification([]byte(body))
			r.must(err)
			return n
		case <-r.ctx().Done():
			t.Fatal("nothing came")
			return nil
		}
	}
	arn := r.element(r.good("CreateTopic", "Name", "orders"), "TopicArn")
	if got := r.element(r.good("Subscribe", "TopicArn", arn, "Protocol", "http", "Endpoint", s.URL), "SubscriptionArn"); got != "pending confirmation" {
		t.Errorf("subscribed it is %q", got)
	}
	if got := r.element(r.good("ListSubscriptions"), "SubscriptionArn"); got != "PendingConfirmation" {
		t.Errorf("listed it is %q", got)
	}
	status, body := r.do(http.MethodGet, next().SubscribeURL, "")
	if status != http.StatusOK || !strings.HasPrefix(r.element(body, "SubscriptionArn"), arn+":") {
		t.Fatalf("confirm: %d %s", status, body)
	}
	r.good("Publish", "TopicArn", arn, "Message", "hello")
	if n := next(); n.Message != "hello" {
		t.Errorf("it got %+v", n)
	}
}

func TestRefusalsHaveSNSsCodes(t *testing.T) {
	r := newRig(t)
	arn := r.element(r.good("CreateTopic", "Name", "orders"), "TopicArn")
	large := strings.Repeat("x", 256<<10+1)
	for _, c := range []struct {
		status     int
		code, want string
		call       []string
	}{
		{404, "NotFound", "Topic does not exist", []string{"Publish", "TopicArn", account + "none", "Message", "x"}},
		{404, "NotFound", "Topic does not exist", []string{"GetTopicAttributes", "TopicArn", account + "none"}},
		{404, "NotFound", "Subscription does not exist", []string{"GetSubscriptionAttributes", "SubscriptionArn", arn + ":6f1fd2a7-7c05-4c3c-a1f4-c9a2f9ea2f11"}},
		{404, "ResourceNotFound", "Resource", []string{"TagResource", "ResourceArn", account + "none"}},
		{400, "InvalidParameter", "TopicArn", []string{"Publish", "Message", "x"}},
		{400, "InvalidParameter", "Message Reason: it is empty", []string{"Publish", "TopicArn", arn}},
		{400, "InvalidParameter", "too large", []string{"Publish", "TopicArn", arn, "Message", large}},
		{400, "InvalidParameter", "no text messages", []string{"Publish", "PhoneNumber", "+49", "Message", "x"}},
		{400, "InvalidParameter", "not json", []string{"Publish", "TopicArn", arn, "Message", "x", "MessageStructure", "xml"}},
		{400, "InvalidParameter", `no &#34;default&#34;`, []string{"Publish", "TopicArn", arn, "Message", "{}", "MessageStructure", "json"}},
		{400, "ParameterValueInvalid", "must use field", []string{"Publish", "TopicArn", arn, "Message", "x", "MessageAttributes.entry.1.Name", "a", "MessageAttributes.entry.1.Value.DataType", "String"}},
		{400, "InvalidParameter", "FilterPolicy", []string{"Subscribe", "TopicArn", arn, "Protocol", "sqs", "Endpoint", queues + "q", "Attributes.entry.1.key", "FilterPolicy", "Attributes.entry.1.value", `{"a":[{"regex":"x"}]}`}},
		{400, "InvalidParameter", "Token", []string{"ConfirmSubscription", "TopicArn", arn, "Token", "x"}},
		{400, "InvalidParameter", "AttributeName", []string{"SetTopicAttributes", "TopicArn", arn, "AttributeName", "Colour"}},
		{400, "InvalidParameter", "NextToken", []string{"ListTopics", "NextToken", "*"}},
		{400, "EmptyBatchRequest", "", []string{"PublishBatch", "TopicArn", arn}},
		{400, "InvalidBatchEntryId", "", []string{"PublishBatch", "TopicArn", arn, "PublishBatchRequestEntries.member.1.Id", "a b"}},
		{400, "BatchEntryIdsNotDistinct", "", []string{"PublishBatch", "TopicArn", arn, "PublishBatchRequestEntries.member.1.Id", "a", "PublishBatchRequestEntries.member.2.Id", "a"}},
		{400, "BatchRequestTooLong", "", []string{"PublishBatch", "TopicArn", arn, "PublishBatchRequestEntries.member.1.Id", "a", "PublishBatchRequestEntries.member.1.Message", large}},
		{400, "UnsupportedOperation", "no text messages", []string{"GetSMSAttributes"}},
		{400, "UnsupportedOperation", "mobile devices", []string{"CreatePlatformApplication"}},
		{400, "UnsupportedOperation", "policies are stored", []string{"AddPermission"}},
	} {
		status, body := r.ask(c.call[0], c.call[1:]...)
		if status != c.status || r.element(body, "Code") != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%.200v: got %d %s, want %d %s %q", c.call, status, body, c.status, c.code, c.want)
		}
	}
}
