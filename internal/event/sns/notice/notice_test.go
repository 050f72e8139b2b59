package notice_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"ottla/internal/event/envelope"
	"ottla/internal/event/pattern"
	"ottla/internal/event/plan"
	"ottla/internal/event/sns/notice"
)

func attribute(name, typ, value string) plan.Attribute {
	return plan.Attribute{Name: name, Type: typ, Value: []byte(value)}
}

func TestAMessageIsReadAsItWasWritten(t *testing.T) {
	m := notice.Message{
		ID: "one", Subject: "A sale", Body: []byte("default"), Bodies: []notice.Body{{Protocol: "http", Text: "page"}, {Protocol: "sqs", Text: ""}},
		Attributes: []plan.Attribute{attribute("ce_id", "String", "7"), attribute("count", "Number.int", "3"), attribute("raw", "Binary", "\xff\x00")},
		Group:      "g", DedupID: "d",
	}
	raw := &plan.Raw{Key: []byte(m.Group), Value: m.Body, Headers: m.Headers()}
	if got := notice.Read(raw); !reflect.DeepEqual(got, m) {
		t.Errorf("got  %+v\nwant %+v", got, m)
	}
	if string(m.For("http")) != "page" || string(m.For("sqs")) != "" || string(m.For("lambda")) != "default" {
		t.Errorf("bodies are %q, %q, %q", m.For("http"), m.For("sqs"), m.For("lambda"))
	}
}

func TestWhatOthersWriteIsAMessage(t *testing.T) {
	got := notice.Read(&plan.Raw{Value: []byte{0xff}, Headers: []envelope.Header{
		{Name: "a", Value: []byte("first")}, {Name: "a", Value: []byte("last")}, {Name: "bytes", Value: []byte{0xfe}}, {Name: "ottla.unknown", Value: []byte("x")},
		{Name: "ottla.type.a", Value: []byte("Number")}, {Name: "__dlq.errors.topic", Value: []byte("t")},
	}})
	want := notice.Message{Body: []byte{0xff}, Attributes: []plan.Attribute{attribute("a", "Number", "last"), attribute("bytes", "Binary", "\xfe")}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	n := got.NotificationOf("arn", notice.SQS, 0)
	if n.Message != "/w==" || n.Attributes["ottla.encoding"].Value != "base64" {
		t.Errorf("a body that is no text becomes %+v", n)
	}
}

func TestTheStructureSaysWhoGetsWhat(t *testing.T) {
	var m notice.Message
	if err := m.Structured([]byte(`{"sqs":"q","default":"d","email":"e","http":7}`)); err != nil {
		t.Fatal(err)
	}
	if want := (notice.Message{Body: []byte("d"), Bodies: []notice.Body{{Protocol: "sqs", Text: "q"}}}); !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, want %+v", m, want)
	}
	for text, want := range map[string]string{
		`hello`: "no JSON object", `["default"]`: "no JSON object", `{"sqs":"q"}`: `no "default"`, `{"default":7}`: "no text",
		`{"default":"a","default":"b"}`: "twice", `{"default":"a"} x`: "more behind", `{"default":"a"`: "no JSON",
	} {
		if err := new(notice.Message).Structured([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

// fits tells which of some policies a message fits, by their numbers.
func fits(t *testing.T, m *notice.Message, scopes []string, policies []string) []int {
	t.Helper()
	all := make([]*pattern.Pattern, len(policies))
	for i, p := range policies {
		if p == "" {
			continue
		}
		var err error
		if all[i], err = notice.ParseFilter(scopes[i], p); err != nil {
			t.Fatalf("%s: %v", p, err)
		}
	}
	f := notice.NewFilters(all, func(i int) bool { return scopes[i] == notice.ScopeBody })
	doc := m.Document(nil)
	if !json.Valid(doc) {
		t.Fatalf("the document is no JSON: %s", doc)
	}
	got, err := f.Match(nil, doc, new(pattern.Matcher))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPoliciesTakeAttributesOrTheBody(t *testing.T) {
	const a, b = notice.ScopeAttributes, notice.ScopeBody
	m := &notice.Message{Body: []byte(` {"kind":"sale","lines":[{"sku":"x","n":2}],"a":{"shop":["body"]}}`), Attributes: []plan.Attribute{
		attribute("amount", "Number", "100.50"), attribute("blob", "Binary", "shop"), attribute("shop", "String", "north"), attribute("tags", "String.Array", `["red",7,true]`),
	}}
	scopes := []string{a, a, a, a, a, a, a, b, b, b, b, a, a}
	policies := []string{
		`{"shop":["north","south"]}`, `{"shop":[{"anything-but":"north"}]}`, `{"amount":[{"numeric":[">",100,"<=",200]}]}`, `{"tags":["red"]}`, `{"tags":[7]}`,
		`{"blob":[{"exists":true}]}`, `{"no":[{"exists":false}],"shop":[{"prefix":"no"}]}`,
		`{"kind":["sale"]}`, `{"lines":{"sku":["x"],"n":[2]}}`, `{"shop":["north"]}`, `{"no":[{"exists":false}]}`, ``, `{"$or":[{"shop":["east"]},{"amount":[100.5]}]}`,
	}
	if got, want := fits(t, m, scopes, policies), []int{0, 2, 3, 4, 6, 7, 8, 10, 11, 12}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v fit, want %v", got, want)
	}
	m.Body = []byte("no object")
	if got, want := fits(t, m, scopes, policies), []int{0, 2, 3, 4, 6, 11, 12}; !reflect.DeepEqual(got, want) {
		t.Errorf("with another body %v fit, want %v", got, want)
	}
	m.Body = []byte(strings.Repeat(`{"x":`, 600) + "1" + strings.Repeat("}", 600))
	if got, want := fits(t, m, scopes, policies), []int{0, 2, 3, 4, 6, 11, 12}; !reflect.DeepEqual(got, want) {
		t.Errorf("with a deep body %v fit, want %v", got, want)
	}
}

func TestPoliciesAreBounded(t *testing.T) {
	const a, b = notice.ScopeAttributes, notice.ScopeBody
	for _, c := range []struct{ scope, policy, want string }{
		{a, `[]`, "no JSON object"}, {a, `{"x":{"y":["z"]}}`, "is a list"}, {a, `{"x":"y"}`, "is a list"}, {"Both", `{}`, "neither"},
		{a, `{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}`, "6 keys"},
		{a, `{"a":[` + strings.Repeat(`"x",`, 150) + `"x"]}`, "150 combinations"},
		{b, `{"a":{"b":{"c":[` + strings.Repeat(`"x",`, 50) + `"x"]}}}`, "150 combinations"},
		{a, `{"a":[{"regex":"x"}]}`, `operator "regex"`}, {a, `{"a":[{"prefix":7}]}`, `field "a"`},
	} {
		if _, err := notice.ParseFilter(c.scope, c.policy); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.policy, err, c.want)
		}
	}
	for _, c := range []struct{ scope, policy string }{
		{b, `{"a":{"b":{"c":["1","2","3","4"]}},"d":{"e":["1","2","3"]}}`}, {a, `{"a":[` + strings.Repeat(`"x",`, 149) + `"x"]}`}, {a, `{}`},
	} {
		if _, err := notice.ParseFilter(c.scope, c.policy); err != nil {
			t.Errorf("%s: %v", c.policy, err)
		}
	}
}

func TestWhatIsSignedHasSNSsForm(t *testing.T) {
	m := notice.Message{ID: "id", Subject: "s", Body: []byte("b\nc")}
	n := m.NotificationOf("arn:t", notice.SQS, 1353000000123)
	if got, want := string(n.Signed()), "Message\nb\nc\nMessageId\nid\nSubject\ns\nTimestamp\n2012-11-15T17:20:00.123Z\nTopicArn\narn:t\nType\nNotification\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c := notice.Notification{Type: notice.Confirm, MessageID: "id", Token: "tok", TopicARN: "arn:t", Message: "m", SubscribeURL: "u", Timestamp: "now"}
	if got, want := string(c.Signed()), "Message\nm\nMessageId\nid\nSubscribeURL\nu\nTimestamp\nnow\nToken\ntok\nTopicArn\narn:t\nType\nSubscriptionConfirmation\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	back, err := notice.ParseNotification(n.JSON())
	if err != nil || !reflect.DeepEqual(*back, n) {
		t.Errorf("read back %+v, %v", back, err)
	}
}

func TestDeliveryPoliciesSayWhenItIsTriedAgain(t *testing.T) {
	for policy, want := range map[string][]int64{
		``:                          {20000, 20000, 20000},
		`{"healthyRetryPolicy":{}}`: {20000, 20000, 20000},
		`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":5,"numRetries":7,"numNoDelayRetries":1,"numMinDelayRetries":1,"numMaxDelayRetries":1}}`: {0, 1000, 2000, 3000, 4000, 5000, 5000},
		`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":8,"numRetries":3,"backoffFunction":"geometric"}}`:                                       {2000, 4000, 8000},
		`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":8,"numRetries":3,"backoffFunction":"exponential"}}`:                                     {2000, 4000, 8000},
		`{"healthyRetryPolicy":{"minDelayTarget":2,"maxDelayTarget":8,"numRetries":3,"backoffFunction":"arithmetic"}}`:                                      {3000, 5000, 8000},
		`{"healthyRetryPolicy":{"numRetries":0},"sicklyRetryPolicy":null,"guaranteed":false}`:                                                               nil,
	} {
		d, err := notice.EffectiveDelivery("", policy)
		if err != nil {
			t.Errorf("%s: %v", policy, err)
			continue
		}
		if got := d.Retries.Plan(); !reflect.DeepEqual(got.WaitsMs, want) || got.Most != len(want) {
			t.Errorf("%s: got %+v, want %v", policy, got, want)
		}
	}
	for policy, want := range map[string]string{
		`x`: "cannot be read", `{"retry":{}}`: "unknown field", `{"healthyRetryPolicy":{"minDelayTarget":9,"maxDelayTarget":2}}`: "minDelayTarget is 9",
		`{"healthyRetryPolicy":{"numRetries":101}}`: "numRetries", `{"healthyRetryPolicy":{"numNoDelayRetries":4}}`: "more than numRetries",
		`{"healthyRetryPolicy":{"backoffFunction":"random"}}`: "backoffFunction", `{"healthyRetryPolicy":{"numMinDelayRetries":-1}}`: "below 0",
	} {
		if err := notice.CheckDelivery(policy, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", policy, err, want)
		}
	}
	topic := `{"http":{"defaultHealthyRetryPolicy":{"numRetries":1},"disableSubscriptionOverrides":true}}`
	d, err := notice.EffectiveDelivery(topic, `{"healthyRetryPolicy":{"numRetries":9}}`)
	if err != nil || d.Retries.Retries != 1 {
		t.Errorf("a topic that lets nobody say otherwise: %+v, %v", d.Retries, err)
	}
	if got := notice.EffectiveTopicDelivery(topic); !strings.Contains(got, `"numRetries":1`) || !strings.Contains(got, `"disableSubscriptionOverrides":true`) {
		t.Errorf("what holds is told as %s", got)
	}
}

func TestAttributesAreChecked(t *testing.T) {
	for _, a := range []plan.Attribute{attribute("a.b-c_D", "String", "x"), attribute("n", "Number.float", "-1.5e3"), attribute("l", "String.Array", `["a",1,null]`), attribute("b", "Binary.gif", "\xff")} {
		if err := notice.CheckAttribute(&a); err != nil {
			t.Errorf("%+v: %v", a, err)
		}
	}
	for _, a := range []plan.Attribute{
		attribute("", "String", "x"), attribute("ottla.id", "String", "x"), attribute("__dlq.x", "String", "x"), attribute("a b", "String", "x"), attribute(".a", "String", "x"),
		attribute("a..b", "String", "x"), attribute("AWS.x", "String", "x"), attribute("a", "Text", "x"), attribute("a", "String", ""), attribute("a", "String", "\xff"),
		attribute("a", "Number", "many"), attribute("a", "Number", "NaN"), attribute("a", "String.Array", "x"), attribute("a", "String.Array", `[{}]`),
	} {
		if err := notice.CheckAttribute(&a); err == nil {
			t.Errorf("%+v is taken", a)
		}
	}
}

// Whatever a record is, it reads as a message, and policies see JSON.
func FuzzAnyRecordIsAMessage(f *testing.F) {
	f.Add([]byte(`{"a":1}`), "x", []byte("1"), "Number")
	f.Add([]byte(`{"a":`), "ottla.sns.body.sqs", []byte("\xff"), "")
	f.Add([]byte(""), "tags", []byte(`["a",1]`), "String.Array")
	f.Fuzz(func(t *testing.T, body []byte, header string, value []byte, typ string) {
		m := notice.Read(&plan.Raw{Value: body, Headers: []envelope.Header{{Name: header, Value: value}, {Name: "ottla.type." + header, Value: []byte(typ)}}})
		if doc := m.Document(nil); !json.Valid(doc) {
			t.Errorf("the document is no JSON: %s", doc)
		}
		n := m.NotificationOf("arn", notice.SQS, 1)
		back, err := notice.ParseNotification(n.JSON())
		if err != nil || string(back.Signed()) != string(n.Signed()) {
			t.Errorf("read back %+v, %v, want %+v", back, err, n)
		}
	})
}

// Whatever a policy is, it is read or refused.
func FuzzFilterPolicies(f *testing.F) {
	for _, p := range []string{`{}`, `{"a":["b"]}`, `{"$or":[{"a":[1]},{"b":[2]}]}`, `{"a":{"b":[{"exists":true}]}}`, `{"a":`, `{"a":[[]]}`} {
		f.Add(p, true)
		f.Add(p, false)
	}
	f.Fuzz(func(t *testing.T, policy string, body bool) {
		scope := notice.ScopeAttributes
		if body {
			scope = notice.ScopeBody
		}
		p, err := notice.ParseFilter(scope, policy)
		if err != nil || p == nil {
			return
		}
		m := notice.Message{Body: []byte(`{"a":"b"}`)}
		if _, err := notice.NewFilters([]*pattern.Pattern{p}, func(int) bool { return body }).Match(nil, m.Document(nil), new(pattern.Matcher)); err != nil {
			t.Error(err)
		}
	})
}
