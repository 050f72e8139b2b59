package known

// Lines are the differences in what Kafka's tools print.
var Lines = []Difference{
	{
		Where: "api versions", Kafka: `out \t[A-Za-z]+\(\d+\): .*`, Ottla: `out \t[A-Za-z]+\(\d+\): UNSUPPORTED,?`,
		What:   "kafka-broker-api-versions shows APIs as UNSUPPORTED.",
		Reason: "Ottla lists exactly what it serves; transactions, access control and the cluster are not served yet.",
	},
	{
		Where: "api versions", Kafka: `out \t(GetTelemetrySubscriptions\(71\)|PushTelemetry\(72\)): UNSUPPORTED,`,
		What:   "kafka-broker-api-versions shows the telemetry APIs.",
		Reason: "Ottla receives clients' metrics without a plugin; Kafka lists the two when a reporter that takes them is configured.",
	},
	{
		Where: "features( lowered, described)?", Kafka: "out Feature: .*",
		What:   "kafka-features shows metadata.version at one level, and no feature that is not served yet.",
		Reason: "Metadata is written at the level of 4.4 alone.",
	},
	{
		Where: "metadata lowered", Kafka: ".*Refusing to perform the requested downgrade because it might delete metadata information\\.", Ottla: ".*Local controller 1 only supports versions 33-33",
		What:   "kafka-features refuses to lower metadata.version with another reason.",
		Reason: "As with kafka-features describe.",
	},
	{
		Where: "quorum status", Kafka: ".*CONTROLLER://ADDR.*", Ottla: ".*PLAINTEXT://ADDR.*",
		What:   "kafka-metadata-quorum shows the Kafka listener as the voter's endpoint.",
		Reason: "One port serves clients and controllers.",
	},
	{
		Where: "all configs of a group", Kafka: absent, Ottla: "out   (share\\.(key\\.ordering|retry\\..*)|queue\\..*)=.*",
		What:   "Groups have settings for the order of keys, for pauses between deliveries and for queues.",
		Reason: "They are Ottla's own; without them a share group is Kafka's.",
	},
	{
		Where: "all configs of a topic", Kafka: absent, Ottla: "out   (durability=fsync|deliver\\.to=) .*",
		What:   "Topics have the settings durability and deliver.to.",
		Reason: "They are Ottla's own: fsync, replicated or memory, and the topic in which records appear when their time has come.",
	},
	{
		Where: "(perf|produce).*", Kafka: ".*UNKNOWN_TOPIC_OR_PARTITION.*", Ottla: absent,
		What:   "A producer to a topic that is created by it warns of nothing.",
		Reason: "Ottla's Metadata answer has the new topic; Kafka's comes before it exists.",
	},
	{
		Where: "streams: warm-up replicas", Ottla: "(.*Unknown group config name: streams\\.(num\\.warmup|acceptable|task).*|.*Error while executing config command.*|exit 1)",
		What:   "kafka-configs cannot set what a group says of warm-up tasks.",
		Reason: "Kafka 4.4 takes it, and lets no task warm up whatever it says; settings without effect are refused.",
	},
	{
		Where: "consumers: members( in full)?", Kafka: "(out served-group +member-b .*|" + absent + ")",
		What:   "kafka-consumer-groups shows the members of a group in the order of their ids.",
		Reason: "Kafka's broker gives them in the order of a hash table.",
	},
	{
		Where: "share: offsets( in full)?", Kafka: `out sharers +shared +0 .*`,
		What:   "The start offset of a share group moves with every acknowledgement.",
		Reason: "Kafka moves it when a whole batch that was fetched is done; the lag is the same.",
	},
	{
		Where: "transactions: log", Kafka: `.*"ends".*"__consumer_offsets".*`, Ottla: `.*"__consumer_offsets".*"ends".*`,
		What:   "The partitions of a transaction are stored in the order of their topics.",
		Reason: "Kafka stores them in the order of a hash set.",
	},
	{
		Where: "transactions: log of offsets", Kafka: `out .* sequence: 0 .*`, Ottla: `out .* sequence: -1 .*`,
		What:   "Offsets that were committed in a transaction lie in batches without a sequence.",
		Reason: "Kafka numbers each such batch from 0, whatever came before; nobody reads the number.",
	},
}
