package explain

import w "ottla/internal/wire"

// cause is what people meet behind a code, and what mends it.
type cause struct{ causes, mends []string }

// advice holds the codes whose cause does not follow from their text. Codes
// without a row mean what package wire says of them and no more.
var advice = map[w.Code]cause{
	w.UnknownServerError: {
		[]string{"a fault inside the server, or a client that sent what nobody foresaw"},
		[]string{"read the server's log at that time: it has the cause"}},
	w.OffsetOutOfRange: {
		[]string{"the consumer was away longer than retention.ms, so its offset was deleted", "the topic was deleted and made again", "records were deleted by hand"},
		[]string{"ottla group describe GROUP shows which offsets lie outside", "ottla group reset GROUP --to start (or end)", "raise retention.ms if consumers may be away that long"}},
	w.CorruptMessage: {
		[]string{"the batch was damaged on its way or on the disk", "a compacted topic got a record without a key"},
		[]string{"give records of compacted topics a key", "check the machine's disk and memory when it repeats"}},
	w.UnknownTopicOrPartition: {
		[]string{"the name is mistyped, or the topic was deleted", "topics are not made by themselves (auto.create.topics.enable=false)", "a client still has metadata from before the topic was made"},
		[]string{"ottla topic list", "ottla topic create NAME"}},
	w.LeaderNotAvailable: {
		[]string{"the partition was just made, or its leader is being chosen", "all replicas of the partition are on nodes that are down"},
		[]string{"wait a moment: clients retry", "ottla topic describe NAME shows leaders and replicas"}},
	w.NotLeaderOrFollower: {
		[]string{"the leader moved and the client has old metadata"},
		[]string{"nothing: clients fetch metadata and try again"}},
	w.RequestTimedOut: {
		[]string{"the disk is slow: acks=all waits for a sync", "too few replicas answer in time"},
		[]string{"ottla doctor", "look at ottla_log_sync_seconds in /metrics"}},
	w.MessageTooLarge: {
		[]string{"a batch is larger than the topic's max.message.bytes (or the broker's message.max.bytes)"},
		[]string{"ottla config set max.message.bytes=… --topic NAME", "lower the producer's max.request.size or batch.size, or compress"}},
	w.RecordListTooLarge: {
		[]string{"a batch is larger than a segment of the topic may be"},
		[]string{"raise segment.bytes of the topic, or send smaller batches"}},
	w.OffsetMetadataTooLarge: {
		[]string{"an application stores a long text beside its offset"},
		[]string{"store less, or raise offset.metadata.max.bytes"}},
	w.CoordinatorLoadInProgress: {
		[]string{"the node has just started and reads the groups' offsets"},
		[]string{"wait: clients retry"}},
	w.CoordinatorNotAvailable: {
		[]string{"the topic __consumer_offsets is being made, or its partition has no leader"},
		[]string{"wait a moment: clients retry", "ottla topic describe __consumer_offsets"}},
	w.NotCoordinator: {
		[]string{"the group's coordinator moved"},
		[]string{"nothing: clients ask for the coordinator again"}},
	w.InvalidTopic: {
		[]string{"the name has characters other than letters, digits, '.', '_' and '-', or more than 249", "an internal topic was written to"},
		[]string{"choose another name"}},
	w.NotEnoughReplicas: {
		[]string{"min.insync.replicas is above the number of replicas in sync", "min.insync.replicas is above the topic's replication factor: then no acks=all record is ever taken"},
		[]string{"ottla topic describe NAME shows which replicas are in sync", "ottla doctor"}},
	w.NotEnoughReplicasAfterAppend: {
		[]string{"replicas fell out of sync while the record was written"},
		[]string{"the record may be there: an idempotent producer retries without doubling it"}},
	w.IllegalGeneration: {
		[]string{"a consumer took longer than max.poll.interval.ms between polls and its partitions went to others"},
		[]string{"handle fewer records a poll (max.poll.records) or raise max.poll.interval.ms", "ottla group describe GROUP"}},
	w.InconsistentGroupProtocol: {
		[]string{"members of one group use assignors that have none in common", "an application of another kind uses the same group id"},
		[]string{"give all members one partition.assignment.strategy", "use another group id"}},
	w.UnknownMemberID: {
		[]string{"the member was removed: it missed heartbeats for session.timeout.ms, or was too slow between polls"},
		[]string{"nothing when it is rare: clients join again", "ottla group describe GROUP, when it repeats"}},
	w.InvalidSessionTimeout: {
		[]string{"session.timeout.ms of the consumer lies outside the broker's group.min/max.session.timeout.ms"},
		[]string{"ottla config list --broker 1 --all shows both limits"}},
	w.RebalanceInProgress: {
		[]string{"a member joined or left, and the group shares its partitions anew"},
		[]string{"nothing: clients join again", "when it never ends, a member does not answer: ottla group describe GROUP"}},
	w.TopicAuthorizationFailed: {
		[]string{"the user may not do this with the topic"},
		[]string{"ask who manages access for the permission"}},
	w.InvalidTimestamp: {
		[]string{"a record's time is further from the server's clock than message.timestamp.before.max.ms or after.max.ms allow", "a clock is wrong, or a time is in seconds or microseconds instead of milliseconds"},
		[]string{"check the producer's clock and unit", "widen the two settings on the topic to load old data"}},
	w.UnsupportedVersion: {
		[]string{"the client is newer or older than what the server speaks, or asks for a feature that is not served"},
		[]string{"ottla kafka broker-api-versions --bootstrap-server HOST:PORT", "docs/compatibility.md lists what is served"}},
	w.TopicAlreadyExists: {
		nil, []string{"ottla topic describe NAME", "ottla topic create NAME --if-not-exists"}},
	w.InvalidPartitions: {
		[]string{"a topic cannot shrink, and grows to a number above what it has"},
		[]string{"make a new topic to have fewer partitions"}},
	w.InvalidReplicationFactor: {
		[]string{"more replicas were asked for than there are nodes"},
		[]string{"ottla cluster shows the nodes", "ask for fewer replicas, or -1 for the default"}},
	w.InvalidConfig: {
		[]string{"the setting's name is mistyped, or its value lies outside what it takes"},
		[]string{"ottla explain SETTING shows what it takes"}},
	w.PolicyViolation: {
		[]string{"the server does not allow this here, such as deleting records of a compacted topic"},
		[]string{"the message beside the code says which rule"}},
	w.OutOfOrderSequenceNumber: {
		[]string{"a record of an idempotent producer was lost on its way and later ones arrived", "two producers use one transactional id"},
		[]string{"close the producer and open a new one"}},
	w.InvalidProducerEpoch: {
		[]string{"another producer with the same transactional id has started"},
		[]string{"give each running producer an id of its own"}},
	w.ProducerFenced: {
		[]string{"another producer with the same transactional id has started"},
		[]string{"give each running producer an id of its own"}},
	w.InvalidTxnState: {
		[]string{"a call came out of order: a send outside a transaction, or an end without a begin"},
		[]string{"begin a transaction before sending"}},
	w.InvalidTransactionTimeout: {
		[]string{"the producer's transaction.timeout.ms is above the broker's transaction.max.timeout.ms"},
		[]string{"lower the one or raise the other"}},
	w.ConcurrentTransactions: {
		[]string{"the last transaction of this id is still being completed"},
		[]string{"nothing: clients retry"}},
	w.KafkaStorageError: {
		[]string{"a log directory failed: the disk is full, gone or read-only"},
		[]string{"ottla cluster shows the directories", "read the server's log; mend the disk and start the node again"}},
	w.UnknownProducerID: {
		[]string{"the producer was silent longer than producer.id.expiration.ms, or its records were deleted"},
		[]string{"nothing: newer clients go on by themselves"}},
	w.NonEmptyGroup: {
		[]string{"the group still has members"},
		[]string{"ottla group describe GROUP shows who they are; stop them first"}},
	w.GroupIDNotFound: {
		[]string{"the group never committed, or its offsets expired (offsets.retention.minutes)"},
		[]string{"ottla group list"}},
	w.FencedLeaderEpoch: {
		[]string{"the client has older metadata than the server"},
		[]string{"nothing: clients fetch metadata and try again"}},
	w.UnknownLeaderEpoch: {
		[]string{"the server has older metadata than the client"},
		[]string{"wait a moment: clients retry"}},
	w.OffsetNotAvailable: {
		[]string{"a new leader does not know yet how far its followers are"},
		[]string{"wait a moment: clients retry"}},
	w.MemberIDRequired: {
		[]string{"the first half of joining a group: the coordinator gave the member its id"},
		[]string{"nothing: clients join again with it"}},
	w.GroupMaxSizeReached: {
		[]string{"the group has group.max.size members"},
		[]string{"raise group.max.size, or start fewer members: more than partitions are idle anyway"}},
	w.FencedInstanceID: {
		[]string{"two consumers use one group.instance.id"},
		[]string{"give each instance an id of its own"}},
	w.GroupSubscribedToTopic: {
		[]string{"offsets of a topic that the group still reads cannot be deleted"},
		[]string{"stop the group's members first"}},
	w.InvalidRecord: {
		[]string{"a record has no key on a compacted topic", "a record's time or format is not taken"},
		[]string{"the message beside the code says which record and why"}},
	w.UnstableOffsetCommit: {
		[]string{"offsets were committed in a transaction that has not ended"},
		[]string{"wait: clients retry", "an open transaction that never ends: ottla doctor"}},
	w.ThrottlingQuotaExceeded: {
		[]string{"too many topics or partitions are changed at once for the quota"},
		[]string{"wait as long as the answer says, or raise controller_mutation_rate"}},
	w.UnknownTopicID: {
		[]string{"the topic was deleted, and maybe made again under the same name"},
		[]string{"nothing: clients fetch metadata and try again"}},
	w.InconsistentTopicID: {
		[]string{"the topic was deleted and made again under the same name"},
		[]string{"nothing: clients fetch metadata and try again"}},
	w.FencedMemberEpoch: {
		[]string{"the member was removed from its group, or another took its place"},
		[]string{"nothing: clients join again"}},
	w.UnreleasedInstanceID: {
		[]string{"another consumer with this group.instance.id is still in the group"},
		[]string{"stop it, or wait for its session to end"}},
	w.StaleMemberEpoch: {
		[]string{"a commit came from before the last rebalance"},
		[]string{"nothing: clients commit again"}},
	w.TransactionAbortable: {
		[]string{"the transaction cannot commit; it can be aborted and begun again"},
		[]string{"abort it in the application and repeat its work"}},
	w.InvalidRegularExpression: {
		[]string{"a subscription's pattern is not RE2 syntax (no look-around, no back references)"},
		[]string{"write it without them"}},
	w.RebootstrapRequired: {
		[]string{"the nodes that the client knew are gone"},
		[]string{"nothing: newer clients begin again with bootstrap.servers"}},
}
