// Package relay takes the rows of an outbox table into a topic, each exactly once.
//
// It is not for reading tables (relay/table), nor for what a command takes and says
// (package cli).
//
// Main types: Row; Relay, which runs the loop; Log, where rows go.
//
// Files in reading order: row.go (a row becomes an event and a record), relay.go (the
// loop), log.go (one transaction), progress.go (what it remembers, and how that is found
// again).
//
// # Why each row is written once
//
// A turn reads rows that are not done, writes their records and the ids of just these
// rows in one transaction, and then has the table delete or mark them. The next turn
// begins when that is committed. So at any moment at most one turn's rows are written and
// not yet done, and the progress topic names them. A relay that starts fences all others
// of its name, whose transactions end by that, reads these ids, and does them first.
// Beside each id is a sum of its row: a row that has the id and another sum is of a table
// that was made anew, or of an id that was used again. It is neither deleted nor written,
// and the relay ends. So it does when a row is read again that was written lately, which
// happens where another server is read than the one that deletes.
//
// Nothing hangs on the order of ids: a row whose transaction commits late is not done, so
// a later turn reads it.
//
// What is taken for granted: an id is used once, and a database keeps what it has
// committed. Sources: the transactional outbox as Debezium names its columns; KIP-98.
package relay
