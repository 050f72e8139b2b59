package known

// Absent stands for a field or row that one side does not have.
const Absent = "(absent)"

const absent = `\(absent\)`

// Answers are the differences of the wire protocol.
var Answers = []Difference{
	{
		Part:  "FindCoordinator",
		Where: `(groups|transactions)/find coordinator/.*ErrorMessage`, What: "FindCoordinator's error messages are Ottla's own.",
		Reason: "Clients show the text and act on the code.",
	},
	{
		Part:  "ApiVersions",
		Where: `protocol/api versions/.*/ApiKeys\[(17|29|30|31|36|38|39|40|41|48|49|50|51|64|8[01]|94)\]\..*`,
		Ottla: absent, What: "ApiVersions lists fewer APIs.",
		Reason: "Ottla lists exactly what it serves; logins, access control, quotas and changes of voters are not served yet.",
	},
	{
		Part: "ApiVersions", Where: `protocol/api versions/.*/ApiKeys\[7[12]\]\..*`, Kafka: absent,
		What:   "ApiVersions lists GetTelemetrySubscriptions and PushTelemetry.",
		Reason: "Kafka lists them when a plug-in that takes clients' metrics is installed; Ottla takes them itself.",
	},
	{
		Part:   "ApiVersions",
		Where:  `(protocol/api versions/.*/SupportedFeatures\[metadata\.version\]\.MinVersion|node/features after/.*/supported metadata\.version)`,
		What:   "metadata.version is supported at 33, the level of 4.4, alone.",
		Reason: "Metadata is written as that level has it and no other way, so no other level is promised.",
	},
	{
		Part: "WriteTxnMarkers", Where: `transactions/markers of an administrator/commits as a client/.*ErrorCode`, Kafka: "0", Ottla: "31",
		What: "A marker that commits is taken from nodes of the cluster alone.", Reason: "Anybody else would show readers what its producer may yet abort. Kafka refuses it where access control is on.",
	},
	{
		Part: "ReadShareGroupState", Where: `share/state/asked by a client/.*Error(Code|Message)`, Ottla: `31|Cluster authorization failed\.`,
		What: "The states of share groups are for nodes of the cluster alone (83 to 87).", Reason: "What a client wrote there would be taken for what members have acknowledged. Kafka refuses it where access control is on.",
	},
	{
		Part: "DescribeShareGroupOffsets", Where: `share/offsets/describe (all|some)/.*StartOffset`, Kafka: `0`, Ottla: `4`,
		What: "The start offset of a share group moves with every acknowledgement.", Reason: "Kafka moves it when a whole batch that was fetched is done; the lag is the same.",
	},
	{
		Part: "DescribeConfigs", Where: `node/settings of groups/.*\[share\.(key\.ordering|retry\.backoff\..*)\].*`, Kafka: absent,
		What: "Groups have settings of Ottla's own.", Reason: "docs/configuration.md lists them; without them a share group is Kafka's.",
	},
	{
		Part: "UpdateFeatures", Where: `node/features updated/one of two wrong v0/ErrorMessage`,
		What: "Of several updates that are refused the first one is named.", Reason: "Kafka names the one that comes first in a hash table.",
	},
	{
		Part:  "UpdateFeatures",
		Where: `node/features updated/metadata (beyond|down).*/ErrorMessage`, Ottla: `.*metadata\.version\. Local controller 1 only supports versions 33-33`,
		What: "A change of metadata.version is refused with another text.", Reason: "The level of 4.4 is the only one that is supported, see ApiVersions.",
	},
	{
		Part:  "DescribeQuorum",
		Where: `node/quorum described/.*(HighWatermark|LogEndOffset|LeaderEpoch)`, What: "The metadata log is shorter, and its leader's epoch lower.",
		Reason: "Each side counts its own records; Kafka writes one every half second when nothing happens, too.",
	},
	{
		Part:  "DescribeQuorum",
		Where: `node/quorum described/.*Nodes\[1\]\.Listeners\[(CONTROLLER|PLAINTEXT)\].*`, What: "A voter's endpoints are the node's Kafka listeners.",
		Reason: "One port serves clients and controllers.",
	},
	{
		Part: "OffsetFetch", Where: `consumer/commits/fetch of no id/.*ErrorCode`, Kafka: "-1", Ottla: "25",
		What:   "OffsetFetch with a member epoch and no member id gets 25 UNKNOWN_MEMBER_ID.",
		Reason: "Kafka answers UNKNOWN_SERVER_ERROR.",
	},
	{
		Part: "DescribeProducers", Where: `idempotence/described/producers/.*Partitions\[8\]\.ErrorMessage`, Kafka: "null",
		What:   "An unknown partition of a topic that exists has a message beside 3, too.",
		Reason: "Kafka has it only where the topic is unknown.",
	},
	{
		Part:  "Produce",
		Where: `(produce|idempotence|transactions)/.*\.Partitions\[\d+\]\.(ErrorRecords\[\d+\]\.)?ErrorMessage`,
		What:  "Produce errors carry messages of Ottla's own.",
		Reason: "They say what was wrong with the batch, which limit was passed and by how much; Kafka mostly sends none. " +
			"Clients show the text and act on the code.",
	},
	{
		Part:  "Produce",
		Where: `(produce|transactions)/.*\.LogStartOffset`, Kafka: "-1", Ottla: `\d+`, What: "An error in Produce tells the log start offset.",
		Reason: "Kafka tells it with some errors and -1 with others, by where in its code the error arises. No client reads it then.",
	},
	{
		Part:  "Produce",
		Where: `produce/batch/null records/.*`, What: "Produce with null records is answered (87 INVALID_RECORD).",
		Reason: "Kafka never answers it, so the client waits for its time-out.",
	},
	{
		Part:  "Produce",
		Where: `produce/batch/trailing bytes/.*`, What: "Bytes behind the batch are refused (87 INVALID_RECORD).",
		Reason: "Kafka stores the batch and drops up to 16 bytes that follow it without a word. No client sends them.",
	},
	{
		Part:  "Produce",
		Where: `produce/batch/(first offset delta 3|offset deltas not rising)/.*`, What: "Offset deltas that do not count up from 0 are refused (87 INVALID_RECORD) in plain batches too.",
		Reason: "Kafka checks compressed batches only; what it stores has records with offsets of the batch behind it, or one offset twice.",
	},
	{
		Part:  "Produce",
		Where: `produce/batch/(gzip|snappy|lz4|zstd) garbage/.*`, What: "Records that cannot be decompressed get 87 INVALID_RECORD.",
		Kafka: "-1", Ottla: "87",
		Reason: "Kafka answers UNKNOWN_SERVER_ERROR.",
	},
	{
		Part:  "Produce",
		Where: `produce/batch/gzip with offset deltas from 3/.*ErrorCode`, Kafka: "-1", Ottla: "87",
		What: "A compressed batch whose offset deltas do not start at 0 gets 87 INVALID_RECORD.", Reason: "Kafka answers UNKNOWN_SERVER_ERROR.",
	},
	{
		Part:  "Produce",
		Where: `produce/batch/codec [57]/.*ErrorCode`, Kafka: "-1", Ottla: "87",
		What: "An unknown compression gets 87 INVALID_RECORD.", Reason: "Kafka answers UNKNOWN_SERVER_ERROR.",
	},
	{
		Part: "Fetch", Where: `fetch/isolation/isolation 2 .*`,
		What: "An isolation level that does not exist is refused (42 INVALID_REQUEST).", Reason: "Kafka answers UNKNOWN_SERVER_ERROR. No client sends one.",
	},
	{
		Part: "ListOffsets", Where: `list offsets/errors/isolation 3 .*`, Kafka: "-1", Ottla: "42",
		What: "An isolation level that does not exist is refused (42 INVALID_REQUEST).", Reason: "Kafka answers UNKNOWN_SERVER_ERROR. No client sends one.",
	},
	{
		Part:  "Fetch",
		Where: `fetch/as a replica/.*`, What: "A Fetch in a replica's name is refused (29 TOPIC_AUTHORIZATION_FAILED).",
		Reason: "Only nodes of the cluster may fetch as replicas, and there are no others yet; Kafka answers 6, as it does to any stranger.",
	},
	{
		Part:  "ListOffsets",
		Where: `list offsets/after records were deleted/of none, time -3/.*`, What: "The offset of the largest timestamp of an empty log is -1.",
		Reason: "Kafka names a record that was deleted.",
	},
	{
		Part:  "DescribeConfigs",
		Where: `(settings|create topics)/.*\[durability\].*`, Kafka: absent, What: "Topics and brokers have the setting durability.",
		Reason: "It is Ottla's own: fsync, replicated or memory.",
	},
	{
		Part:  "DescribeConfigs",
		Where: `(settings|create topics)/.*\[deliver\.to\].*`, Kafka: absent, What: "Topics have the setting deliver.to.",
		Reason: "It is Ottla's own: records of such a topic appear in another when their time has come.",
	},
	{
		Part:  "DescribeConfigs",
		Where: `node/settings of groups/.*\[queue\..*`, Kafka: absent, What: "Groups have the settings of queues.",
		Reason: "They are Ottla's own: a queue is a share group.",
	},
	{
		Part:  "DescribeConfigs",
		Where: `settings/of a broker/.*\[(disk|http|cluster|kafka|verify|advertise|quorum|timers|outbound|functions)\..*`, Kafka: absent, What: "Brokers have settings of Ottla's own.",
		Reason: "docs/configuration.md lists them.",
	},
	{
		Part:   "DescribeConfigs",
		Where:  `settings/of a broker/.*\[(controller\.quorum\.bootstrap\.servers|controller\.listener\.names|process\.roles|listeners|log\.dirs)\].*`,
		What:   "Settings of the start differ.",
		Reason: "Each side was started with its own ports, folders and roles; Ottla needs neither controller listener nor roles.",
	},
	{
		Part:  "DescribeConfigs",
		Where: `settings/described wrongly/.*ErrorMessage`, What: "The text beside 42 INVALID_REQUEST is another.", Reason: "The code is the same.",
	},
	{
		Part:  "IncrementalAlterConfigs",
		Where: `settings/altered step by step/unknown operation v\d/.*`, Kafka: "-1|null",
		What: "An unknown operation in IncrementalAlterConfigs gets 42 INVALID_REQUEST and a message.", Reason: "Kafka answers UNKNOWN_SERVER_ERROR.",
	},
	{
		Part:   "Metadata",
		Where:  `metadata/(every version/unknown topic v[0-3]|auto creation/.*)/Topics\[.*`,
		What:   "Metadata that creates a topic answers with it.",
		Reason: "Kafka answers 3 UNKNOWN_TOPIC_OR_PARTITION and creates it behind the answer, so its clients ask again.",
	},
	{
		Part:  "Metadata",
		Where: `metadata/topics/neither v1[23]/.*`, What: "A Metadata row with neither name nor id fails alone.",
		Reason: "Kafka fails the whole request with UNKNOWN_SERVER_ERROR.",
	},
	{
		Part:  "Restarts",
		Where: `(idempotence|transactions)/restart/.*RecordBatches\[\d\]`, What: "A restart raises the leader epoch by one.",
		Reason: "Kafka raises it by two, once when the node is fenced and once when it leads again.",
	},
	{
		Part: "AddPartitionsToTxn", Where: `transactions/add partitions in batches/nothing, .*`,
		What: "A batch without transactions is answered.", Reason: "Kafka never answers it.",
	},
	{
		Part:   "Fetch",
		Where:  `transactions/.*\.AbortedTransactions.*`,
		What:   "Aborted transactions are listed by their first offset.",
		Reason: "Kafka lists them by where they end; clients sort the list.",
	},
	{
		Part: "DescribeTransactions", Where: `transactions/.*\.Partitions`, Kafka: `\[1 0\]`, Ottla: `\[0 1\]`,
		What: "The partitions of a transaction are told in order.", Reason: "Kafka tells them in the order of a hash set.",
	},
	{
		Part: "ListOffsets", Where: `transactions/offsets listed/open: time -3, isolation 1 .*`,
		What:   "The offset of the largest timestamp, asked for at read_committed while a transaction is open, is that of the records before it.",
		Reason: "Kafka looks at all records, and answers none when the largest timestamp is behind the last stable offset.",
	},
}
