package ottla_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
	"ottla/internal/metric"
)

// laggards is a node with a topic of two partitions, ten records in the first,
// the oldest 1000 s old and each 10 s younger; a group that committed offset 4
// and nobody is in; and one that has a member and read everything.
func laggards(t *testing.T) *ottla.Server {
	t.Helper()
	// A consumer that asks for a topic which was deleted must not make it anew.
	node := start(t, ottla.Options{HTTP: "127.0.0.1:0", Settings: map[string]string{"group.initial.rebalance.delay.ms": "0", "auto.create.topics.enable": "false"}})
	create(t, node, "orders", 2, nil)
	began := time.Now()
	var records []*kgo.Record
	for i := range 10 {
		records = append(records, &kgo.Record{Topic: "orders", Value: []byte("v"), Timestamp: began.Add(time.Duration(i)*10*time.Second - 1000*time.Second)})
	}
	if err := client(t, node, kgo.RecordPartitioner(kgo.ManualPartitioner())).ProduceSync(within(t), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	admin := kadm.NewClient(client(t, node))
	var at kadm.Offsets
	at.AddOffset("orders", 0, 4, -1)
	at.AddOffset("orders", 1, 0, -1)
	if err := admin.CommitAllOffsets(within(t), "billing", at); err != nil {
		t.Fatal(err)
	}
	member := client(t, node, kgo.ConsumerGroup("readers"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for n := 0; n < 10; {
		f := member.PollFetches(within(t))
		if err := f.Err(); err != nil {
			t.Fatal(err)
		}
		n += f.NumRecords()
	}
	if err := member.CommitUncommittedOffsets(within(t)); err != nil {
		t.Fatal(err)
	}
	return node
}

// pick lets a member of a share group take the records of a topic, and keep
// them.
func pick(t *testing.T, node *ottla.Server, group, topic string) {
	t.Helper()
	earliest := "earliest"
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	r.Configs = []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "share.auto.offset.reset", Value: &earliest}}
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(within(t), client(t, node))
	if err == nil {
		err = kerr.ErrorForCode(resp.Resources[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
	member := client(t, node, kgo.ShareGroup(group), kgo.ConsumeTopics(topic))
	for n := 0; n == 0; {
		f := member.PollFetches(within(t))
		if err := f.Err(); err != nil {
			t.Fatal(err)
		}
		n = f.NumRecords()
	}
}

// errand makes the queue errands, with a message.
func errand(t *testing.T, node *ottla.Server) {
	t.Helper()
	for _, call := range [][3]string{{http.MethodPut, "/q/errands", "{}"}, {http.MethodPost, "/q/errands", "buy milk"}} {
		req, err := http.NewRequestWithContext(within(t), call[0], "http://"+node.HTTPAddr()+call[1], strings.NewReader(call[2]))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode > http.StatusCreated {
			t.Fatalf("%s %s: %s, %v", call[0], call[1], resp.Status, err)
		}
	}
}

// rowsOf checks that a page shows the metrics that it declares, and no other.
func rowsOf(t *testing.T, p metric.Page, kinds map[string]string) {
	t.Helper()
	want := map[string]bool{}
	for _, r := range metric.Rows() {
		if r.Page == p {
			want[r.Name] = true
			if slices.Contains(r.Labels, "replica") && kinds[r.Name] == "" {
				continue // one node has no followers
			}
			if kinds[r.Name] != "gauge" {
				t.Errorf("%s shows %s as %q, want a gauge", p, r.Name, kinds[r.Name])
			}
		}
	}
	for name := range kinds {
		if !want[name] {
			t.Errorf("%s shows %s, which is not declared", p, name)
		}
	}
}

func mustShow(t *testing.T, values map[string]float64, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		if got, ok := values[name]; got != v || !ok {
			t.Errorf("%s: got %v (there: %v), want %v", name, got, ok, v)
		}
	}
}

func TestDetailShowsLagInRecordsAndSeconds(t *testing.T) {
	node := laggards(t)
	pick(t, node, "pickers", "orders")
	errand(t, node)
	values, kinds := scrapePage(t, node, "/metrics/detail")
	rowsOf(t, metric.PageDetail, kinds)
	mustShow(t, values, map[string]float64{
		`ottla_partition_log_start_offset{partition="0",topic="orders"}`:             0,
		`ottla_partition_high_watermark{partition="0",topic="orders"}`:               10,
		`ottla_partition_last_stable_offset{partition="0",topic="orders"}`:           10,
		`ottla_partition_log_end_offset{partition="0",topic="orders"}`:               10,
		`ottla_partition_log_end_offset{partition="1",topic="orders"}`:               0,
		`ottla_partition_size_bytes{partition="1",topic="orders"}`:                   0,
		`ottla_group_members{group="billing"}`:                                       0,
		`ottla_group_members{group="readers"}`:                                       1,
		`ottla_group_committed_offset{group="billing",partition="0",topic="orders"}`: 4,
		`ottla_group_lag_records{group="billing",partition="0",topic="orders"}`:      6,
		`ottla_group_lag_records{group="billing",partition="1",topic="orders"}`:      0,
		`ottla_group_lag_seconds{group="billing",partition="1",topic="orders"}`:      0,
		`ottla_group_committed_offset{group="readers",partition="0",topic="orders"}`: 10,
		`ottla_group_lag_records{group="readers",partition="0",topic="orders"}`:      0,
		`ottla_group_lag_seconds{group="readers",partition="0",topic="orders"}`:      0,
		`ottla_share_acquired_records{group="pickers",partition="0",topic="orders"}`: 10,
		`ottla_share_parked_keys{group="pickers",partition="0",topic="orders"}`:      0,
		`ottla_queue_waiting_messages{queue="errands"}`:                              1,
		`ottla_queue_in_flight_messages{queue="errands"}`:                            0,
		`ottla_queue_delayed_messages{queue="errands"}`:                              0,
		`ottla_queue_dying_messages{queue="errands"}`:                                0,
		`ottla_queue_sources{queue="errands"}`:                                       0,
		`ottla_detail_entries_omitted`:                                               0,
	})
	// Record 4 was 960 s old before all this began.
	seconds := values[`ottla_group_lag_seconds{group="billing",partition="0",topic="orders"}`]
	if most := 960 + 4*patience.Seconds(); seconds < 960 || seconds > most {
		t.Errorf("the lag is %v s, want 960 to %v", seconds, most)
	}
	if bytes := values[`ottla_partition_size_bytes{partition="0",topic="orders"}`]; bytes <= 0 {
		t.Errorf("partition 0 has %v bytes, want some", bytes)
	}
}

func TestTheExporterPageHasKafkaExportersNames(t *testing.T) {
	node := laggards(t)
	values, kinds := scrapePage(t, node, "/metrics/kafka")
	rowsOf(t, metric.PageKafka, kinds)
	mustShow(t, values, map[string]float64{
		`kafka_brokers`:                          1,
		`kafka_topic_partitions{topic="orders"}`: 2,
		`kafka_topic_partition_current_offset{partition="0",topic="orders"}`:                       10,
		`kafka_topic_partition_oldest_offset{partition="0",topic="orders"}`:                        0,
		`kafka_topic_partition_leader{partition="1",topic="orders"}`:                               1,
		`kafka_topic_partition_leader_is_preferred{partition="1",topic="orders"}`:                  1,
		`kafka_topic_partition_replicas{partition="0",topic="orders"}`:                             1,
		`kafka_topic_partition_in_sync_replica{partition="0",topic="orders"}`:                      1,
		`kafka_topic_partition_under_replicated_partition{partition="0",topic="orders"}`:           0,
		`kafka_consumergroup_members{consumergroup="readers"}`:                                     1,
		`kafka_consumergroup_current_offset{consumergroup="billing",partition="0",topic="orders"}`: 4,
		`kafka_consumergroup_current_offset_sum{consumergroup="billing",topic="orders"}`:           4,
		`kafka_consumergroup_lag{consumergroup="billing",partition="0",topic="orders"}`:            6,
		`kafka_consumergroup_lag{consumergroup="billing",partition="1",topic="orders"}`:            0,
		`kafka_consumergroup_lag_sum{consumergroup="billing",topic="orders"}`:                      6,
		`ottla_exporter_entries_omitted`:                                                           0,
	})
}

// fewLabels are all that /metrics may have, with what bounds them.
var fewLabels = map[string]string{
	"api": "Kafka's APIs", "code": "Kafka's error codes", "state": "states of a group", "metric": "300 names",
	"le": "buckets", "quantile": "the Go runtime's", "version": "the Go runtime's",
	"side": "leader and follower", "queue": "200 names and other", "sns_topic": "200 names and other",
}

func TestMetricsHaveNoLabelThatGrows(t *testing.T) {
	node := laggards(t)
	values, _ := scrape(t, node)
	label := regexp.MustCompile(`[{,]([a-z_]+)="`)
	for series := range values {
		for _, m := range label.FindAllStringSubmatch(series, -1) {
			if fewLabels[m[1]] == "" {
				t.Errorf("%s has the label %s", series, m[1])
			}
		}
		for _, name := range []string{"orders", "billing", "readers"} {
			if strings.Contains(series, name) {
				t.Errorf("%s names %s", series, name)
			}
		}
	}
	mustShow(t, values, map[string]float64{
		`ottla_coordinator_groups{state="Empty"}`:  1,
		`ottla_coordinator_groups{state="Stable"}`: 1,
		`ottla_produce_batch_size_bytes_count`:     values["ottla_produce_batches_total"],
	})
	if got := values["ottla_produce_batch_size_bytes_sum"]; got != values["ottla_produce_bytes_total"] || got == 0 {
		t.Errorf("batches have %v bytes in all, want what was produced: %v", got, values["ottla_produce_bytes_total"])
	}
}

func TestAGroupsLagGoesWithItsTopic(t *testing.T) {
	node := laggards(t)
	admin := kadm.NewClient(client(t, node))
	if _, err := admin.DeleteTopic(within(t), "orders"); err != nil {
		t.Fatal(err)
	}
	create(t, node, "orders", 1, nil)
	for _, page := range []string{"/metrics/detail", "/metrics/kafka"} {
		values, _ := scrapePage(t, node, page)
		for series := range values {
			if strings.Contains(series, "billing") && strings.Contains(series, "orders") {
				t.Errorf("%s: %s is of the topic that was deleted", page, series)
			}
		}
		if series := fmt.Sprintf(`{partition="%d",topic="orders"}`, 1); strings.Contains(fmt.Sprint(values), series) {
			t.Errorf("%s: the new topic has no partition 1", page)
		}
	}
}
