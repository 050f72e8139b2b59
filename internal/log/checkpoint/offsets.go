package checkpoint

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Kafka's per-directory checkpoints.
const (
	RecoveryPoints  = "recovery-point-offset-checkpoint"
	LogStarts       = "log-start-offset-checkpoint"
	HighWatermarks  = "replication-offset-checkpoint"
	CleanerOffsets  = "cleaner-offset-checkpoint"
	LeaderEpochs    = "leader-epoch-checkpoint"
	PartitionMeta   = "partition.metadata"
	CleanShutdown   = ".kafka_cleanshutdown"
	CleanShutdownV0 = `{"version":0,"brokerEpoch":-1}`
)

// Offset is one line of such a file.
type Offset struct {
	Topic     string
	Partition int32
	Offset    int64
}

// AppendOffsets adds the text form to b: version 0, count, then a line each.
func AppendOffsets(b []byte, lines []Offset) []byte {
	b = append(b, "0\n"...)
	b = strconv.AppendInt(b, int64(len(lines)), 10)
	b = append(b, '\n')
	for _, l := range lines {
		b = append(b, l.Topic...)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(l.Partition), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, l.Offset, 10)
		b = append(b, '\n')
	}
	return b
}

// ParseOffsets reads the text form.
func ParseOffsets(b []byte) ([]Offset, error) {
	lines, err := textLines(b)
	if err != nil {
		return nil, err
	}
	out := make([]Offset, 0, len(lines))
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) != 3 {
			return nil, fmt.Errorf("checkpoint line %q is not topic, partition, offset", line)
		}
		p, perr := strconv.ParseInt(f[1], 10, 32)
		o, oerr := strconv.ParseInt(f[2], 10, 64)
		if perr != nil || oerr != nil || p < 0 || o < 0 {
			return nil, fmt.Errorf("checkpoint line %q is not topic, partition, offset", line)
		}
		out = append(out, Offset{f[0], int32(p), o})
	}
	return out, nil
}

// textLines checks version and count and gives the lines after them.
func textLines(b []byte) ([]string, error) {
	if n := bytes.IndexByte(b, 0); n >= 0 {
		return nil, fmt.Errorf("checkpoint has a zero byte at %d", n)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(lines) < 2 {
		return nil, fmt.Errorf("checkpoint has %d lines, want version and count", len(lines))
	}
	if v := strings.TrimSpace(lines[0]); v != "0" {
		return nil, fmt.Errorf("checkpoint has version %q, want 0", v)
	}
	n, err := strconv.Atoi(strings.TrimSpace(lines[1]))
	if err != nil || n != len(lines)-2 {
		return nil, fmt.Errorf("checkpoint says %q lines and has %d", lines[1], len(lines)-2)
	}
	return lines[2:], nil
}
