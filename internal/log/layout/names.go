package layout

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"ottla/internal/uuid"
)

// Suffixes of a segment's files, and of unfinished work, as Kafka names them.
const (
	Log      = ".log"
	Index    = ".index"
	Times    = ".timeindex"
	Aborted  = ".txnindex"
	Snapshot = ".snapshot"
	Deleted  = ".deleted"
	Cleaned  = ".cleaned"
	Swap     = ".swap"
	Tmp      = ".tmp"
	// Gap marks a segment that rightly begins above the end of the one before:
	// an empty file, there before the segment is. Ours; Kafka passes it by.
	Gap = ".gap"
	// Cut marks bytes that recovery took out of a log. Ours; Kafka
	// passes such files by.
	Cut = ".cut"
)

const (
	maxName = 255
	// baseDigits is how many digits a base offset has in a file name.
	baseDigits = 20
)

// FileName is the name of a segment's file: 20 digits and a suffix.
func FileName(base int64, suffix string) string { return fmt.Sprintf("%020d%s", base, suffix) }

// ParseFileName splits a segment file's name.
func ParseFileName(name string) (base int64, suffix string, ok bool) {
	if len(name) < baseDigits+2 || name[baseDigits] != '.' {
		return 0, "", false
	}
	n, err := strconv.ParseUint(name[:baseDigits], 10, 63) // takes no sign
	if err != nil {
		return 0, "", false
	}
	return int64(n), name[baseDigits:], true
}

// DirName is the name of a partition's directory.
func DirName(topic string, partition int32) string {
	return topic + "-" + strconv.Itoa(int(partition))
}

// Leftover matches directories that are not logs: being deleted, moved here,
// or unknown to the controller. See Kafka's UnifiedLog for the forms.
var Leftover = regexp.MustCompile(`^(\S+)-(\S+)\.(\S+)-(delete|future|stray)$`)

// ParseDirName tells which partition a directory holds.
func ParseDirName(name string) (topic string, partition int32, ok bool) {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 || Leftover.MatchString(name) {
		return "", 0, false
	}
	p, err := strconv.ParseInt(name[i+1:], 10, 32)
	if err != nil || p < 0 || strconv.FormatInt(p, 10) != name[i+1:] {
		return "", 0, false
	}
	return name[:i], int32(p), true
}

// DeletedName is what a directory is renamed to when its log is deleted:
// Kafka's form, TOPIC-N.32 hex digits-delete, the topic cut where the file
// system needs it.
func DeletedName(topic string, partition int32, id uuid.UUID) string {
	return markedName(topic, partition, id, "delete")
}

// StrayName is what a directory is renamed to that no topic claims, in the same
// form.
func StrayName(topic string, partition int32, id uuid.UUID) string {
	return markedName(topic, partition, id, "stray")
}

// FutureName is the directory of a log on its way from another log directory.
// It is not cut: a topic whose name is too long for it cannot be moved.
func FutureName(topic string, partition int32, id uuid.UUID) string {
	return fmt.Sprintf("%s-%d.%s%s", topic, partition, hex.EncodeToString(id[:]), futureMark)
}

// FutureFits tells whether a topic's name leaves room for FutureName.
func FutureFits(topic string, partition int32) bool {
	return len(FutureName(topic, partition, uuid.UUID{})) <= maxName
}

const futureMark = "-future"

// ParseFutureName tells which log FutureName was made for.
func ParseFutureName(name string) (topic string, partition int32, ok bool) {
	stem, ok := strings.CutSuffix(name, futureMark)
	dot := strings.LastIndexByte(stem, '.')
	if !ok || dot < 0 {
		return "", 0, false
	}
	if id, err := hex.DecodeString(stem[dot+1:]); err != nil || len(id) != len(uuid.UUID{}) {
		return "", 0, false
	}
	return ParseDirName(stem[:dot])
}

// counted is the room that FreeName may need behind a name.
const counted = 6

func markedName(topic string, partition int32, id uuid.UUID, mark string) string {
	tail := fmt.Sprintf("-%d.%s-%s", partition, hex.EncodeToString(id[:]), mark)
	return topic[:min(len(topic), maxName-counted-len(tail))] + tail
}
