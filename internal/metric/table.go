package metric

// Kind of an instrument.
type Kind string

// The kinds, by Prometheus' names.
const (
	KindCounter   Kind = "counter"
	KindGauge     Kind = "gauge"
	KindHistogram Kind = "histogram"
)

// Def declares one metric. Names are ottla_<part>_<thing>_<unit>; counters end
// in _total.
type Def struct {
	Name  string
	Kind  Kind
	Label string // the one label it has, "" none
	Help  string
	// Bounds of a histogram's buckets, in the unit of its name, rising.
	Bounds []float64
}

// seconds are the buckets of latencies: from an answer out of memory to one
// that ran into its time-out.
var seconds = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// sizes are the buckets of batches: from a lone small record to what
// message.max.bytes lets through, and beyond.
var sizes = []float64{128, 256, 512, 1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10, 1 << 20, 4 << 20, 16 << 20}

// table lists every metric of /metrics; docs and dashboards come from it. The
// library adds those of the process and of the Go runtime under their usual
// names.
var table = []Def{
	{Name: "ottla_kafka_requests_total", Kind: KindCounter, Label: "api", Help: "Kafka requests taken, by API."},
	{Name: "ottla_kafka_requests_failed_total", Kind: KindCounter, Label: "api", Help: "Kafka requests that ended in an internal error or a closed connection, by API."},
	{Name: "ottla_kafka_request_duration_seconds", Kind: KindHistogram, Label: "api", Bounds: seconds, Help: "Time from the last byte of a Kafka request to its answer being written, by API."},
	{Name: "ottla_kafka_received_bytes_total", Kind: KindCounter, Help: "Bytes of Kafka requests."},
	{Name: "ottla_kafka_sent_bytes_total", Kind: KindCounter, Help: "Bytes of Kafka answers."},
	{Name: "ottla_kafka_connections", Kind: KindGauge, Help: "Kafka connections open now."},
	{Name: "ottla_kafka_connections_total", Kind: KindCounter, Help: "Kafka connections taken."},
	{Name: "ottla_kafka_connections_refused_total", Kind: KindCounter, Help: "Kafka connections refused by max.connections or max.connections.per.ip."},
	{Name: "ottla_kafka_connections_expired_total", Kind: KindCounter, Help: "Kafka connections closed for being idle or not reading their answers."},
	{Name: "ottla_kafka_handler_panics_total", Kind: KindCounter, Help: "Panics of handlers; each cost its connection. Above zero is a bug to report."},
	{Name: "ottla_kafka_errors_total", Kind: KindCounter, Label: "code", Help: "Errors of Produce and Fetch by Kafka's name of the code, one for each partition."},
	{Name: "ottla_produce_batches_total", Kind: KindCounter, Help: "Batches appended for producers."},
	{Name: "ottla_produce_bytes_total", Kind: KindCounter, Help: "Bytes of batches appended for producers."},
	{Name: "ottla_produce_batch_size_bytes", Kind: KindHistogram, Bounds: sizes, Help: "Bytes of a batch appended for a producer, as it came: compressed."},
	{Name: "ottla_fetch_bytes_total", Kind: KindCounter, Help: "Bytes of records in answers to Fetch."},
	{Name: "ottla_fetch_sessions", Kind: KindGauge, Help: "Fetch sessions held."},
	{Name: "ottla_fetch_sessions_evicted_total", Kind: KindCounter, Help: "Fetch sessions evicted for others."},
	{Name: "ottla_log_sync_duration_seconds", Kind: KindHistogram, Bounds: seconds, Help: "Time of one sync round of a log directory."},
	{Name: "ottla_log_syncs_total", Kind: KindCounter, Help: "Sync rounds of log directories."},
	{Name: "ottla_log_syncs_failed_total", Kind: KindCounter, Help: "Sync rounds that failed; each took its log directory offline."},
	{Name: "ottla_log_cleanings_total", Kind: KindCounter, Help: "Compactions of a log that were begun and found work."},
	{Name: "ottla_log_cleanings_failed_total", Kind: KindCounter, Help: "Compactions that failed: no room, or a log that can not be read."},
	{Name: "ottla_log_cleaner_read_bytes_total", Kind: KindCounter, Help: "Bytes that compaction read."},
	{Name: "ottla_log_cleaner_written_bytes_total", Kind: KindCounter, Help: "Bytes that compaction wrote."},
	{Name: "ottla_log_cleaner_dropped_records_total", Kind: KindCounter, Help: "Records that compaction dropped."},
	{Name: "ottla_replica_fetch_requests_total", Kind: KindCounter, Help: "Fetches that this node sent to leaders for its followers."},
	{Name: "ottla_replica_fetch_bytes_total", Kind: KindCounter, Help: "Bytes of records that followers here got from their leaders."},
	{Name: "ottla_replica_connections_failed_total", Kind: KindCounter, Help: "Connections to leaders' nodes that could not be made, or broke."},
	{Name: "ottla_replica_throttled_bytes_total", Kind: KindCounter, Label: "side", Help: "Bytes of throttled replicas that count against the rate of their side: leader (sent) or follower (fetched). Only while there is a rate."},
	{Name: "ottla_replica_throttle_waits_total", Kind: KindCounter, Label: "side", Help: "Times that a throttled replica was left out of a fetch because the rate of its side was reached."},
	{Name: "ottla_replica_damages_total", Kind: KindCounter, Help: "Times that a range of a log could not be read: damaged where it was durable."},
	{Name: "ottla_replica_ranges_mended_total", Kind: KindCounter, Help: "Damaged ranges that were replaced with the records of another replica."},
	{Name: "ottla_replica_renewals_total", Kind: KindCounter, Help: "Damaged replicas that were fetched anew as a whole."},
	{Name: "ottla_log_uncleanable_partitions", Kind: KindGauge, Help: "Partitions that compaction leaves out because their log can not be read or understood."},
	{Name: "ottla_log_bytes", Kind: KindGauge, Help: "Bytes of all segments, the metadata log's too."},
	{Name: "ottla_log_directories_offline", Kind: KindGauge, Help: "Log directories that failed and serve nothing any more."},
	{Name: "ottla_broker_partitions", Kind: KindGauge, Help: "Partitions held by this node."},
	{Name: "ottla_broker_partitions_recovering", Kind: KindGauge, Help: "Partitions still being recovered after the start."},
	{Name: "ottla_broker_partitions_closed", Kind: KindGauge, Help: "Partitions whose log cannot be opened, for want of room as a rule; it is tried again."},
	{Name: "ottla_coordinator_commands_total", Kind: KindCounter, Help: "Commands decided by the coordinators of groups, transactions and share-partitions."},
	{Name: "ottla_coordinator_commands_failed_total", Kind: KindCounter, Help: "Commands refused by coordinators, for reasons of their groups or transactions too."},
	{Name: "ottla_coordinator_loads_total", Kind: KindCounter, Help: "Partitions that coordinators have read after becoming their leader, or after a loss."},
	{Name: "ottla_coordinator_loads_failed_total", Kind: KindCounter, Help: "Partitions that a coordinator could not read; it tries again."},
	{Name: "ottla_coordinator_load_duration_seconds", Kind: KindHistogram, Bounds: seconds, Help: "Time from becoming a partition's leader to its coordinator being ready."},
	{Name: "ottla_coordinator_transactions", Kind: KindGauge, Label: "state", Help: "Transactional ids whose coordinator this node is, by Kafka's name of their state; Ongoing are open."},
	{Name: "ottla_coordinator_groups", Kind: KindGauge, Label: "state", Help: "Groups whose coordinator this node is, by Kafka's name of their state."},
	{Name: "ottla_share_dead_letters_total", Kind: KindCounter, Help: "Dead letters that share groups have written."},
	{Name: "ottla_share_dead_letters_failed_total", Kind: KindCounter, Help: "Tries to write dead letters that failed; those that cannot pass gave records up without letters, and the log says why."},
	{Name: "ottla_timers_pending", Kind: KindGauge, Label: "state", Help: "Timers that this node coordinates: waiting for their time, and due but not appended yet."},
	{Name: "ottla_timers_appended_total", Kind: KindCounter, Help: "Timers whose records were appended to their topics."},
	{Name: "ottla_timers_lateness_seconds", Kind: KindHistogram, Bounds: seconds, Help: "Time from when a timer was due to its record being committed, by the domain clock."},
	{Name: "ottla_timers_failed_total", Kind: KindCounter, Help: "Timers that were given up, because their topic is gone or takes their record not; the log names them."},
	{Name: "ottla_timers_batches_failed_total", Kind: KindCounter, Help: "Batches of timers that could not be appended and are tried again."},
	{Name: "ottla_timers_line_records_total", Kind: KindCounter, Help: "Records of delay lines that were taken up."},
	{Name: "ottla_timers_line_records_failed_total", Kind: KindCounter, Help: "Records of delay lines that were given up, because their topic takes none so large; the log names them."},
	{Name: "ottla_timers_line_malformed_total", Kind: KindCounter, Help: "Records of delay lines whose deliver-at or deliver-after says no time; they are due at once."},
	{Name: "ottla_queue_messages_sent_total", Kind: KindCounter, Label: "queue", Help: "Messages sent by queues' doors, by queue (the first 200, then other). What Kafka producers write does not count."},
	{Name: "ottla_queue_messages_taken_total", Kind: KindCounter, Label: "queue", Help: "Messages taken by queues' doors, by queue."},
	{Name: "ottla_queue_messages_acknowledged_total", Kind: KindCounter, Label: "queue", Help: "Messages acknowledged by receipts, by queue."},
	{Name: "ottla_queue_messages_returned_total", Kind: KindCounter, Label: "queue", Help: "Messages given back by receipts, at once or with a delay, by queue. Those whose time was over are not among them."},
	{Name: "ottla_queue_messages_rejected_total", Kind: KindCounter, Label: "queue", Help: "Messages made dead letters by receipts, by queue."},
	{Name: "ottla_queue_messages_moved_total", Kind: KindCounter, Label: "queue", Help: "Messages moved out of a queue by moves and redrives, by queue."},
	{Name: "ottla_queue_dead_letters_total", Kind: KindCounter, Label: "queue", Help: "Dead letters written of a queue's messages, by the queue's topic."},
	{Name: "ottla_sns_published_total", Kind: KindCounter, Label: "sns_topic", Help: "Messages published to SNS topics by their doors, by topic (the first 200, then other). What rules and Kafka producers write does not count."},
	{Name: "ottla_sns_published_failed_total", Kind: KindCounter, Label: "sns_topic", Help: "Messages that were refused or could not be published, by SNS topic."},
	{Name: "ottla_schedule_runs_total", Kind: KindCounter, Help: "Runs of schedules that were delivered."},
	{Name: "ottla_schedule_runs_failed_total", Kind: KindCounter, Help: "Runs of schedules that were given up; the log names them, and they are dead letters where the schedule names a queue for them."},
	{Name: "ottla_schedule_runs_skipped_total", Kind: KindCounter, Help: "Runs whose time passed while no node was there, and that the schedule's policy does not make up for, or that were too old."},
	{Name: "ottla_bus_events_matched_total", Kind: KindCounter, Help: "Events that were given to a target, once for each target, by the passes of buses and SNS topics at this node."},
	{Name: "ottla_bus_events_delivered_total", Kind: KindCounter, Help: "Events that were written for a target: to its topic, queue or bus, or for delivery to its address or function."},
	{Name: "ottla_bus_dead_letters_total", Kind: KindCounter, Help: "Events that were given up at a target and are in its queue for dead letters."},
	{Name: "ottla_bus_events_dropped_total", Kind: KindCounter, Help: "Events that were given up at a target that has no queue for dead letters, or one that refuses them; the log names them."},
	{Name: "ottla_bus_offsets_missed_total", Kind: KindCounter, Help: "Offsets that retention took from a bus before its pass had read them."},
	{Name: "ottla_schedule_http_attempts_total", Kind: KindCounter, Help: "Calls of the URLs and functions of schedules."},
	{Name: "ottla_delivery_delivered_total", Kind: KindCounter, Help: "Deliveries to HTTP addresses and functions that were taken."},
	{Name: "ottla_delivery_attempts_total", Kind: KindCounter, Help: "Calls of HTTP addresses and functions that are targets."},
	{Name: "ottla_delivery_attempts_failed_total", Kind: KindCounter, Help: "Calls of targets that failed, whether they are made again or not."},
	{Name: "ottla_delivery_dead_letters_total", Kind: KindCounter, Help: "Deliveries that were given up and are dead letters."},
	{Name: "ottla_delivery_dropped_total", Kind: KindCounter, Help: "Deliveries that were given up and have no queue for dead letters, or whose target was removed; the log names them."},
	{Name: "ottla_mapping_taken_total", Kind: KindCounter, Help: "Messages of queues and records of topics that mappings took for functions; those that failed count each time."},
	{Name: "ottla_mapping_calls_total", Kind: KindCounter, Help: "Calls of functions by mappings."},
	{Name: "ottla_mapping_calls_failed_total", Kind: KindCounter, Help: "Calls of functions by mappings that failed, or of which the function reported something as failed."},
	{Name: "ottla_mapping_dead_letters_total", Kind: KindCounter, Help: "Records of topics that mappings gave up and made dead letters."},
	{Name: "ottla_mapping_filtered_total", Kind: KindCounter, Help: "Messages of queues that mappings deleted, and records of topics that they passed over, because they fit no filter."},
	{Name: "ottla_mapping_dropped_total", Kind: KindCounter, Help: "Records of topics that mappings gave up and that have no queue for dead letters; the log names them."},
	{Name: "ottla_client_metrics_pushes_total", Kind: KindCounter, Help: "Pushes of metrics by clients (KIP-714)."},
	{Name: "ottla_client_metrics_pushes_failed_total", Kind: KindCounter, Help: "Pushes of client metrics that were refused."},
	{Name: "ottla_client_metrics_bytes_total", Kind: KindCounter, Help: "Bytes of client metrics as they were pushed."},
	{Name: "ottla_client_metrics_clients", Kind: KindGauge, Help: "Clients remembered that asked for or pushed metrics."},
	{Name: "ottla_client_metrics_points_total", Kind: KindCounter, Label: "metric", Help: "Data points that clients pushed, by the metric's name (up to 300 names, then other)."},
	{Name: "ottla_client_metrics_sum", Kind: KindGauge, Label: "metric", Help: "Sum over all clients, since the start, of the deltas pushed, by the metric's name."},
	{Name: "ottla_metadata_offset", Kind: KindGauge, Help: "Offset of the newest metadata record applied."},
	{Name: "ottla_metadata_topics", Kind: KindGauge, Help: "Topics in the metadata."},
}

// All lists the declared metrics.
func All() []Def { return table }
