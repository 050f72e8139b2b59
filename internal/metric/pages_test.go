package metric

import (
	"context"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// page is what a page shows when fill fills it.
func page(p Page, fill func(context.Context, *Sheet)) (int, string) {
	w := httptest.NewRecorder()
	p.Handler(fill).ServeHTTP(w, httptest.NewRequest("GET", string(p), nil))
	return w.Code, w.Body.String()
}

func TestEveryRowIsNamedByTheRule(t *testing.T) {
	ours := regexp.MustCompile(`^ottla_[a-z]+(_[a-z]+)+$`)
	theirs := regexp.MustCompile(`^kafka_(brokers|topic_partition|consumergroup)`)
	seen := map[string]bool{}
	for _, d := range All() {
		seen[d.Name] = true
	}
	for _, r := range Rows() {
		if seen[r.Name] || !ours.MatchString(r.Name) && (r.Page != PageKafka || !theirs.MatchString(r.Name)) {
			t.Errorf("%s: named by no rule, or twice", r.Name)
		}
		seen[r.Name] = true
		if !strings.HasSuffix(r.Help, ".") || strings.HasSuffix(r.Name, "_total") {
			t.Errorf("%s: help is no sentence, or it claims to be a counter", r.Name)
		}
	}
}

// TestTheExportersNamesStay keeps what dashboards were made for.
func TestTheExportersNamesStay(t *testing.T) {
	want := []string{
		"kafka_brokers", "kafka_topic_partitions topic",
		"kafka_topic_partition_current_offset topic partition", "kafka_topic_partition_oldest_offset topic partition",
		"kafka_topic_partition_leader topic partition", "kafka_topic_partition_leader_is_preferred topic partition",
		"kafka_topic_partition_replicas topic partition", "kafka_topic_partition_in_sync_replica topic partition",
		"kafka_topic_partition_under_replicated_partition topic partition",
		"kafka_consumergroup_members consumergroup",
		"kafka_consumergroup_current_offset consumergroup topic partition", "kafka_consumergroup_current_offset_sum consumergroup topic",
		"kafka_consumergroup_lag consumergroup topic partition", "kafka_consumergroup_lag_sum consumergroup topic",
	}
	var got []string
	for _, r := range Rows() {
		if r.Page == PageKafka && strings.HasPrefix(r.Name, "kafka_") {
			got = append(got, strings.Join(append([]string{r.Name}, r.Labels...), " "))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestAPageShowsWhatIsPut(t *testing.T) {
	code, got := page(PageDetail, func(_ context.Context, s *Sheet) {
		s.Put("ottla_group_members", 3, "a \"group\"\n")
		s.Put("ottla_group_members", 4, "not \xff text")
		s.Put("ottla_detail_entries_omitted", 0)
	})
	for _, want := range []string{
		"# TYPE ottla_group_members gauge\n", `ottla_group_members{group="a \"group\"\n"} 3` + "\n",
		`ottla_group_members{group="not \\xff text"} 4` + "\n", "ottla_detail_entries_omitted 0\n",
	} {
		if code != 200 || !strings.Contains(got, want) {
			t.Errorf("%d, missing %q in\n%s", code, want, got)
		}
	}
	if strings.Contains(got, "go_goroutines") || strings.Contains(got, "ottla_partition") {
		t.Errorf("shows what nobody put:\n%s", got)
	}
}

func TestARowThatThePageDoesNotDeclarePanics(t *testing.T) {
	s := &Sheet{}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	s.Put("kafka_brokers", 1)
}

func TestOnlyFewScrapesOfAPageRunAtOnce(t *testing.T) {
	inside, leave := make(chan bool), make(chan bool)
	h := PageDetail.Handler(func(context.Context, *Sheet) {
		inside <- true
		<-leave
	})
	done := make(chan int, sheetScrapes)
	ask := func() int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", string(PageDetail), nil))
		return w.Code
	}
	for range sheetScrapes {
		go func() { done <- ask() }()
		<-inside
	}
	if code := ask(); code != 503 {
		t.Errorf("one too many: got %d, want 503", code)
	}
	for range sheetScrapes {
		leave <- true
		if code := <-done; code != 200 {
			t.Errorf("got %d, want 200", code)
		}
	}
}

func TestValuesByLabelAreAskedForAtEachScrape(t *testing.T) {
	r, n := New(), 1.0
	r.Funcs("ottla_coordinator_groups", func() map[string]float64 { return map[string]float64{"Stable": n, "Empty": 0} })
	for n = 1; n < 3; n++ {
		got := scrape(t, r)
		if want := map[float64]string{1: `{state="Stable"} 1`, 2: `{state="Stable"} 2`}[n]; !strings.Contains(got, want) || !strings.Contains(got, `{state="Empty"} 0`) {
			t.Errorf("missing %s in\n%s", want, got)
		}
	}
	var none *Registry
	none.Funcs("ottla_coordinator_groups", nil)
}
