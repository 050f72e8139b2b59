// Package topics is the commands of what Kafka's clients know: topic, config, produce,
// consume, group and txn, and log, which looks into log directories. What groups and
// transactions are at is found out by the packages groups and txns; what is wrong with the
// cluster below them is told by package admin.
//
// Reading order: topic.go, topic_describe.go; config.go (settings, and whose they are);
// produce.go, consume.go, positions.go (from where and until where records are read);
// group.go, group_held.go (what share groups hold), group_reset.go; txn.go, txn_abort.go;
// log.go, log_dump.go.
package topics
