package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/config"
	"ottla/internal/gateway/census"
	"ottla/internal/vfs"
)

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = 3 * time.Minute

// crowded is a node with three topics of two partitions and three groups that
// stand at the beginning of all of them; each first partition has a record.
func crowded(t *testing.T) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	static, err := config.StaticOf("the test", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(ctx, Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}},
		Static: static, Now: time.Now, Logger: slog.New(slog.DiscardHandler), VerifyAge: DefaultVerifyAge,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := kgo.NewClient(kgo.SeedBrokers(s.KafkaAddr()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	admin := kadm.NewClient(c)
	var at kadm.Offsets
	for _, topic := range []string{"a", "b", "c"} {
		if r, err := admin.CreateTopic(ctx, 2, 1, nil, topic); err != nil || r.Err != nil {
			t.Fatal(err, r.Err)
		}
		if err := c.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("v")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		at.AddOffset(topic, 0, 0, -1)
		at.AddOffset(topic, 1, 0, -1)
	}
	for _, g := range []string{"g1", "g2", "g3"} {
		if err := admin.CommitAllOffsets(ctx, g, at); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// shown counts the series of a page by metric, and gives the page.
func shown(t *testing.T, h http.Handler) (map[string]int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	n := map[string]int{}
	for line := range strings.Lines(w.Body.String()) {
		if name, _, ok := strings.Cut(line, "{"); ok && !strings.HasPrefix(line, "#") {
			n[name]++
		}
	}
	return n, w.Body.String()
}

func TestAScrapeIsBoundedAndSaysWhatItLeavesOut(t *testing.T) {
	s := crowded(t)
	wide := census.Limits{Partitions: 1000, Groups: 1000, Offsets: 1000, Reads: 1000, Patience: patience}
	for _, c := range []struct {
		name    string
		narrow  func(*census.Limits)
		counts  map[string]int // of series
		detail  int            // entries left out
		export  int
		missing string // is not shown
	}{
		{"nothing", func(*census.Limits) {}, map[string]int{
			"ottla_partition_size_bytes": 56, "ottla_group_members": 3, "ottla_group_lag_records": 18, "ottla_group_lag_seconds": 18,
		}, 0, 0, "nothing"},
		{"partitions", func(l *census.Limits) { l.Partitions = 4 }, map[string]int{"ottla_partition_size_bytes": 4, "ottla_group_lag_records": 18}, 52, 52, `{partition="0",topic="c"}`},
		{"groups", func(l *census.Limits) { l.Groups = 2 }, map[string]int{"ottla_group_members": 2, "ottla_group_lag_records": 12}, 1, 1, `"g3"`},
		{"offsets", func(l *census.Limits) { l.Offsets = 7 }, map[string]int{"ottla_group_members": 3, "ottla_group_lag_records": 7}, 11, 11, `group="g3",`},
		{"reads", func(l *census.Limits) { l.Reads = 4 }, map[string]int{"ottla_group_lag_records": 18, "ottla_group_lag_seconds": 13}, 5, 0, "nothing"},
	} {
		o := census.Options{Image: s.broker.Image, ByName: s.broker.ByName, Groups: s.groups, Now: s.o.Now, Limits: wide}
		c.narrow(&o.Limits)
		n, page := shown(t, census.Detail(o))
		for name, want := range c.counts {
			if n[name] != want {
				t.Errorf("%s: %d series of %s, want %d", c.name, n[name], name, want)
			}
		}
		if want := fmt.Sprintf("\nottla_detail_entries_omitted %d\n", c.detail); !strings.Contains("\n"+page, want) || strings.Contains(page, c.missing) {
			t.Errorf("%s: want %q and no %s in\n%s", c.name, want, c.missing, page)
		}
		if _, page := shown(t, census.Exporter(o)); !strings.Contains(page, fmt.Sprintf("\nottla_exporter_entries_omitted %d\n", c.export)) {
			t.Errorf("%s: want %d entries left out in\n%s", c.name, c.export, page)
		}
	}
}

func TestAScrapeWithoutTimeShowsThatItIsNotWhole(t *testing.T) {
	s := crowded(t)
	o := census.Options{Image: s.broker.Image, ByName: s.broker.ByName, Groups: s.groups, Now: s.o.Now, Limits: census.Limits{Partitions: 9, Groups: 9}}
	n, page := shown(t, census.Detail(o))
	if len(n) != 0 || strings.Contains(page, "omitted 0\n") || !strings.Contains(page, "ottla_detail_entries_omitted ") {
		t.Errorf("got %v in\n%s", n, page)
	}
}

func TestReadinessTellsOfCoordinators(t *testing.T) {
	for _, c := range []struct {
		led, loads, fails int
		ok                bool
		detail            string
	}{
		{0, 0, 0, true, ""},
		{50, 0, 0, true, ""},
		{50, 3, 0, false, "3 of 50 partitions of __consumer_offsets are still being read"},
		{50, 3, 1, false, "1 of 50 partitions of __consumer_offsets cannot be read, the log says why; 3 are still being read"},
	} {
		got := coordinatorsCheck("coordinators", "__consumer_offsets", standing{c.led, c.loads, c.fails})
		if got.Name != "coordinators" || got.OK != c.ok || got.Detail != c.detail {
			t.Errorf("%d %d %d: got %+v", c.led, c.loads, c.fails, got)
		}
	}
}

type standing struct{ led, loads, fails int }

func (s standing) Standing() (led, loads, fails int) { return s.led, s.loads, s.fails }
