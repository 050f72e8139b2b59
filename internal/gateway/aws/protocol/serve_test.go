package protocol

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// echo answers what it got, or the error that it is told.
func echo(err error) Op {
	return Handle("Echo", "", func(_ context.Context, _ *Call, in *letter) (*letter, error) { return in, err })
}

var forms = map[string]Form{
	"json":  JSON{Type: "application/x-amz-json-1.0", Namespace: "com.amazonaws.sqs", QueryCompatible: true},
	"rest":  REST{},
	"query": &Query{},
}

func ask(f Form, body io.Reader, op Op) (*httptest.ResponseRecorder, *Error) {
	w := httptest.NewRecorder()
	e := f.Serve(w, httptest.NewRequest(http.MethodPost, "/", body), &Call{ID: "the-id"}, op)
	return w, e
}

func TestEveryAnswerHasItsRequestID(t *testing.T) {
	for name, f := range forms {
		for _, err := range []error{nil, Errorf("Bad", "it is bad")} {
			w, _ := ask(f, strings.NewReader(""), echo(err))
			if got := w.Header().Get("x-amzn-RequestId"); got != "the-id" {
				t.Errorf("%s, %v: the request id is %q", name, err, got)
			}
		}
	}
}

func TestErrorsAreToldInEachProtocolsWay(t *testing.T) {
	bad := &Error{Shape: "QueueDoesNotExist", Code: "AWS.SimpleQueueService.NonExistentQueue", Message: "no <such> queue"}
	w, _ := ask(forms["json"], strings.NewReader("{}"), echo(bad))
	if w.Code != 400 || w.Header().Get("x-amzn-query-error") != "AWS.SimpleQueueService.NonExistentQueue;Sender" ||
		w.Body.String() != `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no <such> queue"}` {
		t.Errorf("json: %d %v %s", w.Code, w.Header(), w.Body)
	}
	w, _ = ask(forms["rest"], strings.NewReader("{}"), echo(bad))
	if w.Code != 400 || w.Header().Get("x-amzn-ErrorType") != "QueueDoesNotExist" || w.Body.String() != `{"Message":"no <such> queue"}` {
		t.Errorf("rest: %d %v %s", w.Code, w.Header(), w.Body)
	}
	w, _ = ask(forms["query"], strings.NewReader(""), echo(bad))
	if w.Code != 400 || !strings.Contains(w.Body.String(), "<Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>no &lt;such&gt; queue</Message>") {
		t.Errorf("query: %d %s", w.Code, w.Body)
	}
}

// What went wrong inside is for the log, not for callers.
func TestAFailureOfOursTellsNothingOfItself(t *testing.T) {
	cause := errors.New("disk /secret is on fire")
	for name, f := range forms {
		w, e := ask(f, strings.NewReader(""), echo(cause))
		if w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if !errors.Is(e, cause) || !strings.Contains(e.Error(), "on fire") || e.Fault() != "Receiver" {
			t.Errorf("%s: the log gets %v (%s)", name, e, e.Fault())
		}
	}
}

func TestWhoComesTooEarlyIsToldToComeLater(t *testing.T) {
	for name, f := range forms {
		w, _ := ask(f, strings.NewReader(""), echo(&Error{Shape: "ServiceUnavailable", Status: http.StatusServiceUnavailable, Message: "try again"}))
		if later := w.Header().Get("Retry-After"); w.Code != 503 || later != "1" {
			t.Errorf("%s: %d, Retry-After is %q", name, w.Code, later)
		}
	}
}

var spaces = strings.Repeat(" ", 32<<10)

// endless never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	return copy(p, spaces), nil
}

func TestABodyIsBounded(t *testing.T) {
	for _, name := range []string{"json", "rest"} {
		w, e := ask(forms[name], endless{}, echo(nil))
		if w.Code != http.StatusRequestEntityTooLarge || e == nil {
			t.Errorf("%s: an endless body gives %d, %v", name, w.Code, e)
		}
	}
	if _, e := ReadQuery(httptest.NewRequest(http.MethodPost, "/", endless{})); e == nil || e.HTTPStatus() != http.StatusRequestEntityTooLarge {
		t.Errorf("query: an endless body gives %v", e)
	}
	if _, e := ReadQuery(httptest.NewRequest(http.MethodGet, "/?"+strings.Repeat("a=&", 10)+many(maxParameters), nil)); e == nil {
		t.Error("query: as many parameters as one likes are read")
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n + 1 {
		b.WriteString("p")
		b.WriteString(strings.Repeat("x", i%7))
		b.WriteString(string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)))
		b.WriteString("=&")
	}
	return b.String()
}

func TestABodyThatIsNoJSONIsRefused(t *testing.T) {
	for body, want := range map[string]string{
		`{"Id":7}`:          "Id is a number where string is wanted",
		`{"Id":"a"`:         "not the JSON that this call wants",
		`[]`:                "where",
		"{\"Id\":\"\xff\"}": "not UTF-8",
		`{} {}`:             "not the JSON",
	} {
		w, e := ask(forms["json"], strings.NewReader(body), echo(nil))
		if w.Code != 400 || e == nil || !strings.Contains(e.Message, want) || e.Shape != "SerializationException" {
			t.Errorf("%s: got %d, %v, want %q", body, w.Code, e, want)
		}
	}
	for _, body := range []string{"", " ", "{}", `{"Unknown":1}`} {
		if w, e := ask(forms["json"], strings.NewReader(body), echo(nil)); e != nil || w.Code != 200 {
			t.Errorf("%q: got %d, %v", body, w.Code, e)
		}
	}
}

func TestAnAnswerWithoutContent(t *testing.T) {
	nothing := Handle("Nothing", "", func(context.Context, *Call, *letter) (*Nothing, error) { return nil, nil })
	for name, want := range map[string]string{"json": "{}", "rest": "{}", "query": "<NothingResponse><ResponseMetadata><RequestId>the-id</RequestId></ResponseMetadata></NothingResponse>"} {
		w, e := ask(forms[name], strings.NewReader(""), nothing)
		if e != nil || w.Code != 200 || !strings.HasSuffix(w.Body.String(), want) {
			t.Errorf("%s: %d %s, %v", name, w.Code, w.Body, e)
		}
	}
}
