package log

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Suffixes of a segment's files, and of unfinished work, as Kafka names them.
const (
	suffixLog      = ".log"
	suffixIndex    = ".index"
	suffixTimes    = ".timeindex"
	suffixAborted  = ".txnindex"
	suffixSnapshot = ".snapshot"
	suffixDeleted  = ".deleted"
	suffixCleaned  = ".cleaned"
	suffixSwap     = ".swap"
	suffixTmp      = ".tmp"
	// suffixCut marks bytes that recovery took out of a log. Ours; Kafka
	// passes such files by.
	suffixCut = ".cut"
)

const (
	maxName = 255
	// baseDigits is how many digits a base offset has in a file name.
	baseDigits = 20
)

// fileName is the name of a segment's file: 20 digits and a suffix.
func fileName(base int64, suffix string) string { return fmt.Sprintf("%020d%s", base, suffix) }

// parseFileName splits a segment file's name.
func parseFileName(name string) (base int64, suffix string, ok bool) {
	if len(name) < baseDigits+2 || name[baseDigits] != '.' {
		return 0, "", false
	}
	base, err := strconv.ParseInt(name[:baseDigits], 10, 64)
	if err != nil || base < 0 {
		return 0, "", false
	}
	return base, name[baseDigits:], true
}

// dirName is the name of a partition's directory.
func dirName(topic string, partition int32) string {
	return topic + "-" + strconv.Itoa(int(partition))
}

// leftover matches directories that are not logs: being deleted, moved here,
// or unknown to the controller. See Kafka's UnifiedLog for the forms.
var leftover = regexp.MustCompile(`^(\S+)-(\S+)\.(\S+)-(delete|future|stray)$`)

// parseDirName tells which partition a directory holds.
func parseDirName(name string) (topic string, partition int32, ok bool) {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 || leftover.MatchString(name) {
		return "", 0, false
	}
	p, err := strconv.ParseInt(name[i+1:], 10, 32)
	if err != nil || p < 0 || strconv.FormatInt(p, 10) != name[i+1:] {
		return "", 0, false
	}
	return name[:i], int32(p), true
}

// deletedName is what a directory is renamed to when its log is deleted:
// Kafka's form, TOPIC-N.32 hex digits-delete, the topic cut where the file
// system needs it.
func deletedName(id Ident) string {
	tail := fmt.Sprintf("-%d.%s-delete", id.Partition, hex.EncodeToString(id.ID[:]))
	return id.Topic[:min(len(id.Topic), maxName-len(tail))] + tail
}
