package function_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ottla/internal/event/function"
	"ottla/internal/event/outbound"
)

// TestMain makes the test's program the functions that it calls.
func TestMain(m *testing.M) {
	if act := os.Getenv("ACT_AS"); act != "" {
		os.Exit(program(act))
	}
	os.Exit(m.Run())
}

// program is a function.
func program(act string) int {
	switch act {
	case "echo":
		b, _ := io.ReadAll(os.Stdin)
		fmt.Printf(`{"got":%s,"home":%q,"secret":%q}`, b, os.Getenv("HOME"), os.Getenv("SERVER_SECRET"))
	case "fail":
		fmt.Fprintln(os.Stderr, "no use")
		return 3
	case "hang":
		<-time.After(time.Hour)
	case "lines":
		in := bufio.NewScanner(os.Stdin)
		for n := 1; in.Scan(); n++ {
			switch in.Text() {
			case `"die"`:
				return 1
			case `"hang"`:
				<-time.After(time.Hour)
			case `"fail"`:
				fmt.Println(`{"errorMessage":"no use","errorType":"E"}`)
			case `"babble"`:
				fmt.Println("what")
			case `"twice"`:
				fmt.Print("1\n2\n")
			case `"flood"`:
				fmt.Print(strings.Repeat("x", 1<<20))
			default:
				fmt.Printf("{\"n\":%d,\"got\":%s}\n", n, in.Text())
			}
		}
	}
	return 0
}

const patience = 2 * time.Minute

func service(t *testing.T, text string) *function.Service {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "functions.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "SELF", string(quoted))), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := function.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := function.New(all, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// answer has a function take an event.
func answer(ctx context.Context, s *function.Service, name, event string) outbound.Answer {
	take, err := s.Seat(ctx, name)
	if err != nil {
		return outbound.Answer{Err: err}
	}
	return take(ctx, []byte(event))
}

// call calls a function, and tells what came of it in a word.
func call(t *testing.T, s *function.Service, name, event string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	a := answer(ctx, s, name, event)
	if a.Judge() == outbound.Delivered {
		return string(a.Body)
	}
	return "failed: " + a.Why()
}

func TestAProgramTakesAnEvent(t *testing.T) {
	t.Setenv("SERVER_SECRET", "hush")
	t.Setenv("HOME", "/home/of/test")
	s := service(t, "functions:\n  echo: {command: [SELF], env: {ACT_AS: echo}}\n  fail: {command: [SELF], env: {ACT_AS: fail}}\n  gone: {command: [/no/such/program]}\n")
	if got := call(t, s, "echo", `{"a":1}`); got != `{"got":{"a":1},"home":"/home/of/test","secret":""}` {
		t.Errorf("it answered %s", got)
	}
	if got := call(t, s, "fail", `{}`); got != "failed: function fail failed: exit status 3: no use" {
		t.Errorf("one that fails: %s", got)
	}
	if got := call(t, s, "gone", `{}`); !strings.HasPrefix(got, "failed: function gone failed: ") {
		t.Errorf("one that is not there: %s", got)
	}
	if got := call(t, s, "other", `{}`); !strings.Contains(got, "declares no other") || s.Has("other") || !s.Has("echo") {
		t.Errorf("one that is not declared: %s", got)
	}
}

func TestAProgramIsKeptForManyEvents(t *testing.T) {
	s := service(t, "functions:\n  lines: {command: [SELF], env: {ACT_AS: lines}, keep: true}\n")
	for _, c := range []struct{ event, want string }{
		{`{ "a": "b\n" }`, `{"n":1,"got":{"a":"b\n"}}`}, {`text`, `{"n":2,"got":"text"}`}, {`"fail"`, "failed: function lines failed: no use"},
		{`4`, `{"n":4,"got":4}`}, {`"babble"`, `failed: function lines did not answer with JSON: "what"`}, {`"die"`, "failed: function lines ended, or does not answer a line for a line: EOF"},
		{`1`, `{"n":1,"got":1}`}, {`"twice"`, "failed: function lines ended, or does not answer a line for a line: it wrote more than a line for an event"},
		{`1`, `{"n":1,"got":1}`}, {`"flood"`, "failed: function lines ended, or does not answer a line for a line: its answer has more than 262144 bytes"}, {`1`, `{"n":1,"got":1}`},
	} {
		if got := call(t, s, "lines", c.event); got != c.want {
			t.Errorf("%s: %s, want %s", c.event, got, c.want)
		}
	}
}

func TestAProgramThatHangsIsEnded(t *testing.T) {
	s := service(t, "functions:\n  hang: {command: [SELF], env: {ACT_AS: hang}, timeout: 50ms}\n  lines: {command: [SELF], env: {ACT_AS: lines}, keep: true, timeout: 50ms}\n")
	for _, name := range []string{"hang", "lines"} {
		a := answer(t.Context(), s, name, `"hang"`)
		if !errors.Is(a.Err, context.DeadlineExceeded) || !a.TimedOut() || a.Judge() != outbound.Again {
			t.Errorf("%s: %v", name, a.Err)
		}
	}
}

func TestAnAddressTakesAnEvent(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		b, _ := io.ReadAll(req.Body)
		if string(b) == `"fail"` {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			fmt.Fprint(w, `{"errorMessage":"no use"}`)
			return
		}
		fmt.Fprintf(w, "%s %s %s", req.Method, req.Header.Get("X-Own"), b)
	}))
	defer srv.Close()
	s := service(t, "functions:\n  web: {url: "+srv.URL+", headers: {X-Own: mine}}\n")
	if got := call(t, s, "web", `1`); got != "POST mine 1" {
		t.Errorf("it answered %s", got)
	}
	if got := call(t, s, "web", `"fail"`); got != "failed: function web failed (Unhandled): no use" {
		t.Errorf("one that fails: %s", got)
	}
}

// A call that waits for others has not begun: its own time begins with its seat.
func TestACallWaitsForASeat(t *testing.T) {
	s := service(t, "functions:\n  echo: {command: [SELF], env: {ACT_AS: echo}, concurrency: 1}\n")
	first, err := s.Seat(t.Context(), "echo")
	if err != nil || s.Seats("echo") != 1 || s.Seats("other") != 0 {
		t.Fatalf("%v; there are %d seats", err, s.Seats("echo"))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Seat(ended, "echo"); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "has 1 calls under way") {
		t.Errorf("a second one: %v", err)
	}
	second := make(chan string, 1)
	go func() { second <- call(t, s, "echo", `2`) }()
	if a := first(t.Context(), []byte(`1`)); !strings.Contains(string(a.Body), `"got":1`) {
		t.Errorf("the first call: %s, %v", a.Body, a.Err)
	}
	if got := <-second; !strings.Contains(got, `"got":2`) {
		t.Errorf("the second call: %s", got)
	}
}

func TestWhatIsNoFileOfFunctions(t *testing.T) {
	for _, text := range []string{
		"functions: 1", "other: {}", "functions: {a: {}}", "functions: {a: {url: http://x, command: [y]}}", "functions: {a: {url: ftp://x}}", "functions: {'a b': {url: http://x}}",
		"functions: {a: {url: http://x, keep: true}}", "functions: {a: {command: [x], timeout: soon}}", "functions: {a: {command: [x], timeout: 1h}}", "functions: {a: {command: [x], concurrency: -1}}",
		"functions: {a: {command: [x], shell: true}}", "functions: {a: {command: ['']}}", "functions: {a: {command: [x], env: {'': x}}}", "functions: {a: {command: [x], headers: {a: b}}}",
	} {
		if got, err := function.Parse([]byte(text)); err == nil {
			t.Errorf("%s: %+v", text, got)
		}
	}
	if got, err := function.Parse(nil); err != nil || len(got) != 0 {
		t.Errorf("an empty file: %v, %v", got, err)
	}
}

// Whatever is in the file, it is read or refused.
func FuzzParse(f *testing.F) {
	f.Add([]byte("functions:\n  a: {url: 'http://x', headers: {k: v}}\n  b: {command: [x, y], keep: true, timeout: 1s}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := function.Parse(text)
		for _, x := range all {
			if err != nil || x.Name == "" || (x.URL == "") == (len(x.Command) == 0) || x.Concurrency <= 0 {
				t.Errorf("%+v, %v", x, err)
			}
		}
	})
}
