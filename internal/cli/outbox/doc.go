// Package outbox is the noun outbox: a table of a database is made, rows are put into it,
// and what is committed there becomes records of a topic or events of a bus. The work is
// that of package relay.
//
// Files: outbox.go (running the relay), outbox_table.go (making the table, putting rows).
package outbox
