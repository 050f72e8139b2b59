package inspect

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"ottla/internal/group/schema"
	"ottla/internal/log/checkpoint"
	"ottla/internal/metadata"
	"ottla/internal/record"
	txns "ottla/internal/txn/schema"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// dumped shows a file or directory as text.
func dumped(t *testing.T, m vfs.FS, name string, o Options) (lines []string, bad int) {
	t.Helper()
	bad, err := Dump(m, name, o, func(l *Line) error {
		lines = append(lines, l.Text())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, bad
}

func TestEveryFileOfADirectoryIsShown(t *testing.T) {
	m := written(t)
	lines, bad := dumped(t, m, dataDir, Options{Records: true})
	if bad != 0 {
		t.Errorf("%d bad lines", bad)
	}
	for _, want := range []string{
		"batch byte=0 base_offset=0 last_offset=1 count=2",
		"record byte=0 offset=0 timestamp=1000 key=key value=" + strings.Repeat("v", 100) + " headers=[h:x]",
		"record byte=0 offset=1 timestamp=1000 key=null value=null",
		"offset byte=0 offset=", "time byte=0 timestamp=",
		"aborted byte=0 producer_id=9 first_offset=14 last_offset=16 last_stable_offset=",
		"producer byte=10 producer_id=9 epoch=0",
		"epoch leader_epoch=1 start_offset=39",
		"topic topic_id=AQAAAAAAAAAAAAAAAAAAAA",
		"checkpoint topic=orders partition=0 offset=79",
		"checkpoint byte=0 version=1 sequence=",
		"log topic=orders partition=0 topic_id=AQAAAAAAAAAAAAAAAAAAAA start=0 end=79",
	} {
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, want) }) {
			t.Errorf("no line begins with %q", want)
		}
	}
	if short, _ := dumped(t, m, dataDir, Options{}); slices.ContainsFunc(short, func(l string) bool { return strings.HasPrefix(l, "record") }) {
		t.Error("records are shown though nobody asked")
	}
}

func TestRecordsOfInternalTopicsAreDecoded(t *testing.T) {
	m := vfs.NewMem(0)
	put := func(dir string, add func(*record.Builder)) string {
		t.Helper()
		if err := m.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		b := record.NewBuilder()
		add(b)
		name := dir + "/00000000000000000000.log"
		change(t, m, name, func([]byte) []byte { return b.Build(0) })
		return name
	}
	protocol := "range"
	for name, want := range map[string][]string{
		put("/d/__cluster_metadata-0", func(b *record.Builder) {
			b.Add(1, nil, metadata.Append(nil, &metadata.TopicRecord{Name: "orders", ID: uuid.UUID{1}}))
			b.Add(1, nil, []byte{9, 9})
		}): {`type=TOPIC data="{\"Name\":\"orders\"`, `type="cannot be read" reason=`},
		put("/d/__transaction_state-1", func(b *record.Builder) {
			b.Add(1, txns.AppendKey(nil, "pay"), txns.AppendValue(nil, &txns.Value{
				ProducerID: 7, Epoch: 2, TimeoutMs: 60000, Status: 1, LastUpdateMs: 5, StartMs: 4,
				Topics: []txns.Topic{{Name: "orders", Partitions: []int32{0, 3}}},
			}, 1))
			b.Add(1, txns.AppendKey(nil, "pay"), nil)
			b.Add(1, []byte{0, 9}, []byte{1})
			b.Add(1, txns.AppendKey(nil, "pay"), []byte{0, 9})
			b.Add(1, []byte{0, 0, 1}, []byte{1})
		}): {
			`type=TRANSACTION_LOG transactional_id=pay state=Ongoing producer_id=7 producer_epoch=2 timeout_ms=60000 partitions=`,
			"orders-3", "updated=5 started=4",
			"type=TRANSACTION_LOG transactional_id=pay tombstone=true",
			`type="transaction record" bytes=1`,
			`type=TRANSACTION_LOG transactional_id=pay reason=`,
			`type="cannot be read" reason="transaction record key of 3 bytes`,
		},
		put("/d/__consumer_offsets-3", func(b *record.Builder) {
			b.Add(1, schema.AppendOffsetKey(nil, "billing", "orders", 4), schema.AppendOffsetValue(nil, schema.OffsetValue{Offset: 17, LeaderEpoch: 2, Metadata: "m", CommitMs: 5, ExpireMs: -1}))
			b.Add(1, schema.AppendOffsetKey(nil, "billing", "orders", 5), nil)
			b.Add(1, schema.AppendGroupKey(nil, "billing"), schema.AppendGroupValue(nil, schema.GroupValue{ProtocolType: "consumer", Generation: 3, Protocol: &protocol}))
			b.Add(1, schema.AppendKey(nil, schema.Key{Type: schema.ConsumerTargetMember, Group: "billing", Member: "m1"}), []byte{1})
			b.Add(1, []byte{0, 99, 1}, []byte{1})
			b.Add(1, []byte{0, 7, 1}, []byte{1})
		}): {
			"type=OFFSET_COMMIT group=billing topic=orders partition=4 committed=17 leader_epoch=2 metadata=m commit_timestamp=5",
			"type=OFFSET_COMMIT group=billing topic=orders partition=5 tombstone=true",
			"type=GROUP_METADATA group=billing protocol_type=consumer generation=3 protocol=range leader=null members=[]",
			"type=CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER group=billing member=m1 bytes=1",
			`type="group record 99" bytes=1`,
			`type="cannot be read" reason="group record key of 3 bytes`,
		},
	} {
		lines, _ := dumped(t, m, name, Options{Decode: true})
		all := strings.Join(lines, "\n")
		for _, w := range want {
			if !strings.Contains(all, w) {
				t.Errorf("%s lacks %q:\n%s", name, w, all)
			}
		}
	}
	marker := put("/d/x-0", func(b *record.Builder) { b.Add(1, nil, nil) })
	change(t, m, marker, func([]byte) []byte { return record.EndTxnMarker(1, 0, true, 0, 1) })
	if lines, _ := dumped(t, m, marker, Options{Decode: true}); !strings.Contains(strings.Join(lines, "\n"), "type=COMMIT") {
		t.Errorf("a marker: %v", lines)
	}
}

func TestDamageEndsAFileAndIsCounted(t *testing.T) {
	m := written(t)
	name := files(t, m, dataDir+"/orders-0", ".log")[0]
	change(t, m, name, func(b []byte) []byte { return append(b, 1, 2, 3) })
	lines, bad := dumped(t, m, name, Options{})
	if bad != 1 || !strings.HasPrefix(lines[len(lines)-1], "bad byte=") {
		t.Errorf("%d bad, last line %s", bad, lines[len(lines)-1])
	}
	if _, err := Dump(m, "/none", Options{}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	change(t, m, dataDir+"/notes.txt", func([]byte) []byte { return []byte("x") })
	if _, err := Dump(m, dataDir+"/notes.txt", Options{}, nil); !errors.Is(err, ErrUnknownFile) {
		t.Errorf("a file of another kind: %v", err)
	}
	n := 0
	if _, err := Dump(m, dataDir, Options{}, func(*Line) error {
		if n++; n == 3 {
			return ErrStop
		}
		return nil
	}); err != nil || n != 3 {
		t.Errorf("stopped after %d lines: %v", n, err)
	}
}

// FuzzFiles shows and checks arbitrary bytes under each name that is known.
func FuzzFiles(f *testing.F) {
	b := record.NewBuilder()
	b.Add(1, []byte("k"), []byte("v"))
	f.Add(byte(0), b.Build(0))
	f.Add(byte(1), []byte{0, 0, 0, 1, 0, 0, 0, 0})
	f.Add(byte(5), []byte("0\n1\n0 0\n"))
	f.Add(byte(8), []byte("0\n1\norders 0 5\n"))
	names := []string{
		"00000000000000000000.log", "00000000000000000000.index", "00000000000000000000.timeindex", "00000000000000000000.txnindex",
		"00000000000000000000.snapshot", checkpoint.LeaderEpochs, checkpoint.PartitionMeta, checkpoint.Name, checkpoint.LogStarts,
		"00000000000000000000.gap", "00000000000000000005-0000000001.checkpoint",
	}
	f.Fuzz(func(t *testing.T, which byte, content []byte) {
		for _, dir := range []string{"/d/__cluster_metadata-0", "/d/__consumer_offsets-0"} {
			m := vfs.NewMem(0)
			if err := m.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			name := dir + "/" + names[int(which)%len(names)]
			change(t, m, name, func([]byte) []byte { return content })
			change(t, m, dir+"/00000000000000000000.log", func(b []byte) []byte { return b })
			bad, err := Dump(m, "/d", Options{Records: true, Decode: true}, func(l *Line) error {
				if l.Text() == "" || l.File == "" {
					t.Errorf("an empty line: %+v", l)
				}
				return nil
			})
			if err != nil || bad < 0 {
				t.Errorf("dump: %d %v", bad, err)
			}
			if _, err := Verify(m, "/d", func(Problem) error { return nil }); err != nil {
				t.Errorf("verify: %v", err)
			}
		}
	})
}
