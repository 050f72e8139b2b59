// Package layout names the files and directories of a log directory as Kafka
// names them, and clears away what a crash, or Kafka, left half done in a
// partition directory.
//
// It holds no state and decides nothing about the content of a log.
//
// Files: names.go (segment files, partition directories), clean.go (leftovers).
// Sources: Kafka's UnifiedLog and LogLoader for the forms of names and for what
// a restart does with .deleted, .cleaned and .swap files.
package layout
