package inspect

import (
	"encoding/binary"
	"strings"
	"testing"

	"ottla/internal/log/checkpoint"
	"ottla/internal/vfs"
)

func TestASoundDirectoryHasNothingWrong(t *testing.T) {
	m := written(t)
	report, found := problems(t, m, dataDir)
	if len(found) != 0 || report.Problems != 0 || report.Partitions != 1 || report.Batches != 40 || report.Records != 79 || report.Segments < 3 || report.Files < 8 {
		t.Errorf("%+v %v", report, found)
	}
	if one, found := problems(t, m, dataDir+"/orders-0"); len(found) != 0 || one.Batches != 40 {
		t.Errorf("the partition alone: %+v %v", one, found)
	}
}

// Each damage is found, at its place, and nothing else is.
func TestEachDamageIsFoundWhereItIs(t *testing.T) {
	const dir = dataDir + "/orders-0"
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= 0x40; return b }
	}
	for _, tc := range []struct {
		name   string
		suffix string
		which  int // of the files with that suffix
		edit   func([]byte) []byte
		want   string
	}{
		{"rot in a record", ".log", 0, flip(100), "orders-0/00000000000000000000.log 0 0: the checksum of the batch"},
		{"rot in an offset", ".log", 0, flip(7), "00000000000000000000.log 0 64:"},
		{"a cut segment", ".log", 0, func(b []byte) []byte { return b[:len(b)-300] }, "is missing"},
		{"a torn batch amid the log", ".log", 1, func(b []byte) []byte { return b[:len(b)-3] }, ".log "},
		{"an index entry off its batch", ".index", 0, flip(7), "where no batch begins"},
		{"an index that falls", ".index", 0, func(b []byte) []byte { copy(b[8:16], b[:8]); return b }, ".index"},
		{"a wrong time", ".timeindex", 0, flip(7), ".timeindex 0 "},
		{"an aborted transaction of nobody", ".txnindex", 0, func(b []byte) []byte {
			binary.BigEndian.PutUint64(b[18:], binary.BigEndian.Uint64(b[18:])+1)
			return b
		}, "where no batch ends"},
		{"a snapshot", ".snapshot", 0, flip(4), ".snapshot 0 -1:"},
		{"the leader epochs", checkpoint.LeaderEpochs, 0, func([]byte) []byte { return []byte("0\n7\n") }, checkpoint.LeaderEpochs},
		{"the topic id", checkpoint.PartitionMeta, 0, func([]byte) []byte { return []byte("version: 9\n") }, checkpoint.PartitionMeta},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := written(t)
			change(t, m, files(t, m, dir, tc.suffix)[tc.which], tc.edit)
			report, found := problems(t, m, dataDir)
			if report.Problems == 0 || !strings.Contains(strings.Join(found, "\n"), tc.want) {
				t.Errorf("found %v, want %q", found, tc.want)
			}
			for _, f := range found {
				if !strings.HasPrefix(f, "wrong orders-0/") {
					t.Errorf("found elsewhere: %s", f)
				}
			}
		})
	}
	m := written(t)
	for _, name := range []string{checkpoint.Name, checkpoint.RecoveryPoints} {
		change(t, m, dataDir+"/"+name, func(b []byte) []byte { return append(b[:len(b)-1:len(b)-1], "?!"...) })
	}
	if report, found := problems(t, m, dataDir); report.Problems != 2 {
		t.Errorf("two damaged checkpoints: %v", found)
	}
}

// What a crash leaves at the end of a log is told apart from rot; a directory
// that says it was closed cleanly has no such end.
func TestATornEndIsATailAfterACrash(t *testing.T) {
	for clean, want := range map[bool]string{true: "wrong ", false: "tail "} {
		m := written(t)
		logs := files(t, m, dataDir+"/orders-0", ".log")
		change(t, m, logs[len(logs)-1], func(b []byte) []byte { return append(b, b[:70]...) })
		if !clean {
			if err := m.Remove(dataDir + "/" + checkpoint.CleanShutdown); err != nil {
				t.Fatal(err)
			}
		}
		report, found := problems(t, m, dataDir)
		if len(found) != 1 || !strings.HasPrefix(found[0], want) || (report.Problems == 0) == clean {
			t.Errorf("clean %v: %+v %v", clean, report, found)
		}
	}
}

// Without a checkpoint of ours the directory is Kafka's, where offsets may be
// left out; they still may not fall.
func TestOffsetsLeftOutAreNoDamageInKafkasDirectory(t *testing.T) {
	m := written(t)
	logs := files(t, m, dataDir+"/orders-0", ".log")
	if err := m.Remove(logs[1]); err != nil {
		t.Fatal(err)
	}
	if _, found := problems(t, m, dataDir); len(found) != 1 || !strings.Contains(found[0], "what lies between is missing") {
		t.Errorf("ours: %v", found)
	}
	if err := m.Remove(dataDir + "/" + checkpoint.Name); err != nil {
		t.Fatal(err)
	}
	if _, found := problems(t, m, dataDir); len(found) != 0 {
		t.Errorf("Kafka's: %v", found)
	}
}

func TestSumsTellLogsApart(t *testing.T) {
	m := written(t)
	dir := dataDir + "/orders-0"
	sum := func() Sum {
		t.Helper()
		s, err := SumPartition(m, dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	whole := sum()
	if whole.First != 0 || whole.End != 79 || whole.Batches != 40 || whole.Records != 79 || whole.Torn != "" {
		t.Errorf("sum %+v", whole)
	}
	logs := files(t, m, dir, ".log")
	change(t, m, logs[1], func(b []byte) []byte { b[90] ^= 1; return b })
	torn := sum()
	if torn.Torn != logs[1] || torn.TornByte != 0 || torn.Batches >= whole.Batches || torn.CRC == whole.CRC {
		t.Errorf("with rot: %+v", torn)
	}
	empty, err := SumPartition(vfs.NewMem(0), "/")
	if err != nil || empty != (Sum{}) {
		t.Errorf("nothing: %+v %v", empty, err)
	}
}
