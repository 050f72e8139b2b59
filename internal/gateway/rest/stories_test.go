package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/schedule"
	"ottla/internal/gateway/fake"
)

// door is the native door before queues and schedules in memory.
func mounted(t *testing.T, queues *fake.Queues, trusted bool) http.Handler {
	now := func() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }
	objects := &fake.Objects{Now: now}
	for _, there := range []name.Ref{name.Of(name.Queue, "jobs"), name.Of(name.Bus, "shop"), name.Of(name.SNS, "offers")} {
		if _, err := objects.Put(t.Context(), object.Object{Ref: there, Spec: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	s := schedule.New(schedule.Options{
		Objects: objects, Timers: fake.Timers{}, Now: now, Partitions: func(string) int { return 0 },
		Create: func(context.Context) error { return nil },
	})
	t.Cleanup(s.Close)
	mux := http.NewServeMux()
	Mount(mux, Options{Queues: queues, Schedules: s, Trusted: trusted, Logger: slog.New(slog.DiscardHandler)})
	return mux
}

// TestStories runs testdata/*.txt. A command is a method, a path, and at will
// type=lines and accept=lines; then the body. `advance 30s` moves the clock,
// `finish` carries out the moves.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("stories: %v, %d files", err, len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			queues := fake.New()
			door := mounted(t, queues, false)
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				switch d.Cmd {
				case "advance":
					by, err := time.ParseDuration(d.CmdArgs[0].String())
					if err != nil {
						t.Fatal(err)
					}
					queues.Advance(by)
					return ""
				case "finish":
					queues.Finish()
					return ""
				}
				return tell(door, request(d))
			})
		})
	}
}

func request(d *datadriven.TestData) *http.Request {
	r := httptest.NewRequest(strings.ToUpper(d.Cmd), d.CmdArgs[0].Key+value(d.CmdArgs[0]), strings.NewReader(d.Input))
	for _, a := range d.CmdArgs[1:] {
		switch a.String() {
		case "type=lines":
			r.Header.Set("Content-Type", typeLines)
		case "accept=lines":
			r.Header.Set("Accept", "text/html, "+typeLines)
		}
	}
	r.RemoteAddr = "127.0.0.1:50000"
	return r
}

// value gives back what datadriven took for an argument's value.
func value(a datadriven.CmdArg) string {
	if len(a.Vals) == 0 {
		return ""
	}
	return "=" + strings.Join(a.Vals, ",")
}

func tell(h http.Handler, r *http.Request) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return fmt.Sprintf("%d %s\n%s", w.Code, w.Header().Get("Content-Type"), w.Body)
}
