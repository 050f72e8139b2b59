package aws_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/event/schedule"
	"ottla/internal/gateway/aws"
	"ottla/internal/gateway/aws/events"
	"ottla/internal/gateway/aws/lambda"
	"ottla/internal/gateway/aws/scheduler"
	"ottla/internal/gateway/aws/sns"
	"ottla/internal/gateway/aws/sqs"
	"ottla/internal/gateway/aws/sts"
	"ottla/internal/gateway/fake"
)

// shop is a door with all services before queues and schedules in memory.
type shop struct {
	queues  *fake.Queues
	trusted bool
}

func (s *shop) door(t *testing.T) http.Handler {
	return aws.New(aws.Options{
		Services: []*aws.Service{sqs.Service(s.queues), scheduler.Service(schedules(t)), sts.Service()},
		Trusted:  s.trusted, Logger: slog.New(slog.DiscardHandler),
		Next: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, "not AWS's")
		}),
	})
}

func schedules(t *testing.T) *schedule.Service {
	now := func() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }
	s := schedule.New(schedule.Options{
		Objects: &fake.Objects{Now: now}, Timers: fake.Timers{}, Now: now,
		Partitions: func(topic string) int {
			if topic == "orders" {
				return 3
			}
			return 0
		},
		Create: func(context.Context) error { return nil },
	})
	t.Cleanup(s.Close)
	return s
}

// TestStories runs testdata/*.txt: what SDKs send, and what they get. Commands:
//
//	json OP          the body, in AWS JSON 1.0
//	query            a parameter a line, as a form; path=… sends it elsewhere
//	rest METHOD PATH the body, signed for scheduler
//	raw METHOD PATH  headers, an empty line, a body
//	advance 30s      moves the queues' clock
//	finish           carries out the moves that run
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("stories: %v, %d files", err, len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			s := &shop{queues: fake.New()}
			door := s.door(t)
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				switch d.Cmd {
				case "advance":
					by, err := time.ParseDuration(d.CmdArgs[0].String())
					if err != nil {
						t.Fatal(err)
					}
					s.queues.Advance(by)
					return ""
				case "finish":
					s.queues.Finish()
					return ""
				}
				return tell(door, request(t, d))
			})
		})
	}
}

// request makes the request of a command.
func request(t *testing.T, d *datadriven.TestData) *http.Request {
	t.Helper()
	arg := func(i int) string { return d.CmdArgs[i].String() }
	var r *http.Request
	switch d.Cmd {
	case "json":
		r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(d.Input))
		r.Header.Set("X-Amz-Target", "AmazonSQS."+arg(0))
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	case "query":
		form, path := url.Values{}, "/"
		for line := range strings.Lines(d.Input) {
			k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			form.Set(k, v)
		}
		if d.HasArg("path") {
			d.ScanArgs(t, "path", &path)
		}
		r = httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	case "rest":
		r = httptest.NewRequest(arg(0), arg(1), strings.NewReader(d.Input))
		r.Header.Set("Authorization", signed("scheduler"))
	case "raw":
		r = raw(arg(0), arg(1), d.Input)
	default:
		t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	}
	r.Host, r.RemoteAddr = "localhost:8080", "127.0.0.1:50000"
	return r
}

func raw(method, path, input string) *http.Request {
	head, body, _ := strings.Cut(input, "\n\n")
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for line := range strings.Lines(head) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), ": ")
		r.Header.Set(k, v)
	}
	return r
}

// signed is an Authorization header for a service.
func signed(service string) string {
	return "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261126/us-east-1/" + service +
		"/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + strings.Repeat("ab", 32)
}

// tell prints an answer: status, what a client reads of its headers, body.
func tell(h http.Handler, r *http.Request) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", w.Code, w.Header().Get("Content-Type"))
	for _, name := range []string{"X-Amzn-Query-Error", "X-Amzn-Errortype"} {
		if v := w.Header().Get(name); v != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	body := w.Body.String()
	if id := w.Header().Get("X-Amzn-Requestid"); id != "" {
		body = strings.ReplaceAll(body, id, "REQUEST-ID")
	}
	if body != "" {
		b.WriteString(body + "\n")
	}
	return b.String()
}

// TestDocumentationNamesEveryOperation holds docs/aws.md to the table of
// operations: each is there with what differs from AWS.
func TestDocumentationNamesEveryOperation(t *testing.T) {
	page, err := os.ReadFile("../../../docs/aws.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*aws.Service{sqs.Service(nil), scheduler.Service(nil), sts.Service(), sns.Service(nil), events.Service(events.Options{}), lambda.Service(lambda.Options{})} {
		for _, op := range s.Ops {
			if row := "| `" + op.Name + "` | " + op.Note + " |"; !strings.Contains(string(page), row) {
				t.Errorf("docs/aws.md lacks the row %s", row)
			}
		}
		for op := range s.Refused {
			if !strings.Contains(string(page), "`"+op+"`") {
				t.Errorf("docs/aws.md does not say that %s is refused", op)
			}
		}
	}
}
