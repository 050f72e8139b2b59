package logimport

import (
	"errors"
	"os"
	"strings"
	"testing"

	"ottla/internal/metadata"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// metadataLog is a disk with one metadata log: files by name.
func metadataLog(t testing.TB, files map[string][]byte) *run {
	t.Helper()
	m := vfs.NewMem(0)
	if err := m.MkdirAll("/k/"+metadataDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		f, err := m.OpenFile("/k/"+metadataDir+"/"+name, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteAt(b, 0)
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return &run{o: Options{FS: m}, src: []*source{{path: "/k", partitions: map[string]bool{metadataDir: true}}}}
}

// batch is one batch of metadata records.
func batch(base int64, records ...metadata.Record) []byte {
	b := record.NewBuilder()
	for _, r := range records {
		b.Add(1, nil, metadata.Append(nil, r))
	}
	return b.Build(base)
}

func level(n int16) metadata.Record {
	return &metadata.FeatureLevelRecord{Name: metadata.MetadataVersion, Level: n}
}

func topic(n byte) metadata.Record {
	return &metadata.TopicRecord{Name: "t" + string('0'+rune(n)), ID: uuid.UUID{n}}
}

const (
	firstLog = "00000000000000000000.log"
	snapshot = "00000000000000000003-0000000001.checkpoint"
)

func TestReplayGoesFromTheNewestSnapshotOn(t *testing.T) {
	join := func(bs ...[]byte) (out []byte) {
		for _, b := range bs {
			out = append(out, b...)
		}
		return out
	}
	flip := func(b []byte) []byte { b[len(b)-1] ^= 1; return b }
	for _, tc := range []struct {
		name  string
		files map[string][]byte
		want  string // topics, or part of the refusal
	}{
		{"the log alone", map[string][]byte{firstLog: join(batch(0, level(33), topic(1)), batch(2, topic(2)))}, "t1 t2"},
		{"a snapshot and the log behind it", map[string][]byte{
			snapshot: batch(0, level(33), topic(3)),
			firstLog: join(batch(0, level(33), topic(1)), batch(2, topic(2)), batch(3, topic(4))),
		}, "t3 t4"},
		{"a snapshot that ends inside a batch", map[string][]byte{
			snapshot: batch(0, level(33), topic(3)), firstLog: batch(2, topic(3), topic(5)),
		}, "t3 t5"},
		{"a torn end", map[string][]byte{firstLog: join(batch(0, level(33), topic(1)), batch(2, topic(2))[:40])}, "t1"},
		{"an end whose checksum does not hold", map[string][]byte{firstLog: join(batch(0, level(33), topic(1)), flip(batch(2, topic(2))))}, "t1"},
		{"rot amid the log", map[string][]byte{firstLog: flip(batch(0, level(33))), "00000000000000000001.log": batch(1, topic(1))}, "cannot be read at byte 0"},
		{"a hole", map[string][]byte{firstLog: join(batch(0, level(33)), batch(7, topic(1)))}, "offsets 1 to 6 are missing"},
		{"a log that begins too late", map[string][]byte{"00000000000000000009.log": batch(9, topic(1))}, "begins at offset 9"},
		{"a newer level", map[string][]byte{firstLog: batch(0, level(maxLevel+1))}, "is at metadata.version 34"},
		{"no level", map[string][]byte{firstLog: batch(0, topic(1))}, "is at metadata.version 0"},
		{"a record that is not known", map[string][]byte{firstLog: join(batch(0, level(33)), func() []byte {
			b := record.NewBuilder()
			b.Add(1, nil, []byte{1, 99, 0, 0})
			return b.Build(1)
		}())}, "need a newer Ottla"},
	} {
		r := metadataLog(t, tc.files)
		got := ""
		if err := r.readMetadata(); err != nil {
			got = err.Error()
			var refused *Refused
			if !errors.As(err, &refused) {
				t.Errorf("%s: not a refusal: %v", tc.name, err)
			}
			if !strings.Contains(got, tc.want) {
				t.Errorf("%s: %s, want %q", tc.name, got, tc.want)
			}
			continue
		}
		for t := range r.image.Topics() {
			got = strings.TrimSpace(got + " " + t.Name)
		}
		if got != tc.want {
			t.Errorf("%s: topics %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestOnlyThisBrokersSettingsComeOver(t *testing.T) {
	value := "1"
	set := func(kind int8, name string) metadata.Record {
		return &metadata.ConfigRecord{ResourceType: kind, ResourceName: name, Name: "k", Value: &value}
	}
	r := metadataLog(t, map[string][]byte{firstLog: batch(0, level(20), topic(1),
		&metadata.PartitionRecord{TopicID: uuid.UUID{1}, Replicas: []int32{5, 6}, ISR: []int32{6}, Leader: 6, LeaderEpoch: 8},
		set(metadata.ResourceBroker, ""), set(metadata.ResourceBroker, "5"), set(metadata.ResourceBroker, "6"), set(metadata.ResourceGroup, "g"))})
	if err := r.readMetadata(); err != nil {
		t.Fatal(err)
	}
	r.result.NodeID, r.dirID = 5, uuid.UUID{0xdd}
	img := metadata.Empty()
	for i, step := range r.records() {
		var err error
		if img, _, err = img.With(int64(i), 0, step...); err != nil {
			t.Fatal(err)
		}
	}
	p := img.TopicByName("t1").Partitions[0]
	if p.Leader != 5 || p.LeaderEpoch != 9 || len(p.Replicas) != 1 || p.Replicas[0] != 5 || p.Directories[0] != r.dirID {
		t.Errorf("partition %+v", p)
	}
	if img.Config(metadata.ResourceBroker, "5") == nil || img.Config(metadata.ResourceBroker, "") == nil || img.Config(metadata.ResourceGroup, "g") == nil {
		t.Error("a setting is missing")
	}
	if img.Config(metadata.ResourceBroker, "6") != nil || r.result.Settings != 3 {
		t.Errorf("another broker's settings came over; %d settings", r.result.Settings)
	}
	if got, _ := img.Feature(metadata.MetadataVersion); got != maxLevel {
		t.Errorf("metadata.version %d, want %d", got, maxLevel)
	}
}

// Arbitrary bytes in Kafka's metadata are refused or read, never more.
func FuzzReplay(f *testing.F) {
	f.Add(batch(0, level(33), topic(1)), batch(0, level(33), topic(2)))
	f.Add([]byte{1, 2, 3}, []byte{})
	f.Fuzz(func(t *testing.T, logBytes, snapshotBytes []byte) {
		r := metadataLog(t, map[string][]byte{firstLog: logBytes, snapshot: snapshotBytes})
		err := r.readMetadata()
		var refused *Refused
		if err != nil && !errors.As(err, &refused) {
			t.Errorf("not a refusal: %v", err)
		}
		if err == nil && r.image == nil {
			t.Error("neither an image nor an error")
		}
	})
}
