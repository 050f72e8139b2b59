package metric

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Page is a place of its own for metrics that have a row for each partition or
// group, which /metrics must not have.
type Page string

// The pages, by the paths they are served at.
const (
	PageDetail Page = "/metrics/detail" // Ottla's names
	PageKafka  Page = "/metrics/kafka"  // kafka_exporter's names
)

// Row declares one metric of a page. All are gauges: what is true now.
type Row struct {
	Page   Page
	Name   string
	Labels []string
	Help   string
}

// The labels of rows.
var (
	byTopic          = []string{"topic"}
	byPartition      = []string{"topic", "partition"}
	byReplica        = []string{"topic", "partition", "replica"}
	byQueue          = []string{"queue"}
	byGroup          = []string{"group"}
	byGroupPartition = []string{"group", "topic", "partition"}
	byConsumer       = []string{"consumergroup"}
	byConsumerTopic  = []string{"consumergroup", "topic"}
	byConsumed       = []string{"consumergroup", "topic", "partition"}
)

// pages lists every metric of the pages. Names and labels of PageKafka are an
// interface that dashboards are written to; they keep kafka_exporter's.
var pages = []Row{
	{PageDetail, "ottla_partition_log_start_offset", byPartition, "Offset of the first record that can be read."},
	{PageDetail, "ottla_partition_high_watermark", byPartition, "Offset below which records are committed."},
	{PageDetail, "ottla_partition_last_stable_offset", byPartition, "Offset below which read_committed consumers read."},
	{PageDetail, "ottla_partition_log_end_offset", byPartition, "Offset that the next record will have."},
	{PageDetail, "ottla_partition_size_bytes", byPartition, "Bytes of the partition's segments."},
	{PageDetail, "ottla_replica_lag_records", byReplica, "Offsets from what a follower has to the end of its leader's log, at the leader; replica is its node."},
	{PageDetail, "ottla_replica_lag_seconds", byReplica, "Time since a follower last had everything, at the leader; 0 when it has now, +Inf when it never had since this node leads."},
	{PageDetail, "ottla_group_members", byGroup, "Members of the group."},
	{PageDetail, "ottla_group_committed_offset", byGroupPartition, "Offset that the group committed: of the next record it will read."},
	{PageDetail, "ottla_group_lag_records", byGroupPartition, "Offsets from the committed one to the high watermark."},
	{PageDetail, "ottla_group_lag_seconds", byGroupPartition, "Age of the first record that the group has not committed, by the record's timestamp; 0 when there is none."},
	{PageDetail, "ottla_share_acquired_records", byGroupPartition, "Records that members of the share group hold. These rows are of share groups with members that read the partition, at its leader."},
	{PageDetail, "ottla_share_redelivered_records", byGroupPartition, "Records that were given out before and are to be given out again, now or when their time has come."},
	{PageDetail, "ottla_share_delayed_records", byGroupPartition, "Those of them whose time has not come (share.retry.backoff.ms)."},
	{PageDetail, "ottla_share_parked_keys", byGroupPartition, "Keys that stand still because their first record waits to be given out again (share.key.ordering)."},
	{PageDetail, "ottla_share_dying_records", byGroupPartition, "Records that were given up and whose dead letters are not yet written."},
	{PageDetail, "ottla_queue_waiting_messages", byQueue, "Messages that can be taken, of the partitions that this node leads."},
	{PageDetail, "ottla_queue_in_flight_messages", byQueue, "Messages that were taken and are neither acknowledged nor back, likewise."},
	{PageDetail, "ottla_queue_delayed_messages", byQueue, "Messages that came back and whose time has not come, likewise. Those sent with a delay are among ottla_timers_pending."},
	{PageDetail, "ottla_queue_dying_messages", byQueue, "Messages that were given up and whose dead letters are not yet written, likewise."},
	{PageDetail, "ottla_queue_oldest_seconds", byQueue, "How long the oldest message of these has been there; 0 without any."},
	{PageDetail, "ottla_queue_sources", byQueue, "How many queues have this one for their dead letters; its messages are dead letters then."},
	{PageDetail, "ottla_detail_entries_omitted", nil, "Partitions, groups, committed offsets, share-partitions and ages that this answer leaves out: to stay bounded, or because a coordinator or log did not answer. Above zero the page is not whole."},

	{PageKafka, "kafka_brokers", nil, "Brokers of the cluster that are not fenced."},
	{PageKafka, "kafka_topic_partitions", byTopic, "Partitions of the topic."},
	{PageKafka, "kafka_topic_partition_current_offset", byPartition, "The high watermark."},
	{PageKafka, "kafka_topic_partition_oldest_offset", byPartition, "The log start offset."},
	{PageKafka, "kafka_topic_partition_leader", byPartition, "Broker that leads the partition, -1 without one."},
	{PageKafka, "kafka_topic_partition_leader_is_preferred", byPartition, "1 when the leader is the first of the replicas."},
	{PageKafka, "kafka_topic_partition_replicas", byPartition, "Replicas of the partition."},
	{PageKafka, "kafka_topic_partition_in_sync_replica", byPartition, "Replicas that are in sync."},
	{PageKafka, "kafka_topic_partition_under_replicated_partition", byPartition, "1 when some replica is not in sync."},
	{PageKafka, "kafka_consumergroup_members", byConsumer, "Members of the group."},
	{PageKafka, "kafka_consumergroup_current_offset", byConsumed, "Offset that the group committed."},
	{PageKafka, "kafka_consumergroup_current_offset_sum", byConsumerTopic, "Committed offsets of the topic's partitions, summed."},
	{PageKafka, "kafka_consumergroup_lag", byConsumed, "Offsets from the committed one to the high watermark."},
	{PageKafka, "kafka_consumergroup_lag_sum", byConsumerTopic, "Lag of the topic's partitions, summed."},
	{PageKafka, "ottla_exporter_entries_omitted", nil, "Partitions, groups, committed offsets and ages that this answer leaves out: to stay bounded, or because a coordinator or log did not answer. Above zero the page is not whole."},
}

// Rows lists what the pages show.
func Rows() []Row { return pages }

// Sheet is one answer of a page while it is filled; one goroutine's.
type Sheet struct {
	descs map[string]*prometheus.Desc
	out   chan<- prometheus.Metric
}

// Put adds a row. A name that the page does not declare, or with other labels,
// is a mistake of ours and panics.
func (s *Sheet) Put(name string, value float64, labels ...string) {
	d := s.descs[name]
	if d == nil {
		panic("metric: the page does not declare " + name)
	}
	for i, l := range labels {
		if !utf8.ValidString(l) {
			labels[i] = strings.Trim(strconv.Quote(l), `"`) // groups may have any bytes for a name
		}
	}
	s.out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

// sheetScrapes is how many answers of one page are made at once: each walks
// all partitions and groups, so one more than that is told to come again.
const sheetScrapes = 2

// Handler answers with what fill puts; it is called for each request, with the
// request's context.
func (p Page) Handler(fill func(context.Context, *Sheet)) http.Handler {
	slots := make(chan struct{}, sheetScrapes)
	descs := map[string]*prometheus.Desc{}
	for _, r := range pages {
		if r.Page == p {
			descs[r.Name] = prometheus.NewDesc(r.Name, r.Help, r.Labels, nil)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			http.Error(w, fmt.Sprintf("%d scrapes of %s are being answered: try again later", sheetScrapes, p), http.StatusServiceUnavailable)
			return
		}
		reg := prometheus.NewRegistry()
		reg.MustRegister(sheets{func(out chan<- prometheus.Metric) { fill(r.Context(), &Sheet{descs, out}) }})
		promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}).ServeHTTP(w, r)
	})
}

// sheets is the collector of one answer. It describes nothing beforehand: the
// registry then checks each row as it comes.
type sheets struct {
	fill func(chan<- prometheus.Metric)
}

// Describe sends nothing: what a page holds is known when it is asked for (an
// unchecked collector).
func (sheets) Describe(chan<- *prometheus.Desc) {}

// Collect fills the page.
func (s sheets) Collect(out chan<- prometheus.Metric) { s.fill(out) }
