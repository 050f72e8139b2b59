package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// value and letter are like what services have.
type value struct {
	Type string  `json:"DataType"`
	Text *string `json:"StringValue,omitempty"`
	Raw  []byte  `json:"BinaryValue,omitempty"`
}

type letter struct {
	ID         string            `json:"Id"`
	Count      int32             `json:"Count,omitempty"`
	Wait       *int64            `json:"Wait,omitempty"`
	Loud       bool              `json:"Loud,omitempty"`
	Names      []string          `json:"Names,omitempty" query:"Name"`
	Attributes map[string]value  `json:"Attributes,omitempty" query:"Attribute,Name,Value"`
	Tags       map[string]string `json:"Tags,omitempty" query:"Tag|Tags,Key,Value"`
	Entries    []letter          `json:"Entries,omitempty" query:"Entry"`
}

func str(s string) *string { return &s }

func number(n int64) *int64 { return &n }

func decodeForm(form string) (letter, error) {
	values, err := url.ParseQuery(form)
	if err != nil {
		return letter{}, err
	}
	var out letter
	return out, decode(grow(values), reflect.ValueOf(&out).Elem(), "")
}

func TestParametersBecomeStructs(t *testing.T) {
	for form, want := range map[string]letter{
		"":                            {},
		"Id=a&Count=7&Wait=0&Loud=1":  {ID: "a", Count: 7, Wait: number(0), Loud: true},
		"Name.2=b&Name.10=c&Name.1=a": {Names: []string{"a", "b", "c"}},
		"Name=alone":                  {Names: []string{"alone"}},
		"Tag.1.Key=k&Tag.1.Value=v":   {Tags: map[string]string{"k": "v"}},
		"Tags.1.Key=k&Tags.1.Value=v&Tags.2.Key=empty": {Tags: map[string]string{"k": "v", "empty": ""}},
		"Tag.Key=k&Tag.Value=v":                        {Tags: map[string]string{"k": "v"}},
		"Attribute.1.Name=n&Attribute.1.Value.DataType=String&Attribute.1.Value.StringValue=": {Attributes: map[string]value{"n": {Type: "String", Text: str("")}}},
		"Attribute.1.Name=n&Attribute.1.Value.BinaryValue=AQID":                               {Attributes: map[string]value{"n": {Raw: []byte{1, 2, 3}}}},
		"Entry.1.Id=a&Entry.1.Tag.1.Key=k&Entry.1.Tag.1.Value=v&Entry.3.Id=c":                 {Entries: []letter{{ID: "a", Tags: map[string]string{"k": "v"}}, {ID: "c"}}},
		"Unknown.1.Thing=x&Id=a":                              {ID: "a"},
		"Entry.1.Entry.1.Entry.1.Entry.1.Entry.1.Id=too+deep": {},
	} {
		got, err := decodeForm(form)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", form, got, err, want)
		}
	}
}

func TestParametersThatCannotBeReadAreNamed(t *testing.T) {
	for form, want := range map[string]string{
		"Count=many":       `Count is "many" where a number is wanted`,
		"Count=3000000000": "where a number is wanted",
		"Loud=perhaps":     "where true or false is wanted",
		"Id.1=x":           "Id has parts where one value is wanted",
		"Tag.1.Value=v":    "Tag.1 has no Key",
		"Entry.1.Wait=x":   `Entry.1.Wait is "x"`,
		"Attribute.1.Name=n&Attribute.1.Value.BinaryValue=*": "is not base64",
	} {
		_, err := decodeForm(form)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, want) || e.HTTPStatus() != 400 {
			t.Errorf("%s: got %v, want %q", form, err, want)
		}
	}
}

// whole is a letter with everything in it.
func whole() letter {
	return letter{
		ID: "a & <b>", Count: -3, Wait: number(9), Loud: true, Names: []string{"x", "y"},
		Attributes: map[string]value{"n": {Type: "String", Text: str("v\r\n\t")}, "raw": {Type: "Binary", Raw: []byte{0, 255}}},
		Tags:       map[string]string{"k": "v", "l": ""},
		Entries:    []letter{{ID: "in"}},
	}
}

func TestStructsBecomeXML(t *testing.T) {
	var b bytes.Buffer
	encode(&b, reflect.ValueOf(whole()))
	want := `<Id>a &amp; &lt;b&gt;</Id><Count>-3</Count><Wait>9</Wait><Loud>true</Loud><Name>x</Name><Name>y</Name>` +
		`<Attribute><Name>n</Name><Value><DataType>String</DataType><StringValue>v&#xD;&#xA;&#x9;</StringValue></Value></Attribute>` +
		`<Attribute><Name>raw</Name><Value><DataType>Binary</DataType><BinaryValue>AP8=</BinaryValue></Value></Attribute>` +
		`<Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>l</Key><Value></Value></Tag><Entry><Id>in</Id></Entry>`
	if got := b.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// stepped has a list and a map that are not flattened, as SNS's are.
type stepped struct {
	Tags  []letter          `query:"Tags.member"`
	Names []string          `query:"Names.member"`
	Attrs map[string]string `query:"Attributes.entry,key,value"`
}

func TestListsAndMapsThatAreNotFlattened(t *testing.T) {
	values, err := url.ParseQuery("Tags.member.2.Id=b&Tags.member.1.Id=a&Names.member.1=x&Attributes.entry.1.key=k&Attributes.entry.1.value=v")
	if err != nil {
		t.Fatal(err)
	}
	want := stepped{Tags: []letter{{ID: "a"}, {ID: "b"}}, Names: []string{"x"}, Attrs: map[string]string{"k": "v"}}
	var got stepped
	if err := decode(grow(values), reflect.ValueOf(&got).Elem(), ""); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, c := range []struct {
		of   stepped
		want string
	}{
		{want, `<Tags><member><Id>a</Id></member><member><Id>b</Id></member></Tags><Names><member>x</member></Names><Attributes><entry><key>k</key><value>v</value></entry></Attributes>`},
		{stepped{}, `<Tags></Tags><Names></Names><Attributes></Attributes>`},
	} {
		var b bytes.Buffer
		encode(&b, reflect.ValueOf(c.of))
		if b.String() != c.want {
			t.Errorf("got  %s\nwant %s", b.String(), c.want)
		}
	}
}

// One operation gives the same through both protocols.
func TestBothProtocolsReadTheSame(t *testing.T) {
	var got letter
	op := Handle("Write", "", func(_ context.Context, _ *Call, in *letter) (*letter, error) {
		got = *in
		return in, nil
	})
	body, err := json.Marshal(whole())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	f := JSON{Type: "application/x-amz-json-1.0"}
	if e := f.Serve(w, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)), &Call{ID: "id"}, op); e != nil {
		t.Fatal(e)
	}
	if !reflect.DeepEqual(got, whole()) {
		t.Errorf("JSON reads %+v, want %+v", got, whole())
	}
	if again := strings.TrimSpace(w.Body.String()); again != string(body) && !sameJSON(t, again, string(body)) {
		t.Errorf("JSON answers %s, want %s", again, body)
	}
	form := "Id=a+%26+%3Cb%3E&Count=-3&Wait=9&Loud=true&Name.1=x&Name.2=y&Attribute.1.Name=n&Attribute.1.Value.DataType=String&" +
		"Attribute.1.Value.StringValue=v%0D%0A%09&Attribute.2.Name=raw&Attribute.2.Value.DataType=Binary&Attribute.2.Value.BinaryValue=AP8%3D&" +
		"Tag.1.Key=k&Tag.1.Value=v&Tag.2.Key=l&Tag.2.Value=&Entry.1.Id=in"
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
	values, e := ReadQuery(r)
	if e != nil {
		t.Fatal(e)
	}
	w = httptest.NewRecorder()
	if e := (&Query{XMLNamespace: "urn:x", Values: values}).Serve(w, r, &Call{ID: "id"}, op); e != nil {
		t.Fatal(e)
	}
	if !reflect.DeepEqual(got, whole()) {
		t.Errorf("the query protocol reads %+v, want %+v", got, whole())
	}
	if !strings.HasPrefix(w.Body.String(), xml.Header+`<WriteResponse xmlns="urn:x"><WriteResult><Id>`) || !wellFormed(w.Body.String()) {
		t.Errorf("the query protocol answers %s", w.Body)
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func wellFormed(text string) bool {
	var any struct {
		Inner string `xml:",innerxml"`
	}
	return xml.Unmarshal([]byte(text), &any) == nil
}

func FuzzParametersNeverPanic(f *testing.F) {
	for _, s := range []string{"", "Id=a", "Name.1=x&Name.0=y", "Tag.1.Key=k", "Entry.1.Entry.2.Id=x", "Attribute.1.Name=n&Attribute.1.Value.BinaryValue=AQ==", "....=", "Name.99999999999999999999=x", "Tag.Key=1&Tag.1=2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, form string) {
		got, err := decodeForm(form)
		if err != nil {
			return
		}
		var b bytes.Buffer
		b.WriteString("<r>")
		encode(&b, reflect.ValueOf(got))
		b.WriteString("</r>")
		if !wellFormed(b.String()) {
			t.Errorf("%q gives XML that cannot be read: %s", form, b.String())
		}
	})
}
