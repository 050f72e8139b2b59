package transform_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"ottla/internal/event/envelope"
	"ottla/internal/event/transform"
)

// instance is an event as EC2 sends them.
func instance(t testing.TB) *envelope.Event {
	t.Helper()
	e, err := envelope.FromEnvelope([]byte(`{"version":"0","id":"7bf73129","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2",
		"account":"123456789012","time":"2015-11-11T21:29:54Z","region":"us-east-1","resources":["arn:i-abcd1111","arn:i-2"],
		"detail":{"instance-id":"i-0123456789","state":"RUNNING","n":3,"ok":false,"none":null,"quote":"say \"hi\"",
			"tags":[{"k":"a","v":1},{"k":"b"}],"owner":{"name": "O'Neil", "id": 7},"a.b":{"c/d":1}}}`))
	if err != nil {
		t.Fatal(err)
	}
	e.StoredMs = 1447277395000
	return e
}

func apply(t testing.TB, s transform.Spec, e *envelope.Event) string {
	t.Helper()
	tr, err := transform.Parse(s)
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	out, err := tr.Apply(e.AppendDocument(nil), transform.Vars{RuleARN: "arn:aws:events:us-east-1:123456789012:rule/example", RuleName: "example", Event: e})
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	return string(out)
}

func TestTemplates(t *testing.T) {
	paths := map[string]string{
		"instance": "$.detail.instance-id", "state": "$.detail.state", "n": "$.detail.n", "ok": "$.detail.ok", "none": "$.detail.none",
		"quote": "$.detail.quote", "owner": "$.detail.owner", "tags": "$.detail.tags", "missing": "$.detail.nothing.here", "first": "$.resources[0]",
		"keys": "$.detail.tags[*].k",
	}
	for _, c := range []struct{ called, template, want string }{
		{"a text", `"instance <instance> is in <state>"`, `"instance i-0123456789 is in RUNNING"`},
		{"escaped marks in a text", `"instance \"<instance>\" is in <state>"`, `"instance \"i-0123456789\" is in RUNNING"`},
		{"several texts", "\"instance <instance>\"\n\"is in <state>\"", "\"instance i-0123456789\"\n\"is in RUNNING\""},
		{"bare in JSON", `{"instance" : <instance>, "state": <state>}`, `{"instance":"i-0123456789","state":"RUNNING"}`},
		{"quoted in JSON", `{"instance": "<instance>", "all": "<instance> is in state \"<state>\""}`, `{"instance":"i-0123456789","all":"i-0123456789 is in state \"RUNNING\""}`},
		{"mixed, with a list", `{"instance":<instance>,"state":[9,<state>,true],"s":"Transition"}`, `{"instance":"i-0123456789","state":[9,"RUNNING",true],"s":"Transition"}`},
		{"numbers, booleans, null", `{"a":<n>,"b":<ok>,"c":<none>,"d":"<n> <ok> <none>"}`, `{"a":3,"b":false,"c":null,"d":"3 false null"}`},
		{"marks in a value", `{"a":<quote>,"b":"<quote>"}`, `{"a":"say \"hi\"","b":"say \"hi\""}`},
		{"objects and lists", `{"a":<owner>,"b":<tags>}`, `{"a":{"name": "O'Neil", "id": 7},"b":[{"k":"a","v":1},{"k":"b"}]}`},
		{"an object in a string of JSON", `{"a":"<owner>"}`, `{"a":"{\"name\": \"O'Neil\", \"id\": 7}"}`},
		{"an object in a text", `"owner <owner>, <keys>"`, `"owner {name:O'Neil,id:7}, [a,b]"`},
		{"what is not there", `{"a":<missing>,"b":"x<missing>y"}`, `{"a":"","b":"xy"}`},
		{"what is not there, in a text", `"from detail <missing>"`, `"from detail "`},
		{"an element, all elements", `{"a":<first>,"b":<keys>}`, `{"a":"arn:i-abcd1111","b":["a","b"]}`},
		{"the rule", `{"arn":<aws.events.rule-arn>,"name":"<aws.events.rule-name>!"}`, `{"arn":"arn:aws:events:us-east-1:123456789012:rule/example","name":"example!"}`},
		{"when it came", `{"at":<aws.events.event.ingestion-time>}`, `{"at":"2015-11-11T21:29:55Z"}`},
		{"paths in place", `{"a":<$.detail.n>,"b":"<$.source>/<$['detail-type']>"}`, `{"a":3,"b":"aws.ec2/EC2 Instance State-change Notification"}`},
		{"CloudEvents' names", `{"a":<$.type>,"b":<$.data.n>,"c":<$.subject>}`, `{"a":"EC2 Instance State-change Notification","b":3,"c":"arn:i-abcd1111"}`},
		{"marks that are none", `{"a":"<br/> 1 < 2 > 0","b":"<>"}`, `{"a":"<br/> 1 < 2 > 0","b":"<>"}`},
		{"a list", `[<n>, "x"]`, `[3,"x"]`},
		{"one value", `<owner>`, `{"name": "O'Neil", "id": 7}`},
	} {
		if got := apply(t, transform.Spec{Paths: paths, Template: c.template}, instance(t)); got != c.want {
			t.Errorf("%s: %s makes\n%s, want\n%s", c.called, c.template, got, c.want)
		}
	}
}

func TestTheWholeEventIsEventBridgesEnvelope(t *testing.T) {
	e := instance(t)
	whole := string(e.AppendEnvelope(nil))
	for _, s := range []transform.Spec{{}, {InputPath: "$"}, {Template: "<aws.events.event.json>"}} {
		if got := apply(t, s, e); got != whole {
			t.Errorf("%+v makes\n%s, want\n%s", s, got, whole)
		}
	}
	got := apply(t, transform.Spec{Template: `{"e":<aws.events.event>}`}, e)
	if strings.Contains(got, `"detail"`) || !strings.Contains(got, `"detailType":"EC2 Instance State-change Notification"`) || !json.Valid([]byte(got)) {
		t.Errorf("the event without its detail is %s", got)
	}
}

func TestAPartOrAFixedText(t *testing.T) {
	for _, c := range []struct {
		s    transform.Spec
		want string
	}{
		{transform.Spec{Input: `{"fixed": 1}`}, `{"fixed": 1}`},
		{transform.Spec{InputPath: "$.detail.state"}, `"RUNNING"`},
		{transform.Spec{InputPath: "$.detail.owner"}, `{"name": "O'Neil", "id": 7}`},
		{transform.Spec{InputPath: "$.detail.tags[1].k"}, `"b"`},
		{transform.Spec{InputPath: "$.detail['a.b'].c/d"}, `1`},
		{transform.Spec{InputPath: "$.detail.owner.*"}, `["O'Neil",7]`},
		{transform.Spec{InputPath: "$.detail.tags[7]"}, `null`},
	} {
		if got := apply(t, c.s, instance(t)); got != c.want {
			t.Errorf("%+v makes %s, want %s", c.s, got, c.want)
		}
	}
}

func TestWhatIsWrongIsNamedWithItsPlace(t *testing.T) {
	many := map[string]string{}
	for i := range 101 {
		many[strings.Repeat("n", i+1)] = "$.id"
	}
	for want, s := range map[string]transform.Spec{
		"template, character 7: <x> stands for nothing":               {Template: `{"a": <x>}`},
		"template, character 2: a placeholder cannot be in the name":  {Template: `{"<$.id>" : 1}`},
		"template: it is no JSON (no value of JSON begins like this)": {Template: `instance <$.id>`},
		"it must be one value of JSON":                                {Template: "{} {}"},
		"template: it has more than 8192":                             {Template: `"` + strings.Repeat("é", 8192) + `"`},
		"give one of input":                                           {Input: "1", InputPath: "$"},
		"no template that takes":                                      {Paths: map[string]string{"a": "$.id"}},
		"input: it is no JSON":                                        {Input: "hello"},
		`path "detail.x", character 1: a path begins with $`:          {InputPath: "detail.x"},
		`path "$.a..b", character 4: a name is wanted`:                {InputPath: "$.a..b"},
		`path "$.a[1:2]", character 4: an index`:                      {InputPath: "$.a[1:2]"},
		`path "$.a[?(@.b)]", character 4: an index`:                   {InputPath: "$.a[?(@.b)]"},
		`path "$.length()", character 2: of JSON Path there are`:      {InputPath: "$.length()"},
		`path "$.a[", character 4: the bracket has no end`:            {InputPath: "$.a["},
		`b: path "x", character 1`:                                    {Paths: map[string]string{"b": "x"}, Template: "1"},
		`path name "a b": a name has letters`:                         {Paths: map[string]string{"a b": "$"}, Template: "1"},
		`names that begin with AWS are taken`:                         {Paths: map[string]string{"AWSx": "$"}, Template: "1"},
		"paths: 101 are too many":                                     {Paths: many, Template: "1"},
		`a path has at most 256 characters`:                           {InputPath: "$." + strings.Repeat("x", 255)},
	} {
		_, err := transform.Parse(s)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80v: %v, want %q", s, err, want)
		}
		var e *transform.Error
		if !errors.As(err, &e) {
			t.Errorf("%.80v: %v is no *transform.Error", s, err)
		}
	}
}

func TestWhatIsMadeIsBounded(t *testing.T) {
	e := instance(t)
	e.Data = []byte(`{"long":"` + strings.Repeat("x", 1<<20) + `"}`)
	tr, err := transform.Parse(transform.Spec{Template: `["` + strings.Repeat("<$.detail.long>", 20) + `"]`})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Apply(e.AppendDocument(nil), transform.Vars{Event: e}); err == nil || !strings.Contains(err.Error(), "8 MiB") {
		t.Errorf("20 MiB were made of one event: %v", err)
	}
}

func FuzzTransform(f *testing.F) {
	for _, template := range []string{`"a <x> b"`, `{"a":<x>,"b":"<x>"}`, "\"<x>\"\n\"<aws.events.event>\"", `<aws.events.event.json>`, `[<$.detail[0].a>]`, `{"<":"\\"}`} {
		f.Add(template, "$.detail.*", []byte(`{"a":["\"",{"b":1}]}`))
	}
	f.Fuzz(func(t *testing.T, template, path string, detail []byte) {
		tr, err := transform.Parse(transform.Spec{Paths: map[string]string{"x": path}, Template: template})
		if err != nil {
			return
		}
		e := &envelope.Event{ID: "1", Source: "s", Type: "t", Data: detail, DataContentType: envelope.JSON}
		out, err := tr.Apply(e.AppendDocument(nil), transform.Vars{RuleARN: "arn", RuleName: "name", Event: e})
		if err != nil {
			return
		}
		if strings.HasPrefix(strings.TrimLeft(template, " \t\r\n"), `"`) {
			return // as many texts as there are
		}
		if !json.Valid(out) {
			t.Fatalf("%q with %q made %q of %q", template, path, out, detail)
		}
	})
}
